// The key-value store and the sessions: this node's copy of the records, the commits that change them, and the topics
// that blocking queries wait for. The copy is read from the first request on.

import { fail, RegistryError } from "../../../base/errors.ts";
import type { GatewayRecords } from "../../../records/gatewayRecords.ts";
import { keysWith } from "../../../records/keys.ts";
import { type CopyChange, RecordCopy } from "../../../records/recordCopy.ts";
import { TOPIC } from "../catalogue.ts";
import { consulRefusal } from "../errors.ts";
import type { Topics } from "../topics.ts";
import { DOCUMENTS, decodeDocument } from "./documents.ts";
import { Draft } from "./draft.ts";
import { decodeEntry, decodeSession, type Entry, KV_PREFIX, PREFIX, SESSIONS_PREFIX, type Session } from "./entries.ts";
import { deleteQuery, queryOf } from "./queries.ts";
import { endSession, giveUp } from "./verbs.ts";

export const KV_TOPIC = {
  key: (key: string) => `kv ${key}`,
  /** All keys below the last slash of a prefix. */
  below: (prefix: string) => `kv/ ${prefix.slice(0, prefix.lastIndexOf("/") + 1)}`,
  session: (id: string) => `session ${id}`,
  sessions: "sessions",
  configEntries: "configuration entries",
  queries: "prepared queries",
} as const;

interface Parts {
  readonly records: GatewayRecords;
  readonly topics: Topics;
  readonly nowMs: () => number;
  readonly unread: (error: RegistryError) => void;
  readonly failed: (error: unknown) => void;
}

// Some 100 bytes each beside their values, at every node whose clients use the store.
const RECORDS_MAX = 500_000;
// A commit may have a hundred of each (records/bounds.ts).
const DRAFT_MAX = 90;
// Each was overtaken by another change of the same keys.
const TRIES_MAX = 20;
// A node that has just begun reads within a second or two.
const READY_MS = 5_000;
// A session ends between its TTL and twice that. Renewals are written this often within a TTL.
const RENEWALS_PER_TTL = 3;
const ENDS_AFTER_TTLS = 1.5;

