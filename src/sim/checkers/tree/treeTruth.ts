// The tree as the store has made it, commit by commit: what every copy must show as of a revision. It reads records as
// the nodes do, and decides nothing.

import type { Operation } from "../../../records/records.ts";
import { nameOf, parentOf } from "../../../records/tree/paths.ts";
import {
  decodeRecord,
  readKey,
  TREE_PREFIX,
  type TreeEvent,
  type TreeRecord,
} from "../../../records/tree/treeRecords.ts";
import { type SessionId, ZXIDS_PER_REVISION, zxidAt } from "../../../records/tree/znode.ts";
import type { TreeFact } from "../../treeFacts.ts";

/** A state of a znode's data, from its revision on. */
export interface DataState {
  readonly revision: number;
  readonly version: number;
  readonly value: string;
}

/** A transaction's change of a path. */
export interface TrueEvent extends TreeEvent {
  readonly zxid: number;
}

interface TrueSession {
  readonly timeoutMs: number;
  readonly judge: string;
  readonly isEnding: boolean;
}

interface Lifespan {
  readonly from: number;
  to: number;
}

/** The effects of a commit on sessions and on their znodes. */
export interface Effects {
  /** Sessions that ended. */
  readonly ended: readonly SessionId[];
  /** Ephemeral znodes that went, with their sessions. */
  readonly gone: readonly { readonly path: string; readonly session: SessionId }[];
  /** A znode that was given data which it had before: each write has data of its own. */
  readonly repeated: string | undefined;
}

export class TreeTruth {
  readonly sessions = new Map<SessionId, TrueSession>();
  /** Ephemeral znodes that are there, with their sessions. */
  readonly ephemerals = new Map<string, SessionId>();
  /** Everything that happened, in order. */
  readonly events: TrueEvent[] = [];
  /** The revisions and times of all commits. */
  readonly commits: { readonly revision: number; readonly atMs: number }[] = [];
  readonly #data = new Map<string, DataState[]>();
  /** Below each path, the children that ever were. */
  readonly #children = new Map<string, Map<string, Lifespan[]>>();

  /** Takes a commit; undefined if it is none to the tree. */
  add({ commit, revision: made }: TreeFact & { readonly kind: "treeCommitted" }, atMs: number): Effects | undefined {
    const own = commit.operations.filter(({ key }) => key.startsWith(TREE_PREFIX));
    if (own.length === 0) return undefined;
    const revision = Number(made);
    this.commits.push({ revision, atMs });
    const before = new Map(this.ephemerals);
    const known = [...this.sessions.keys()];
    for (const operation of own) if (operation.kind === "delete") this.#delete(operation.key, revision);
    for (const operation of own) this.#put(operation, made);
    const repeated = own.find((operation) => operation.kind === "put" && this.#isRepeated(operation.key));
    return {
      repeated: repeated?.key.slice(TREE_PREFIX.length),
      ended: known.filter((id) => !this.sessions.has(id)),
      gone: [...before].flatMap(([path, session]) =>
        this.ephemerals.get(path) === session ? [] : [{ path, session }],
      ),
    };
  }

  /** The state of a znode's data as of a revision. */
  dataAt(path: string, revision: number): DataState | undefined {
    return this.#data.get(path)?.findLast((state) => state.revision <= revision);
  }

  /** The names of the children as of a revision. */
  namesAt(path: string, revision: number): string[] {
    const names: string[] = [];
    for (const [name, spans] of this.#children.get(path) ?? []) {
      if (spans.some(({ from, to }) => from <= revision && revision < to)) names.push(name);
    }
    return names;
  }

  /** The newest revision that was made before this time. */
  newestBefore(atMs: number): number {
    return this.commits.findLast((commit) => commit.atMs < atMs)?.revision ?? 0;
  }

  /** The state in which a value was written, if it ever stood there alone. */
  stateOf(path: string, value: string): DataState | undefined {
    return this.#data.get(path)?.find((state) => state.value === value);
  }

  #isRepeated(key: string): boolean {
    const named = readKey(key);
    const states = named.kind === "node" ? this.#data.get(named.path ?? "") : undefined;
    const value = states?.at(-1)?.value ?? "";
    return (
      states !== undefined && value !== "" && states.findIndex((state) => state.value === value) < states.length - 1
    );
  }

  #put(operation: Operation, revision: bigint): void {
    if (operation.kind === "delete") return;
    const record: TreeRecord | undefined = decodeRecord(operation.key, operation.value);
    if (record?.kind === "session") this.sessions.set(record.session.id, record.session);
    if (record?.kind === "txns") {
      for (const [place, events] of record.commit.txns.entries()) {
        for (const event of events) this.events.push({ ...event, zxid: zxidAt(revision, place) });
      }
    }
    if (record?.kind !== "node") return;
    const { path, znode } = record;
    const { version, data, lifetime } = znode;
    const states = this.#data.get(path) ?? [];
    this.#data.set(path, states);
    states.push({ revision: Number(revision), version, value: DECODER.decode(data ?? new Uint8Array(0)) });
    const spans = this.#spansOf(path);
    if (spans.at(-1)?.to !== Number.POSITIVE_INFINITY) {
      spans.push({ from: Number(revision), to: Number.POSITIVE_INFINITY });
    }
    if (lifetime.kind === "ephemeral") this.ephemerals.set(path, lifetime.session);
  }

  #delete(key: string, revision: number): void {
    const named = readKey(key);
    if (named.kind === "session") this.sessions.delete(named.id);
    if (named.kind !== "node" || named.path === undefined) return;
    this.ephemerals.delete(named.path);
    const last = this.#spansOf(named.path).at(-1);
    if (last !== undefined) last.to = Math.min(last.to, revision);
  }

  #spansOf(path: string): Lifespan[] {
    const children = this.#children.get(parentOf(path)) ?? new Map<string, Lifespan[]>();
    this.#children.set(parentOf(path), children);
    const spans = children.get(nameOf(path)) ?? [];
    children.set(nameOf(path), spans);
    return spans;
  }
}

/** The revision whose commit made a transaction. */
export function revisionOf(zxid: number): number {
  return Math.floor(zxid / ZXIDS_PER_REVISION);
}

const DECODER = new TextDecoder("utf-8");
