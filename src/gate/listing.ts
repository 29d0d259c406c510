/** `GET /v1/messages`: newest first, filtered while paging, a bounded walk for each request. */
import type { Redis } from "ioredis";
import { invalidField } from "../domain/errors.ts";
import type { MessageView } from "../domain/message.ts";
import type { Page } from "../domain/page.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { look } from "../redis/scripts/look.ts";
import { standing } from "../redis/scripts/standing.ts";
import { batchIds, type BatchIds } from "./batch-ids.ts";
import type { MessageFilter } from "./looking.ts";
import { readRecord } from "./record.ts";
import { viewOf } from "./view.ts";

const READ_AT_ONCE = 100;
/** Records looked at for one request; a page that is cut short by it says where to go on. */
const READ_AT_MOST = 1_000;

/** A page of large mails ends here, however many were asked for: it is held in memory on its way out. */
const PAGE_BYTES = 4_000_000;

const recordFits = (text: string, filter: MessageFilter): boolean => {
  if (filter.channel === undefined && filter.batchId === undefined && filter.reference === undefined) return true;
  const record = readRecord(text);
  return (
    (filter.channel === undefined || record.channel === filter.channel) &&
    (filter.batchId === undefined || record.batchId === filter.batchId) &&
    (filter.reference === undefined || record.reference === filter.reference)
  );
};

export const listing = (redis: Redis, scripts: ScriptRunner, keys: Keys) => {
  const batchOf = async (account: string, id: string): Promise<BatchIds | null> => {
    const [owner, total, head] = await redis.hmget(keys.batch(id), "account", "total", "head");
    if (owner !== account) return null;
    return batchIds(redis, keys, id, { ...(total == null ? {} : { total }), ...(head == null ? {} : { head }) });
  };

  /**
   * Ids of the account, newest first, from a place on, and when the last of them was made (0: it is a batch's, whose places are
   * fixed).
   */
  const idsFrom = async (account: string, batch: BatchIds | null, place: number) => {
    if (batch) {
      const ids = await batch.range(Math.max(0, batch.length - place - READ_AT_ONCE), batch.length - place - 1);
      return { ids: ids.toReversed(), lastAt: "0" };
    }
    const newest = String(-place - 1);
    const found = await redis.zrange(keys.index(account), String(-place - READ_AT_ONCE), newest, "WITHSCORES");
    return { ids: found.filter((_, at) => at % 2 === 0).toReversed(), lastAt: found[1] ?? "0" };
  };

  /**
   * New ones shift the places, and so do those that retention took. So a cursor is the last id that was read and when it was made,
   * and its place is found anew, if that one is gone too.
   */
  const placeAfter = async (account: string, batch: BatchIds | null, cursor: string): Promise<number> => {
    const [id = "", score = ""] = cursor.split(" ");
    if (batch) {
      const at = await batch.placeOf(id);
      return at === null ? batch.length : batch.length - at;
    }
    const known = await redis.zrevrank(keys.index(account), id);
    if (known !== null) return known + 1;
    if (!/^\d{1,16}$/.test(score)) throw invalidField("cursor", "a next_cursor of this list", cursor);
    const [newer, ofItsTime] = await Promise.all([
      redis.zcount(keys.index(account), `(${score}`, "+inf"),
      redis.zrange(keys.index(account), score, score, "BYSCORE"),
    ]);
    // Ids of one millisecond stand in the order of their bytes.
    return newer + ofItsTime.filter((one) => one > id).length;
  };

  /** Which of the ids may belong on the page: their status is asked for by the hundred, before anything is forecast. */
  const candidatesOf = async (
    account: string,
    { status }: MessageFilter,
    ids: readonly string[],
  ): Promise<ReadonlySet<string>> => {
    if (status === undefined || ids.length === 0) return new Set(ids);
    const statuses = await standing(scripts, account, ids);
    return new Set(ids.filter((_, at) => statuses[at] === status));
  };

  return async (
    account: string,
    filter: MessageFilter,
    cursor: string | null,
    limit: number,
  ): Promise<Page<MessageView>> => {
    const items: MessageView[] = [];
    // Of a foreign batch nothing, not even a cursor: it would tell that the batch is there, and one of its ids.
    const batch = filter.batchId === undefined ? null : await batchOf(account, filter.batchId);
    if (filter.batchId !== undefined && !batch) return { items, nextCursor: null };
    let place = cursor === null ? 0 : await placeAfter(account, batch, cursor);
    let bytes = 0;
    for (let read = 0; read < READ_AT_MOST;) {
      const { ids, lastAt } = await idsFrom(account, batch, place);
      const candidates = await candidatesOf(account, filter, ids);
      const isLastPiece = ids.length < READ_AT_ONCE;
      for (const [at, id] of ids.entries()) {
        const seen = candidates.has(id) ? await look(scripts, account, { id }) : null;
        // What the record alone rules out needs no forecast.
        if (!seen || !recordFits(seen.record, filter)) continue;
        const view = viewOf(id, seen);
        if (filter.status !== undefined && view.status !== filter.status) continue;
        items.push(view);
        bytes += seen.record.length;
        if (items.length < limit && bytes < PAGE_BYTES) continue;
        return { items, nextCursor: isLastPiece && at === ids.length - 1 ? null : `${id} ${view.createdAt}` };
      }
      const last = ids.at(-1);
      if (isLastPiece || last === undefined) return { items, nextCursor: null };
      read += ids.length;
      // In the index places have shifted by those who came meanwhile; a batch has none but its own.
      place = batch === null ? await placeAfter(account, batch, `${last} ${lastAt}`) : place + ids.length;
      if (read >= READ_AT_MOST) return { items, nextCursor: `${last} ${lastAt}` };
    }
    return { items, nextCursor: null };
  };
};
