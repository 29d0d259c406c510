/** Messages that have not left are taken back, one or a whole batch: see sending.ts. */
import type { MessageState } from "../domain/message.ts";
import type { DurableRunner } from "../redis/durable.ts";
import { cancel, CANCEL_AT_MOST } from "../redis/scripts/cancel.ts";
import { chunked, type Batches } from "./batches.ts";
import type { CancelResult, Canceling } from "./sending.ts";

/** @param durable what is answered with yes must be kept */
export const cancelingOn = (durable: DurableRunner, batches: Batches): Canceling => {
  const cancelIds = (account: string, ids: readonly string[]) =>
    durable.whole(async (canceling) => {
      const results = [];
      for (const chunk of chunked(ids, CANCEL_AT_MOST)) results.push(...(await cancel(canceling, account, chunk)));
      return results;
    });

  return {
    cancel: async (account, id): Promise<CancelResult> => {
      const [result] = await cancel(durable, account, [id]);
      switch (result?.result) {
        case "ok":
          return { kind: "canceled" };
        case "already_sending":
          return { kind: "already_sending" };
        case "already_final":
          return { kind: "already_final", state: result.state as MessageState };
        case "unknown":
        case undefined:
          return { kind: "unknown" };
      }
    },
    cancelBatch: async (account, id) => {
      const ids = await batches.idsOf(account, id);
      if (!ids) return null;
      const results = await cancelIds(account, ids);
      const canceled = results.filter(({ result }) => result === "ok").length;
      return { canceled, left: results.length - canceled };
    },
  };
};
