// The publications of one service: records chained in the order of insertion, so that a list is read from first to
// last, and found by registId through the index of the slot.
//
// Clearing a service of many publications takes long. So its chain is left to an anonymous service, which every later
// change shortens a little; the handle continues empty, under a new number.

import { assert } from "../../base/assert.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Condition, Owner, Publication, Registration } from "../../model/publication.ts";
import type { HashIndex } from "./hashIndex.ts";
import { NONE, type Numbered } from "./numbered.ts";
import type { HostNumbers, HostSearch, MarkedPublication, ServicePublications } from "./publicationStore.ts";
import { BEFORE_WORD, NEXT_WORD } from "./recordLayout.ts";
import { mayDiffer, type Records } from "./records.ts";

/** Shared by all services of a node. */
export interface PackedNode {
  readonly records: Records;
  /** By the number in their records; only those that hold some have one. */
  readonly services: Numbered<PackedService>;
  /** Cleared services that are still to be taken apart. */
  readonly cleared: PackedService[];
  /** Whether payloads are kept as differences. */
  readonly payloadDifference: boolean;
  /** Counts changes: a chain may not change under an iteration. */
  changes: number;
}

/** Shared by the services of one slot. */
export interface PackedSlot {
  readonly index: HashIndex;
  /** The bytes of the slot's records. */
  recordBytes: number;
  /** The index may have grown or shrunk. */
  indexed(): void;
  /** A change is done: some of the deferred work is due. */
  changed(): void;
}

// A base pays when several payloads refer to it.
const BASE_FROM_SIZE = 4;
// After this many poor payloads in a row, counted against good ones, a base is out of date.
const POOR_MAX = 16;
// A service that is cleared with no more publications than this is taken apart at once.
const CLEARED_AT_ONCE_MAX = 16;

export class PackedService implements ServicePublications {
  readonly #node: PackedNode;
  readonly #slot: PackedSlot;
  readonly #serviceKey: ServiceKey;
  #number = NONE;
  #size = 0;
  #listBytes = 0;
  #first = NONE;
  #last = NONE;
  #base = NONE;
  #poor = 0;
  #search: ChainSearch | undefined;

  constructor(node: PackedNode, slot: PackedSlot, serviceKey: ServiceKey) {
    this.#node = node;
    this.#slot = slot;
    this.#serviceKey = serviceKey;
  }

  get size(): number {
    return this.#size;
  }

  get listBytes(): number {
    return this.#listBytes;
  }

  listBytesOf(registId: string): number {
    const at = this.#find(registId);
    return at === NONE ? 0 : this.#node.records.listBytesOf(at);
  }

  get(registId: string): Publication | undefined {
    const at = this.#find(registId);
    return at === NONE ? undefined : this.#node.records.publication(at, this.#serviceKey);
  }

  registration(registId: string): Registration | undefined {
    const at = this.#find(registId);
    return at === NONE ? undefined : this.#node.records.registration(at, this.#serviceKey);
  }

  shows(publication: Publication): boolean {
    const at = this.#find(publication.registId);
    return at !== NONE && this.#node.records.shows(at, publication);
  }

