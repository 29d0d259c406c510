/** The moment in which a client of node:http in this process hears of an answer: its status and its headers. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";

const HEARD = "http.client.response.finish";

/** Once the next answer has been heard, whoever asked for it. */
export const answerHeard = (): Promise<void> =>
  new Promise((resolve) => {
    const heard = () => {
      unsubscribe(HEARD, heard);
      // It is told just before the client's own "response".
      setImmediate(resolve);
    };
    subscribe(HEARD, heard);
  });
