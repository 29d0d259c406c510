/**
 * Commands that clients send, counted on the server's own line of them (MONITOR). INFO's counter would count every command
 * inside a script as well, which is work of one call and is told beside it.
 */
import { connect } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

export interface Counted {
  readonly byClients: number;
  readonly inScripts: number;
}

export const commandsDuring = async (socket: string, ms: number): Promise<Counted> => {
  let text = "";
  const connection = connect(socket);
  connection.setEncoding("utf8");
  connection.on("data", (chunk: string) => {
    text += chunk;
  });
  connection.write("MONITOR\r\n");
  await wait(ms);
  connection.destroy();
  const lines = text.split("\r\n").filter((line) => line.includes("["));
  const inScripts = lines.filter((line) => / \[\d+ lua\] /.test(line)).length;
  return { byClients: lines.length - inScripts, inScripts };
};
