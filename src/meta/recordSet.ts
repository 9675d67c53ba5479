// A set of records under a prefix, as the leading meta node keeps it. It loads the set at the beginning of its lead,
// changes it when operators ask for that, one change at a time, and publishes a change once the store has it. Each
// change demands the lease of this lead, and that its record still is as it was read. docs/internals/records.md shows
// how a part of the program adds a set of its own.

import type { RegistryError } from "../base/errors.ts";
import type { WholeRange } from "../records/readAll.ts";
import type { Commit, Operation, StoredRecord } from "../records/records.ts";
import { decodeRecord, encodeRecord, keyOf, type RecordCodec, recordsOf } from "./metaRecords.ts";
import { SaveQueue } from "./saveQueue.ts";

/** The record to write: its value in place of any other, or none. A removed value need only have the name. */
export interface Save<Value> {
  readonly kind: "put" | "remove";
  readonly value: Value;
}

/** A kind of records, and the part of the role that keeps their values. */
export interface RecordSetSpec<Value, Change> {
  readonly codec: RecordCodec<Value>;
  /** The reason why a change whose turn has come is not made: all earlier ones have been saved by then, or refused. */
  conflict?(change: Change): RegistryError | undefined;
  /** The record for an operator's change, whose turn has come. */
  save(change: Change, nowMs: number): Save<Value>;
  /** Further operations of the same commit, on records that this set alone writes. */
  besides?(save: Save<Value>): readonly Operation[];
  /**
   * The stored values, at the beginning of a lead, and again whenever the stored state was not certain; and all records
   * of the role.
   */
  loaded(values: readonly Value[], records: readonly StoredRecord[]): void;
  /** The store has it: it may be published. If this node leads no more, another one has read it, or will. */
  saved(save: Save<Value>, nowMs: number): void;
}

/** The lead under which changes are saved. */
export interface LeadTerm {
  readonly term: number;
  readonly leaseEpoch: bigint;
}

interface Saving<Value> extends Save<Value> {
  readonly term: number;
  readonly key: string;
}

/** A save that the store has answered. */
export interface EndedSave {
  readonly request: number;
  /** The term of the lead in which it was begun. */
  readonly term: number;
  /** To be called if the store has it, as this revision. */
  saved(revision: bigint, nowMs: number): void;
}

/** A change that is not made, by its request. */
export interface Refused {
  readonly request: number;
  readonly error: RegistryError;
}

/** A set, whatever its values and changes are. */
export interface AnyRecordSet {
  load(range: WholeRange, nowMs: number): void;
  refuseNext(): readonly Refused[];
  begin(lead: LeadTerm, nowMs: number): Commit | undefined;
  ended(): EndedSave | undefined;
  clear(): readonly number[];
}

export class RecordSet<Value, Change> implements AnyRecordSet {
  readonly #spec: RecordSetSpec<Value, Change>;
  readonly #queue = new SaveQueue<Change, Saving<Value>>();
  /** The revision of each record by its key, as loaded or saved. */
  #revisions = new Map<string, bigint>();

  constructor(spec: RecordSetSpec<Value, Change>) {
    this.#spec = spec;
  }

  /** Changes on their way to the store, the next one first; without the one under way. */
  get waiting(): readonly Change[] {
    return this.#queue.waiting;
  }

  /** The save that the store has not answered yet. */
  get underWay(): Save<Value> | undefined {
    return this.#queue.underWay;
  }

  /** The revision of the record with this value's name; 0: there is none. */
  revisionOf(value: Value): bigint {
    return this.#revisions.get(keyOf(this.#spec.codec, value)) ?? 0n;
  }

  /** Takes the stored records. Throws STORE_DAMAGED. */
  load({ revision: readAt, records }: WholeRange): void {
    const { codec, loaded } = this.#spec;
    const own = recordsOf(codec, records);
    // A save may have been answered after the store was read, and before this.
    const newer = [...this.#revisions].filter(([, revision]) => revision > readAt);
    this.#revisions = new Map([...own.map(({ key, revision }) => [key, revision] as const), ...newer]);
    loaded(
      own.map((record) => decodeRecord(codec, record)),
      records,
    );
  }

  /** Queues a change; false if too many wait already. */
  add(request: number, change: Change): boolean {
    return this.#queue.add(request, change);
  }

  /** Takes out the next changes that contradict what is stored, if no save is under way. */
  refuseNext(): readonly Refused[] {
    return this.#queue.refuseNext((change) => this.#spec.conflict?.(change));
  }

  /** The next change's commit, if none is under way. */
  begin({ term, leaseEpoch }: LeadTerm, nowMs: number): Commit | undefined {
    const { codec, save: toSave, besides } = this.#spec;
    const saving = this.#queue.begin((change) => {
      const save = toSave(change, nowMs);
      return { ...save, term, key: keyOf(codec, save.value) };
    });
    if (saving === undefined) return undefined;
    const { kind, key, value } = saving;
    return {
      conditions: [
        { kind: "leads", epoch: leaseEpoch },
        { kind: "revision", key, revision: this.#revisions.get(key) ?? 0n },
      ],
      operations: [
        kind === "put" ? { kind, key, value: encodeRecord(codec, value) } : { kind: "delete", key },
        ...(besides?.(saving) ?? []),
      ],
    };
  }

  /** The store has answered the save under way. */
  ended(): EndedSave | undefined {
    const ended = this.#queue.ended();
    if (ended === undefined) return undefined;
    const { request, saved: save } = ended;
    return { request, term: save.term, saved: (revision, nowMs) => this.#saved(save, revision, nowMs) };
  }

  /** Gives up the waiting changes and returns their requests. A save under way still comes to its end. */
  clear(): readonly number[] {
    return this.#queue.clear();
  }

  #saved(save: Saving<Value>, revision: bigint, nowMs: number): void {
    if (save.kind === "put") this.#revisions.set(save.key, revision);
    else this.#revisions.delete(save.key);
    this.#spec.saved(save, nowMs);
  }
}