export class KvStore {
  readonly #parts: Parts;
  readonly #copy: RecordCopy;
  /** The keys that each session holds. */
  readonly #locks = new Map<string, Set<string>>();
  /** The sessions with which prepared queries end, by the queries. */
  readonly #tied = new Map<string, string>();
  /** The times until which keys can't be locked. */
  readonly #delays = new Map<string, number>();
  /** The last renewals, as this node has seen them. */
  readonly #renewals = new Map<string, { readonly revision: bigint; readonly atMs: number }>();
  /** Requests that came before the copy was there. */
  readonly #waiting = new Set<{ readonly untilMs: number; readonly reject: (error: RegistryError) => void }>();
  #beginning: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    const { records, unread, failed } = parts;
    this.#copy = new RecordCopy({ records, prefix: PREFIX, recordsMax: RECORDS_MAX, unread, failed });
    this.#copy.listen((changes) => {
      for (const change of changes) this.#changed(change);
    });
  }

  /** Resolves when the copy is there. Rejects with STORE_UNAVAILABLE while it is not. */
  async ready(): Promise<void> {
    this.#beginning ??= this.#copy.begin();
    if (this.#copy.isRead) return;
    const { promise, reject } = Promise.withResolvers<void>();
    const waiting = { reject, untilMs: this.#parts.nowMs() + READY_MS };
    this.#waiting.add(waiting);
    await Promise.race([this.#copy.whenReached(0n), promise]).finally(() => this.#waiting.delete(waiting));
  }

  /** Brings the copy to what the store has now. */
  async catchUp(): Promise<void> {
    await this.#copy.catchUp();
  }

  entry(key: string): Entry | undefined {
    const record = this.#copy.get(KV_PREFIX + key);
    return record && decodeEntry(record);
  }

  /** Those whose keys begin so, in order. */
  *entries(prefix: string): Iterable<Entry> {
    for (const record of this.#copy.range(keysWith(KV_PREFIX + prefix))) yield decodeEntry(record);
  }

  session(id: string): Session | undefined {
    const record = this.#copy.get(SESSIONS_PREFIX + id);
    return record && decodeSession(record);
  }

  *sessions(): Iterable<Session> {
    for (const record of this.#copy.range(keysWith(SESSIONS_PREFIX))) yield decodeSession(record);
  }

  /** The keys that a session has locked. */
  lockedBy(session: string): ReadonlySet<string> {
    return this.#locks.get(session) ?? NO_KEYS;
  }

  /** The present state, to look at. */
  view(): Draft {
    return new Draft(this.#copy);
  }

  isDelayed(key: string): boolean {
    return (this.#delays.get(key) ?? 0) > this.#parts.nowMs();
  }

  /**
   * Commits what `plan` makes of the present state, and makes it anew when another change was faster. `plan` returns
   * "no" for what is not to be made, and may throw. Resolves to the revision, or to 0 if nothing was to be changed.
   */
  async change(plan: (draft: Draft) => "yes" | "no"): Promise<{ readonly isMade: boolean; readonly revision: bigint }> {
    // The copy may not have what other nodes have committed. A commit finds that out; what needs none is decided twice.
    let isCurrent = false;
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const draft = new Draft(this.#copy);
      const decided = decidedBy(plan, draft);
      if (decided !== "yes" || draft.isEmpty) {
        if (!isCurrent) await this.#copy.catchUp();
        else if (decided instanceof Error) throw decided;
        else return { isMade: decided === "yes", revision: this.#copy.revision };
      } else {
        if (draft.size > DRAFT_MAX) throw consulRefusal(413, `Transaction contains too many records (> ${DRAFT_MAX})`);
        const outcome = await this.#copy.commit(draft.commit());
        if (outcome.kind === "committed") return { isMade: true, revision: outcome.revision };
      }
      isCurrent = true;
    }
    throw consulRefusal(500, `${TRIES_MAX} other changes of the same keys were faster: try again`);
  }

  /** Removes all entries whose keys begin so, some at a time. */
  async deleteTree(prefix: string): Promise<void> {
    for (;;) {
      const keys: string[] = [];
      for (const { key } of this.entries(prefix)) if (keys.push(key) >= DRAFT_MAX) break;
      if (keys.length === 0) return;
      await this.change((draft) => {
        for (const key of keys) draft.delete(key);
        return "yes";
      });
    }
  }

  /** Ends a session, with its locks. */
  async end(id: string, isStill: (session: Session) => boolean = () => true): Promise<void> {
    const keys = [...(this.#locks.get(id) ?? [])];
    await this.change((draft) => {
      const session = draft.session(id);
      if (session === undefined || !isStill(session)) return "no";
      endSession(draft, id, { keys, keysMax: DRAFT_MAX });
      return "yes";
    });
  }

  /** Renews a session; undefined: there is none. It is written some times within a TTL only. */
  async renew(id: string): Promise<Session | undefined> {
    const session = this.session(id);
    const seen = this.#renewals.get(id);
    const isDue =
      session !== undefined &&
      session.ttlMs > 0 &&
      this.#parts.nowMs() >= (seen?.atMs ?? 0) + session.ttlMs / RENEWALS_PER_TTL;
    if (!isDue) return session;
    const { isMade } = await this.change((draft) => {
      const known = draft.session(id);
      if (known === undefined) return "no";
      draft.putSession(known);
      return "yes";
    });
    return isMade ? this.session(id) : undefined;
  }

  /** Ends silent sessions, and takes locks from those that are gone. Called twice a second. */
  check(nowMs: number, isAlive: (session: Session) => boolean): void {
    if (this.#beginning === undefined) return;
    this.#copy.check(nowMs);
    for (const { untilMs, reject } of this.#waiting) {
      if (nowMs >= untilMs) reject(fail("STORE_UNAVAILABLE", { reason: "the keys have not been read yet" }));
    }
    if (!this.#copy.isRead) return;
    for (const [id, { atMs, revision }] of this.#renewals) {
      const session = this.session(id);
      if (session === undefined) continue;
      const isSilent = session.ttlMs > 0 && nowMs >= atMs + ENDS_AFTER_TTLS * session.ttlMs;
      if (isSilent || !isAlive(session)) {
        // Another node may have seen a renewal: its revision is a later one then.
        this.#renewals.set(id, { revision, atMs: nowMs });
        this.#try(this.end(id, ({ modifyIndex }) => !isSilent || modifyIndex === revision));
      }
    }
    for (const [id, keys] of this.#locks) if (this.session(id) === undefined) this.#release(id, keys);
    for (const [id, session] of this.#tied) if (this.session(session) === undefined) this.#endQuery(id);
    for (const [key, untilMs] of this.#delays) if (nowMs >= untilMs) this.#delays.delete(key);
  }

  close(): void {
    this.#copy.close();
  }

  /** The locks of a session that ended without them. */
  #release(id: string, keys: ReadonlySet<string>): void {
    const some = [...keys].slice(0, DRAFT_MAX / 2);
    const plan = (draft: Draft) => {
      if (draft.session(id) !== undefined) return "no";
      for (const key of some) giveUp(draft, key, { id, isDeleted: false, delayMs: 0 });
      return "yes" as const;
    };
    this.#try(this.change(plan));
  }

  /** A prepared query whose session has ended. */
  #endQuery(id: string): void {
    const plan = (draft: Draft) => {
      const known = draft.document(DOCUMENTS.query + id);
      const session = known && queryOf(known).session;
      if (session === undefined || session === "" || draft.session(session) !== undefined) return "no";
      deleteQuery(draft, id);
      return "yes" as const;
    };
    this.#try(this.change(plan));
  }

  /** A store that is away is asked again at the next check. */
  #try(change: Promise<unknown>): void {
    change.catch((error: unknown) => {
      if (!(error instanceof RegistryError) && !(error instanceof Error && error.name === "ConsulError"))
        this.#parts.failed(error);
    });
  }

  #changed({ key, revision, before, after }: CopyChange): void {
    const { topics, nowMs } = this.#parts;
    if (key.startsWith(SESSIONS_PREFIX)) {
      const id = key.slice(SESSIONS_PREFIX.length);
      if (after === undefined) this.#renewals.delete(id);
      else this.#renewals.set(id, { revision, atMs: nowMs() });
      // A renewal shows nothing new.
      if (before !== undefined && after !== undefined) return;
      topics.bump(KV_TOPIC.session(id), revision);
      return topics.bump(KV_TOPIC.sessions, revision);
    }
    if (key.startsWith(DOCUMENTS.config)) {
      topics.bump(KV_TOPIC.configEntries, revision);
      // The services of gateways are in the catalogue.
      return topics.bump(TOPIC.all, revision);
    }
    if (key.startsWith(DOCUMENTS.query)) {
      const id = key.slice(DOCUMENTS.query.length);
      const session = after === undefined ? "" : queryOf(decodeDocument(after)).session;
      if (session === "") this.#tied.delete(id);
      else this.#tied.set(id, session);
      return topics.bump(KV_TOPIC.queries, revision);
    }
    if (!key.startsWith(KV_PREFIX)) return;
    const [old, next] = [before && decodeEntry(before), after && decodeEntry(after)];
    this.#lock(old, next);
    const name = key.slice(KV_PREFIX.length);
    if (next !== undefined && next.session === "" && next.delayMs > 0) this.#delays.set(name, nowMs() + next.delayMs);
    topics.bump(KV_TOPIC.key(name), revision);
    for (const folder of foldersOf(name)) topics.bump(KV_TOPIC.below(folder), revision);
  }

  #lock(old: Entry | undefined, next: Entry | undefined): void {
    if (old !== undefined && old.session !== "" && old.session !== next?.session) {
      const held = this.#locks.get(old.session);
      held?.delete(old.key);
      if (held?.size === 0) this.#locks.delete(old.session);
    }
    if (next !== undefined && next.session !== "") {
      this.#locks.set(next.session, (this.#locks.get(next.session) ?? new Set()).add(next.key));
    }
  }
}

function decidedBy(plan: (draft: Draft) => "yes" | "no", draft: Draft): "yes" | "no" | Error {
  try {
    return plan(draft);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

const NO_KEYS: ReadonlySet<string> = new Set();

/** The folders that a key is in: `a/b/c` is in the root, `a/` and `a/b/`. */
function foldersOf(key: string): string[] {
  const folders = [""];
  for (let at = key.indexOf("/"); at >= 0; at = key.indexOf("/", at + 1)) folders.push(key.slice(0, at + 1));
  return folders;
}
