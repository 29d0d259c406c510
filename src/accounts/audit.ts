/** Lines of the audit, as they are read: newest first. They are written by the scripts that make the changes. */
import type { Redis } from "ioredis";
import type { Actor, Change } from "../domain/audit.ts";
import type { Page } from "../domain/page.ts";
import { instant, type Instant } from "../domain/time.ts";
import type { Keys } from "../redis/keys.ts";

export interface AuditLine {
  readonly id: string;
  /** By Redis's clock. */
  readonly at: Instant;
  readonly by: Actor;
  /** Null: of no one account. */
  readonly account: string | null;
  readonly what: Change;
  readonly from: unknown;
  readonly to: unknown;
  readonly requestId: string | null;
}

export interface AuditFilter {
  /** Null: every account, and what is of none. */
  readonly account: string | null;
  readonly what: Change | null;
}

export interface Audit {
  /** A page may be short, or empty, and not the last: where a filter matches little, it looks only so far at a time. */
  list(filter: AuditFilter, cursor: string | null, limit: number): Promise<Page<AuditLine>>;
}

interface Kept {
  readonly by: Actor;
  readonly request_id: string | null;
  readonly account: string | null;
  readonly what: Change;
  readonly from: unknown;
  readonly to: unknown;
}

/** Lines looked at for one page. */
const MOST_LOOKED_AT = 2_000;
const AT_A_TIME = 200;

const lineIn = (id: string, text: string): AuditLine => {
  const space = text.indexOf(" ");
  const kept = JSON.parse(text.slice(space + 1)) as Kept;
  const { by, account, what, from, to, request_id: requestId } = kept;
  return { id, at: instant(Number(text.slice(0, space))), by, account, what, from, to, requestId };
};

interface Placed {
  readonly place: string;
  readonly line: AuditLine;
}

export const auditOn = ({ redis, keys }: { redis: Redis; keys: Keys }): Audit => {
  /** Those before a place, newest first; how many ids there were, since what has outlived its year is no line any more. */
  const look = async (
    list: string,
    before: string,
  ): Promise<{ ids: number; last: string; found: readonly Placed[] }> => {
    const flat = await redis.zrange(list, before, "-inf", "BYSCORE", "REV", "LIMIT", 0, AT_A_TIME, "WITHSCORES");
    const ids = flat.filter((_, at) => at % 2 === 0);
    const places = flat.filter((_, at) => at % 2 === 1);
    const texts = ids.length === 0 ? [] : await redis.mget(ids.map((id) => keys.auditLine(id)));
    const found = texts.flatMap((text, at) =>
      text === null ? [] : [{ place: places[at] ?? "", line: lineIn(ids[at] ?? "", text) }],
    );
    return { ids: ids.length, last: places.at(-1) ?? "", found };
  };

  return {
    list: async ({ account, what }, cursor, limit) => {
      const list = account === null ? keys.audit : keys.auditOf(account);
      const wanted: Placed[] = [];
      let from = cursor;
      for (let looked = 0; looked < MOST_LOOKED_AT; looked += AT_A_TIME) {
        const { ids, last, found } = await look(list, from === null ? "+inf" : `(${from}`);
        wanted.push(...found.filter(({ line }) => what === null || line.what === what));
        if (wanted.length > limit) break;
        if (ids < AT_A_TIME) return { items: wanted.map(({ line }) => line), nextCursor: null };
        from = last;
      }
      const items = wanted.slice(0, limit);
      return {
        items: items.map(({ line }) => line),
        nextCursor: (wanted.length > limit && items.at(-1)?.place) || from,
      };
    },
  };
};
