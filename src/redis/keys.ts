/**
 * Every key that Sluice writes, and nowhere else. All keys of a cell carry its hash tag, so that every script touches
 * one slot of a cluster. `cell` is the tag with its prefix: `sl:{s0}:`. The scripts build the same names from it, each
 * where it needs one (`cell .. 'acc:' .. account`). A `row` is fields by name, packed into one
 * string (scripts/lib/rows.lua). BullMQ's own keys live under `bullPrefix`, and no script touches them.
 *
 * | key                     | type   | holds                                                        | leaves                  |
 * |-------------------------|--------|--------------------------------------------------------------|-------------------------|
 * | m:<id>                  | string | what never changes of a message (lib/messages.lua)           | purge, after retention  |
 * | x:<id>                  | row    | what changes of a message, from its first release on         | with its m              |
 * | lane:<a>:<c>:<class>:<s>| list   | ids waiting, in order                                        | when its live count is 0|
 * | ln:<same>               | row    | live, pushed, popped, parked, held_by, until                 | with its list           |
 * | lanes:<a>:<c>           | set    | `<class>:<sender>` of the lanes that exist                   | when empty              |
 * | in:<a>:<c>:<class>      | zset   | inner ring: senders by turn                                  | when empty              |
 * | ac:<a>:<c>              | row    | the account on the channel: rings, debt, credit, had (turn), counts | with the account        |
 * | ring:<c>:h, ring:<c>:a  | zset   | accounts by turn                                             | when empty              |
 * | stat:<c>                | row    | turn, served_h, called_h, round_till, round_since, round_turn, sums over all accounts, ended:<state>: how many | never (one per channel) |
 * | parked                  | zset   | `A|<a>|<c>` and `L|<lane>` by the ms at which they wake      | when woken              |
 * | scheduled, expiring     | zset   | ids by ms                                                    | when due                |
 * | sid:<provider's id>     | string | the text that a provider's id belongs to                     | 15 minutes              |
 * | asking                  | zset   | texts that may have been sent, by the ms at which their provider is asked | when known |
 * | released:<c>, sending   | zset   | ids: since when (ms); until when (ms)                        | at begin; at settle     |
 * | q:S|<a>|<c>|<s>         | row    | the sender: held; per window kind limit, start, end, used, late; interval, last, closed, out, had (turn) | 40 d after a change, if no rule stands in it |
 * | q:C|<a>|<c>, q:A|<a>    | row    | the same of account on channel, of account: without a rate   | with the account        |
 * | rate:<c>                | row    | the channel's interval, last slot, closed until, paused      | never (one per channel) |
 * | acc:<a>                 | hash   | the account: zone, weight, open, removed, and its description | with the account       |
 * | accounts                | zset   | account ids, all with score 0: an id's order is that of creation | with the account    |
 * | changing                | zset   | accounts whose rules are being set: since when (ms)          | when they are in force  |
 * | removing                | set    | accounts that were removed and still have messages or keys   | with the account        |
 * | plans                   | hash   | plan → its JSON, as last set for all accounts that have it; empty where some were told of another | while they are told of another |
 * | plans:set               | hash   | plan → its JSON, as set over the API; `null` where one of the file was removed | never |
 * | plan:<name>             | set    | accounts that have the plan                                  | when empty              |
 * | senders:<a>             | set    | `<channel>:<sender>` that have a quota or rate of their own   | with the account       |
 * | rules:<a>               | hash   | `<channel>:<sender>` → JSON {quota, rate}: the same rules as they were stated | with the account |
 * | zone:<name>, zones      | string, set | boundaries ahead; zones in use                          | never (600 zones at most)|
 * | clock, seq              | string | largest now seen; release sequence                           | never                   |
 * | home                    | hash   | at: the server on which the cell is whole, by its replication id; generation; moves, lost_moves, lost_at, restored; while a failover is under way to, since, lost | never |
 * | awaited                 | set    | workers that have not said yet what they know                 | when a failover is over |
 * | workers                 | zset   | `<id>:<channel>:<concurrency>` by last beat (ms)             | 60 s after the last beat|
 * | idx:<a>                 | zset   | ids by creation                                              | purge                   |
 * | spent, ended            | list   | `<ms> <account> <id>`: bodies, then records, to purge, in order of time | purge        |
 * | bat:<id>, bat:<id>:rows | hash, list | a batch: account, total, template, end-state counts, what its messages share; of each the rest (lib/messages.lua) | purge; a day where nothing is left of one that broke off |
 * | bat:<id>:ids            | list   | ids of a batch of the version before                         | purge                   |
 * | use:<a>:<c>:<day>       | hash   | `<hour start>:<outcome>` → count                             | 40 d                    |
 * | key:<id>, keys:<a>      | hash, set | an API key; the account's key ids                         | 60 s after it is revoked|
 * | signing                 | hash   | `<kid>` → `<made at> <secret>` of access tokens, and `refresh` → secret | a day after the next is made; never |
 * | fam:<id>                | hash   | refresh tokens that come from each other: account, key, scopes, digest of the one that holds, `u:<digest>` → when it was spent (10 s) | 30 d after the last |
 * | fams:<key>              | zset   | families of a key, by when they began                        | 30 d after the last     |
 * | evt:<id>                | string | a line of the audit: `<at> <JSON>`                           | a year                  |
 * | audit, audit:<a>        | zset   | lines, by their place in the order of changes                | with its lines          |
 * | sup:<a>                 | hash   | `<channel>|<address>` → JSON {reason, created_at}            | when removed            |
 * | sups:<a>                | zset   | the same fields, all with score 0, to be listed in order     | with its sup            |
 * | idem:<a>:<route>:<key>  | hash   | fingerprint, seed, until (ms, while running), status, body   | 24 h                    |
 * | lim:<policy>:<rule>:<windows>:<caller> | string | the windows of a limit on requests, packed (lib/limits.lua) | a window and a minute after the last |
 * | lim-use:<owner>:<day>   | hash   | `<hour start>|<rule>|<key>|<admitted, refused or shadow>` → requests | 31 d            |
 * | lim-noted:<process>     | string | the last batch of counts and events that the process has noted | 1 h after it          |
 * | lim-events              | stream | callers that came to 80 % and to 100 % of a limit, capped    | capped                  |
 * | arrived                 | stream | what the sandbox received, capped                            | capped                  |
 */
