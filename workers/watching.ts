/** Who may read a worker's metrics: the same as the API's. This machine itself, or who shows the operator's key. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { isFromLoopback } from "../src/domain/loopback.ts";

const sha256 = (text: string): Buffer => createHash("sha256").update(text).digest();

/** @param adminKey null: a worker needs none, and then only this machine may look */
export const mayLookAt =
  (adminKey: string | null) =>
  (request: IncomingMessage): boolean => {
    if (isFromLoopback(request)) return true;
    const token = /^bearer +([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? "")?.[1];
    // Over digests, which have one length, whatever was sent.
    return adminKey !== null && token !== undefined && timingSafeEqual(sha256(token), sha256(adminKey));
  };
