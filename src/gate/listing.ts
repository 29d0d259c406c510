/** `GET /v1/messages`: newest first, filtered while paging, a bounded walk for each request. */
import type { Redis } from "ioredis";
import { invalidField } from "../domain/errors.ts";
import type { MessageView } from "../domain/message.ts";
import type { Page } from "../domain/page.ts";
import type { Keys } from "../redis/keys.ts";
import type { ScriptRunner } from "../redis/script.ts";
import { look } from "../redis/scripts/look.ts";
import type { MessageFilter } from "./looking.ts";
import { viewOf } from "./view.ts";

const READ_AT_ONCE = 100;
/** Records looked at for one request; a page that is cut short by it says where to go on. */
const READ_AT_MOST = 1_000;

const fits = (view: MessageView, filter: MessageFilter): boolean =>
  (filter.status === undefined || view.status === filter.status) &&
  (filter.channel === undefined || view.channel === filter.channel) &&
  (filter.batchId === undefined || view.batchId === filter.batchId) &&
  (filter.reference === undefined || view.reference === filter.reference);

export const listing = (redis: Redis, scripts: ScriptRunner, keys: Keys) => {
  /** Ids of the account, newest first, from a place on. Ids leave only at the old end, and new ones shift the places: */
  const idsFrom = async (account: string, filter: MessageFilter, place: number): Promise<string[]> => {
    if (filter.batchId === undefined)
      return redis
        .zrange(keys.index(account), String(-place - READ_AT_ONCE), String(-place - 1))
        .then((ids) => ids.toReversed());
    const ids = await redis.lrange(keys.batchIds(filter.batchId), -place - READ_AT_ONCE, -place - 1);
    return ids.toReversed();
  };

  /** …so a cursor is the last id that was read, and its place is found anew. */
  const placeAfter = async (account: string, filter: MessageFilter, cursor: string): Promise<number> => {
    const [id = "", score = ""] = cursor.split(" ");
    const known =
      filter.batchId === undefined
        ? await redis.zrevrank(keys.index(account), id)
        : await redis
            .lpos(keys.batchIds(filter.batchId), id)
            .then(async (at) =>
              at === null ? null : (await redis.llen(keys.batchIds(filter.batchId ?? ""))) - 1 - at,
            );
    if (known !== null) return known + 1;
    if (filter.batchId !== undefined) return Number.MAX_SAFE_INTEGER;
    if (!/^\d{1,16}$/.test(score)) throw invalidField("cursor", "a next_cursor of this list", cursor);
    return redis.zcount(keys.index(account), score, "+inf");
  };

  return async (
    account: string,
    filter: MessageFilter,
    cursor: string | null,
    limit: number,
  ): Promise<Page<MessageView>> => {
    const items: MessageView[] = [];
    let place = cursor === null ? 0 : await placeAfter(account, filter, cursor);
    for (let read = 0; read < READ_AT_MOST;) {
      const ids = await idsFrom(account, filter, place);
      const seen = await Promise.all(ids.map((id) => look(scripts, account, { id })));
      for (const [at, each] of seen.entries()) {
        const id = ids[at];
        if (id === undefined || !each) continue;
        const view = viewOf(id, each);
        if (fits(view, filter)) items.push(view);
        if (items.length < limit) continue;
        const isLast = at === ids.length - 1 && ids.length < READ_AT_ONCE;
        return { items, nextCursor: isLast ? null : `${id} ${view.createdAt}` };
      }
      if (ids.length < READ_AT_ONCE) return { items, nextCursor: null };
      read += ids.length;
      place += ids.length;
      const last = ids.at(-1);
      if (read >= READ_AT_MOST && last !== undefined) return { items, nextCursor: `${last} 0` };
    }
    return { items, nextCursor: null };
  };
};