  set(publication: Publication, isHidden = false): void {
    assert(publication.serviceKey === this.#serviceKey, "a publication is kept with its service");
    const { records } = this.#node;
    this.#node.changes++;
    if (this.#number === NONE) this.#number = this.#node.services.add(this);
    const before = this.#find(publication.registId);
    records.makePlan(publication.payload, this.#baseFor(publication));
    if (before === NONE) this.#append(records.write(publication, this.#number, isHidden));
    else this.#replace(before, publication, isHidden);
    this.#judgeBase(publication);
    this.#slot.changed();
  }

  delete(registId: string): boolean {
    const at = this.#find(registId);
    if (at === NONE) return false;
    this.#node.changes++;
    this.#remove(at);
    this.#slot.changed();
    return true;
  }

  isHidden(registId: string): boolean {
    const at = this.#find(registId);
    return at !== NONE && this.#node.records.isHidden(at);
  }

  mark(registId: string, isHidden: boolean): void {
    const at = this.#find(registId);
    if (at === NONE) return;
    this.#node.changes++;
    this.#node.records.mark(at, isHidden);
  }

  setCondition(registId: string, condition: Condition | undefined): void {
    const at = this.#find(registId);
    if (at === NONE) return;
    this.#node.changes++;
    this.#node.records.setCondition(at, condition);
  }

  *values(): Generator<Publication> {
    const { records } = this.#node;
    for (const at of this.#chain()) yield records.publication(at, this.#serviceKey);
  }

  *shown(): Generator<Publication> {
    const { records } = this.#node;
    for (const at of this.#chain()) if (!records.isHidden(at)) yield records.publication(at, this.#serviceKey);
  }

  *marked(hosts?: HostNumbers): Generator<MarkedPublication> {
    const { records } = this.#node;
    for (const at of this.#chain()) {
      if (hosts?.has(records.hostNumberOf(at)) !== false) yield records.marked(at, this.#serviceKey);
    }
  }

  *registrations(wanted?: (owner: Owner) => boolean): Generator<Registration> {
    const { records } = this.#node;
    for (const at of this.#chain()) {
      if (wanted === undefined || wanted(records.ownerOf(at))) yield records.registration(at, this.#serviceKey);
    }
  }

  searchAt(hosts: HostNumbers): HostSearch {
    if (this.#search !== undefined) this.#search.isOver = true;
    const from = { serviceKey: this.#serviceKey, first: () => this.#first, hosts };
    this.#search = new ChainSearch(this.#node.records, from);
    return this.#search;
  }

  clear(): void {
    if (this.#size === 0) return;
    this.#node.changes++;
    if (this.#size <= CLEARED_AT_ONCE_MAX) while (this.#first !== NONE) this.#remove(this.#first);
    else this.#leaveAll();
    this.#slot.changed();
  }

  /** Removes up to `max` publications of a cleared service; returns their number. */
  takeApart(max: number): number {
    let taken = 0;
    for (; taken < max && this.#first !== NONE; taken++) this.#remove(this.#first);
    return taken;
  }

  /** One of the records has moved. */
  moved(from: number, to: number): void {
    const { records } = this.#node;
    this.#slot.index.replace(records.keyHash(to), from, to);
    this.#join(records.word(to, BEFORE_WORD), to);
    this.#join(to, records.word(to, NEXT_WORD));
    if (this.#search?.last === from) this.#search.last = to;
  }

  #find(registId: string): number {
    if (this.#number === NONE) return NONE;
    const { records } = this.#node;
    const { index } = this.#slot;
    records.key.read(registId, this.#number);
    let at = index.first(records.key.hash);
    while (at !== NONE && !records.isOf(at, this.#number)) at = index.next();
    return at;
  }

  *#chain(): Generator<number> {
    const { records, changes } = this.#node;
    for (let at = this.#first; at !== NONE; at = records.word(at, NEXT_WORD)) {
      yield at;
      assert(this.#node.changes === changes, "nothing is changed while publications are iterated");
    }
  }

  // `key` still holds the registId from the last lookup.
  #append(at: number): void {
    const { records } = this.#node;
    this.#slot.index.add(records.key.hash, at);
    this.#slot.indexed();
    this.#join(this.#last, at);
    this.#join(at, NONE);
    this.#size++;
    this.#listBytes += records.listBytesOf(at);
    this.#slot.recordBytes += records.bytesOf(at);
  }

  #replace(before: number, publication: Publication, isHidden: boolean): void {
    const { records } = this.#node;
    this.#slot.recordBytes -= records.bytesOf(before);
    this.#listBytes -= records.listBytesOf(before);
    const at = records.rewrite(before, publication, isHidden);
    this.#listBytes += records.listBytesOf(at);
    this.#slot.recordBytes += records.bytesOf(at);
    if (at !== before) this.moved(before, at);
  }

  #remove(at: number): void {
    const { records } = this.#node;
    this.#slot.index.remove(records.keyHash(at), at);
    this.#slot.indexed();
    if (this.#search?.last === at) this.#search.last = records.word(at, BEFORE_WORD);
    this.#join(records.word(at, BEFORE_WORD), records.word(at, NEXT_WORD));
    this.#slot.recordBytes -= records.bytesOf(at);
    this.#listBytes -= records.listBytesOf(at);
    records.erase(at);
    this.#size--;
    if (this.#size === 0) this.#rest();
  }

  /** Makes two records neighbours; NONE is the end of the chain. */
  #join(before: number, next: number): void {
    const { records } = this.#node;
    if (before === NONE) this.#first = next;
    else records.setWord(before, NEXT_WORD, next);
    if (next === NONE) this.#last = before;
    else records.setWord(next, BEFORE_WORD, before);
  }

  // An empty service holds nothing, so it may be forgotten.
  #rest(): void {
    this.#node.services.remove(this.#number);
    this.#number = NONE;
    this.#dropBase();
  }

  #leaveAll(): void {
    const left = new PackedService(this.#node, this.#slot, this.#serviceKey);
    left.#number = this.#number;
    left.#size = this.#size;
    left.#listBytes = this.#listBytes;
    left.#first = this.#first;
    left.#last = this.#last;
    this.#node.services.replace(this.#number, left);
    this.#node.cleared.push(left);
    this.#number = NONE;
    this.#size = 0;
    this.#listBytes = 0;
    this.#first = NONE;
    this.#last = NONE;
    if (this.#search !== undefined) this.#search.isOver = true;
    this.#search = undefined;
    this.#dropBase();
  }

  #baseFor({ payload }: Publication): number {
    if (!this.#node.payloadDifference) return NONE;
    if (this.#base === NONE && this.#size >= BASE_FROM_SIZE && mayDiffer(payload)) {
      this.#base = this.#node.records.bases.add(payload);
    }
    return this.#base;
  }

  // A base with ever less in common with the payloads is given up, and the next payload takes its place. Earlier
  // payloads keep it.
  #judgeBase({ payload }: Publication): void {
    if (this.#base === NONE || !mayDiffer(payload)) return;
    this.#poor = Math.max(0, this.#poor + (this.#node.records.plan.isPoor ? 1 : -1));
    if (this.#poor >= POOR_MAX) this.#dropBase();
  }

  #dropBase(): void {
    if (this.#base !== NONE) this.#node.records.bases.release(this.#base);
    this.#base = NONE;
    this.#poor = 0;
  }
}

/** Its service keeps `last`, the last record that it has gone over, up to date while the chain changes. */
class ChainSearch implements HostSearch {
  readonly #records: Records;
  readonly #serviceKey: ServiceKey;
  readonly #first: () => number;
  readonly #hosts: HostNumbers;
  last = NONE;
  isOver = false;
  looked = 0;

  constructor(
    records: Records,
    { serviceKey, first, hosts }: { serviceKey: ServiceKey; first: () => number; hosts: HostNumbers },
  ) {
    this.#records = records;
    this.#serviceKey = serviceKey;
    this.#first = first;
    this.#hosts = hosts;
  }

  get isDone(): boolean {
    return this.#following === NONE;
  }

  next(max: number): Registration | undefined {
    const records = this.#records;
    let looked = 0;
    let found: Registration | undefined;
    for (let at = this.#following; found === undefined && looked < max && at !== NONE; looked++) {
      if (this.#hosts.has(records.hostNumberOf(at))) found = records.registration(at, this.#serviceKey);
      this.last = at;
      at = records.word(at, NEXT_WORD);
    }
    this.looked = looked;
    return found;
  }

  get #following(): number {
    if (this.isOver) return NONE;
    return this.last === NONE ? this.#first() : this.#records.word(this.last, NEXT_WORD);
  }
}