import type { Channel } from "../domain/channel.ts";

/** The tag of a cell: the one declared key of every script. */
export type Cell = string & { readonly unit: "cell tag" };

export const cellTag = (name: string): Cell => `sl:{${name}}:` as Cell;

export const keysOf = (cell: Cell) => ({
  cell,
  bullPrefix: `${cell}bull`,
  message: (id: string) => `${cell}m:${id}`,
  state: (id: string) => `${cell}x:${id}`,
  account: (account: string) => `${cell}acc:${account}`,
  accounts: `${cell}accounts`,
  accountOnChannel: (account: string, channel: Channel) => `${cell}ac:${account}:${channel}`,
  removing: `${cell}removing`,
  changing: `${cell}changing`,
  plans: `${cell}plans`,
  setPlans: `${cell}plans:set`,
  senders: (account: string) => `${cell}senders:${account}`,
  senderRules: (account: string) => `${cell}rules:${account}`,
  index: (account: string) => `${cell}idx:${account}`,
  lanes: (account: string, channel: Channel) => `${cell}lanes:${account}:${channel}`,
  /** @param lane `<class>:<sender>`, as `lanes` lists it */
  lane: (account: string, channel: Channel, lane: string) => `${cell}lane:${account}:${channel}:${lane}`,
  channelStats: (channel: Channel) => `${cell}stat:${channel}`,
  senderCounters: (account: string, channel: Channel, sender: string) => `${cell}q:S|${account}|${channel}|${sender}`,
  channelCounters: (account: string, channel: Channel) => `${cell}q:C|${account}|${channel}`,
  accountCounters: (account: string) => `${cell}q:A|${account}`,
  channelRate: (channel: Channel) => `${cell}rate:${channel}`,
  zone: (name: string) => `${cell}zone:${name}`,
  zones: `${cell}zones`,
  workers: `${cell}workers`,
  home: `${cell}home`,
  batch: (id: string) => `${cell}bat:${id}`,
  batchIds: (id: string) => `${cell}bat:${id}:ids`,
  usage: (account: string, channel: Channel, day: number) => `${cell}use:${account}:${channel}:${day}`,
  apiKey: (id: string) => `${cell}key:${id}`,
  apiKeys: (account: string) => `${cell}keys:${account}`,
  signing: `${cell}signing`,
  tokenFamily: (id: string) => `${cell}fam:${id}`,
  auditLine: (id: string) => `${cell}evt:${id}`,
  audit: `${cell}audit`,
  auditOf: (account: string) => `${cell}audit:${account}`,
  suppressions: (account: string) => `${cell}sup:${account}`,
  suppressionOrder: (account: string) => `${cell}sups:${account}`,
  idempotency: (account: string, route: string, key: string) => `${cell}idem:${account}:${route}:${key}`,
  limitUse: (owner: string, day: number) => `${cell}lim-use:${owner}:${day}`,
  limitEvents: `${cell}lim-events`,
  arrived: `${cell}arrived`,
  /** For tests only: replaces Redis's TIME where the process runs with SLUICE_TEST_CLOCK=1. */
  testClock: `${cell}test_clock`,
  /** Pub/sub channel; the message is the name of the channel that has something to release, or `*`. */
  nudge: `${cell}nudge`,
});

export type Keys = ReturnType<typeof keysOf>;
