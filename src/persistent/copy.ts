// This node's copy of the records of persistent registrations, as values.

import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { PersistentRegistration } from "../registry/persistent.ts";
import {
  isTakenBack,
  type RecordId,
  readRegistration,
  readStatuses,
  recordNameOf,
  type StoredStatuses,
  type TakenBack,
} from "./recordForm.ts";

/** A record has changed, or was read for the first time. */
export interface RecordChange {
  readonly key: string;
  /** Of the record; of a removal, that of the removal. */
  readonly revision: bigint;
  /** Undefined: the record is gone. */
  readonly value: Uint8Array | undefined;
}

/** Everything known of one registration. */
export interface Entry {
  readonly id: RecordId;
  /** Of the record of the registration; 0: there is none. */
  revision: bigint;
  registration: PersistentRegistration | undefined;
  takenBack: TakenBack | undefined;
  statuses: StoredStatuses;
  /** Of the record of the statuses; 0: there is none. */
  statusRevision: bigint;
}

/** The subject of a change. */
export type Taken =
  | { readonly kind: "keepers" }
  | {
      readonly kind: "registration" | "status";
      readonly entry: Entry;
      /** The registration that is gone without a mark: the store has lost it, or somebody has deleted its record. */
      readonly lost: PersistentRegistration | undefined;
    };

const NO_STATUSES: StoredStatuses = new Map();

export class Copy {
  readonly #entries = new Map<RecordId, Entry>();
  readonly #byService = new Map<ServiceKey, Set<Entry>>();
  readonly #keepers = new Set<NodeId>();
  #registrations = 0;

  /** The sessions that can keep registrations, members or not. */
  get keepers(): ReadonlySet<NodeId> {
    return this.#keepers;
  }

  /** The number of registrations, without those that were taken back. */
  get registrations(): number {
    return this.#registrations;
  }

  /** The number of registrations, of marks, and of records that can't be read. */
  get size(): number {
    return this.#entries.size;
  }

  get(id: RecordId): Entry | undefined {
    return this.#entries.get(id);
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** The registrations of a service; of all services without one. */
  *registered(serviceKey?: ServiceKey): Generator<Entry & { readonly registration: PersistentRegistration }> {
    const entries = serviceKey === undefined ? this.#entries.values() : (this.#byService.get(serviceKey) ?? []);
    for (const entry of entries) if (isRegistered(entry)) yield entry;
  }

  /** Takes a change. Returns what it was about; undefined for a record of no concern. */
  take({ key, revision, value }: RecordChange): Taken | undefined {
    const name = recordNameOf(key);
    if (name === undefined) return undefined;
    if (name.kind === "keeper") {
      if (value === undefined) this.#keepers.delete(name.node);
      else this.#keepers.add(name.node);
      return { kind: "keepers" };
    }
    const entry = this.#entries.get(name.id) ?? emptyEntry(name.id);
    const { registration: before } = entry;
    if (name.kind === "status") takeStatuses(entry, revision, value);
    else this.#takeRegistration(entry, revision, value);
    if (entry.revision === 0n && entry.statusRevision === 0n) this.#entries.delete(name.id);
    else this.#entries.set(name.id, entry);
    // A record that is there and can't be read is one of a later release.
    const isLost = before !== undefined && entry.revision === 0n;
    return { kind: name.kind, entry, lost: isLost ? before : undefined };
  }

  #takeRegistration(entry: Entry, revision: bigint, value: Uint8Array | undefined): void {
    this.#unindex(entry);
    const read = value === undefined ? undefined : readRegistration(value);
    entry.revision = value === undefined ? 0n : revision;
    entry.takenBack = read !== undefined && isTakenBack(read) ? read : undefined;
    entry.registration = read !== undefined && !isTakenBack(read) ? read : undefined;
    if (entry.registration === undefined) return;
    this.#registrations++;
    const { serviceKey } = entry.registration;
    const ofService = this.#byService.get(serviceKey) ?? new Set();
    this.#byService.set(serviceKey, ofService.add(entry));
  }

  #unindex(entry: Entry): void {
    if (entry.registration === undefined) return;
    this.#registrations--;
    const { serviceKey } = entry.registration;
    const ofService = this.#byService.get(serviceKey);
    ofService?.delete(entry);
    if (ofService?.size === 0) this.#byService.delete(serviceKey);
  }
}

export function isRegistered(entry: Entry): entry is Entry & { readonly registration: PersistentRegistration } {
  return entry.registration !== undefined;
}

function takeStatuses(entry: Entry, revision: bigint, value: Uint8Array | undefined): void {
  entry.statusRevision = value === undefined ? 0n : revision;
  entry.statuses = (value && readStatuses(value)) ?? NO_STATUSES;
}

function emptyEntry(id: RecordId): Entry {
  return {
    id,
    revision: 0n,
    registration: undefined,
    takenBack: undefined,
    statuses: NO_STATUSES,
    statusRevision: 0n,
  };
}
