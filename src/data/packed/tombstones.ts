// A node's memory of removals, off the heap: a record of some 75 bytes and 12 bytes of index for each. All live equally
// long, so they stand in one queue in the order of their ends.
//
// A client can leave tombstones without a registration: a removal that finds nothing leaves one too, since the
// registration may still be on its way. So both kinds have a queue of their own, with a bound in bytes for the node and
// for each service. At a bound the oldest of that kind end early: the registrations that they keep out arrive within
// seconds, and the three minutes are long enough for every queue between nodes. A flood of the second kind takes
// nothing from the first.

import type { Random } from "../../base/ports.ts";
import type { Remover } from "../../cluster/messages/replication.ts";
import { HOST_NUMBERS, UNKNOWN_HOST } from "../../model/ids.ts";
import type { Stamp } from "../../model/publication.ts";
import { HashIndex } from "./hashIndex.ts";
import { KeyedHash } from "./keyedHash.ts";
import { NONE, Numbered } from "./numbered.ts";
import { type KeyForm, RegistKey, textOfKey } from "./registKey.ts";
import { Slabs, UNIT_BYTES, unitOf } from "./slabs.ts";

/** Whether the removal found a registration. */
type Found = Remover["found"];

/** How long removals are remembered, and how many. */
export interface TombstoneOptions {
  readonly tombstoneMs: number;
  /** The bytes that tombstones of either kind may take on this node. */
  readonly tombstoneBytesMax: Readonly<Record<Found, number>>;
}

/**
 * 750,000 registrations that ended within three minutes, and 190,000 removals that found nothing: an honest client
 * makes one of these when it comes back through another session and takes a registration back within milliseconds.
 */
export const TOMBSTONE_BYTES_MAX: Readonly<Record<Found, number>> = {
  held: 64 * 1024 * 1024,
  nothing: 16 * 1024 * 1024,
};

// One service may have half of it: the other services keep theirs in any case.
const SERVICE_SHARE = 1 / 2;
// A gateway takes registIds of up to 1,600 characters. A longer one comes from no client.
const KEY_BYTES_MAX = 16 * 1024;

// The layout of a tombstone in its cell, in words of four bytes:
//   0  length in units, form of the registId, kind, host 1  number of the service
//   2  neighbours in the service                         4  neighbours in the queue
//   6  version     8  registeredMs     10  when it ends (8 bytes each)
//  12  hash        13 bytes of the registId, which follow
const SERVICE_WORD = 1;
const SERVICE_LINKS = 2;
const QUEUE_LINKS = 4;
const VERSION_LONG = 3;
const TIME_DOUBLE = 4;
const END_DOUBLE = 5;
const HASH_WORD = 12;
const LENGTH_WORD = 13;
const HEADER_BYTES = 56;
const FORM_SHIFT = 16;
const NOTHING_BIT = 1 << 18;
// The number of the remover's host, in the twelve bits below the bit of free cells. A stranger has the number of a
// registration's owner with a chance of 1 in 4,095; then its removal counts as the owner's. A whole word would make
// each tombstone 8 bytes larger.
const HOST_SHIFT = 19;

/** Records in the order in which they were appended. Two words of each, at `links`, name its neighbours. */
class Chain {
  first = NONE;
  last = NONE;
  bytes = 0;
  readonly #links: number;

  constructor(links: number) {
    this.#links = links;
  }

  append(slabs: Slabs, at: number): void {
    this.#join(slabs, this.last, at);
    this.#join(slabs, at, NONE);
    this.bytes += bytesOf(slabs, at);
  }

  remove(slabs: Slabs, at: number): void {
    this.#join(slabs, wordOf(slabs, at, this.#links + 1), wordOf(slabs, at, this.#links));
    this.bytes -= bytesOf(slabs, at);
  }

  moved(slabs: Slabs, to: number): void {
    this.#join(slabs, wordOf(slabs, to, this.#links + 1), to);
    this.#join(slabs, to, wordOf(slabs, to, this.#links));
  }

  next(slabs: Slabs, at: number): number {
    return wordOf(slabs, at, this.#links);
  }

  #join(slabs: Slabs, before: number, next: number): void {
    if (before === NONE) this.first = next;
    else setWord(slabs, before, this.#links, next);
    if (next === NONE) this.last = before;
    else setWord(slabs, next, this.#links + 1, before);
  }
}

type Chains = Readonly<Record<Found, Chain>>;

/** The tombstones of one service. */
export interface ServiceTombstones {
  readonly size: number;
  get(registId: string): Stamp | undefined;
  /** Whether the removal found a registration. */
  found(registId: string): Found | undefined;
  /** Whether a client of another host than this one removed it, as far as both are known. */
  isOfAnotherHost(registId: string, host: number): boolean;
  /** Remembers a removal in place of the earlier one of this registId. */
  bury(registId: string, stamp: Stamp, by: Remover): void;
  delete(registId: string): void;
  all(): Iterable<readonly [registId: string, stamp: Stamp, by: Remover]>;
  /** The service is forgotten. */
  clear(): void;
}

/** All tombstones of a node. `Owner` is the callers' object for a service. */
export class Tombstones<Owner> {
  readonly #options: TombstoneOptions;
  readonly #index = new HashIndex();
  readonly #key: RegistKey;
  readonly #services = new Numbered<Service<Owner>>();
  readonly #slabs: Slabs;
  readonly #queues: Chains = { held: new Chain(QUEUE_LINKS), nothing: new Chain(QUEUE_LINKS) };
  // Owners that have lost their last tombstone and have not been told.
  #emptied: Owner[] = [];
  #nowMs = Number.NEGATIVE_INFINITY;
  #endedEarly = 0;

  constructor(options: TombstoneOptions, random: Random) {
    this.#options = options;
    this.#key = new RegistKey(new KeyedHash(random));
    this.#slabs = new Slabs((from, to) => this.#moved(from, to));
  }

  get size(): number {
    return this.#index.size;
  }

  /** Memory off the heap. */
  get bytes(): number {
    return this.#slabs.bytes + this.#index.bytes;
  }

  /** The number that ended at a bound since the last call. */
  takeEndedEarly(): number {
    const ended = this.#endedEarly;
    this.#endedEarly = 0;
    return ended;
  }

  /** Sets the present time; tombstones buried from now on end that much later. */
  beginStep(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /** A handle, to be kept by the owner. It costs nothing beside itself while it is empty. */
  service(owner: Owner): ServiceTombstones {
    return new Service<Owner>(this, owner);
  }

  /** The time at which `expire` has work. Left-over work is due now: the node was not late with it. */
  nextMs(): number {
    if (this.#emptied.length > 0) return this.#nowMs;
    return Math.max(this.#nowMs, Math.min(this.#endOf("held"), this.#endOf("nothing")));
  }

  /** Forgets up to `max` ended tombstones, and reports each service that has lost its last one. */
  expire(max: number, emptied: (owner: Owner) => void): void {
    let left = max;
    for (const found of ["held", "nothing"] as const) {
      for (; left > 0 && this.#endOf(found) <= this.#nowMs; left--) this.end(this.#queues[found].first);
    }
    this.#slabs.tidy((max - left) * STEPS_PER_ENDED);
    const owners = this.#emptied;
    this.#emptied = [];
    for (const owner of owners) emptied(owner);
  }

  find(service: number, registId: string): number {
    const { hash } = this.#read(service, registId);
    let at = this.#index.first(hash);
    while (at !== NONE && !this.#isOf(at, service)) at = this.#index.next();
    return at;
  }

  stampAt(at: number): Stamp {
    const slab = this.#slabs.slabOf(at);
    const unit = unitOf(at);
    return {
      version: slab.longs[unit + VERSION_LONG] as bigint,
      registeredMs: slab.doubles[unit + TIME_DOUBLE] as number,
    };
  }

  foundAt(at: number): Found {
    return (wordOf(this.#slabs, at, 0) & NOTHING_BIT) === 0 ? "held" : "nothing";
  }

  /** The host that removed it. */
  hostAt(at: number): number {
    return (wordOf(this.#slabs, at, 0) >>> HOST_SHIFT) & HOST_NUMBERS;
  }

  add(service: Service<Owner>, registId: string, { stamp, found, host }: Remover & { readonly stamp: Stamp }): void {
    if (service.number === NONE) service.number = this.#services.add(service);
    const key = this.#read(service.number, registId);
    if (key.length > KEY_BYTES_MAX) return;
    const at = this.#slabs.allocate(Math.ceil((HEADER_BYTES + key.length) / UNIT_BYTES));
    const slab = this.#slabs.slabOf(at);
    const unit = unitOf(at);
    const word = unit * 2;
    const kind = found === "held" ? 0 : NOTHING_BIT;
    slab.words[word] = (slab.words[word] as number) | (key.form << FORM_SHIFT) | kind | (host << HOST_SHIFT);
    slab.words[word + SERVICE_WORD] = service.number;
    slab.longs[unit + VERSION_LONG] = stamp.version;
    slab.doubles[unit + TIME_DOUBLE] = stamp.registeredMs;
    slab.doubles[unit + END_DOUBLE] = this.#nowMs + this.#options.tombstoneMs;
    slab.words[word + HASH_WORD] = key.hash;
    slab.words[word + LENGTH_WORD] = key.length;
    slab.bytes.set(key.bytes.subarray(0, key.length), unit * UNIT_BYTES + HEADER_BYTES);
    this.#index.add(key.hash, at);
    service.chains[found].append(this.#slabs, at);
    this.#queues[found].append(this.#slabs, at);
    service.size++;
    this.#hold(service, found);
  }

  /** Ends a tombstone, before its time or not. */
  end(at: number): void {
    const service = this.#services.get(wordOf(this.#slabs, at, SERVICE_WORD));
    const found = this.foundAt(at);
    this.#index.remove(wordOf(this.#slabs, at, HASH_WORD), at);
    service.chains[found].remove(this.#slabs, at);
    this.#queues[found].remove(this.#slabs, at);
    this.#slabs.free(at);
    service.size--;
    if (service.size === 0) {
      this.#services.remove(service.number);
      service.number = NONE;
      if (service.owner !== undefined) this.#emptied.push(service.owner);
    }
  }

  /** Does the deferred steps that are due with a change. */
  tidy(): void {
    this.#slabs.tidy(STEPS_PER_CHANGE);
  }

  *of(chain: Chain): Generator<readonly [registId: string, stamp: Stamp, by: Remover]> {
    for (let at = chain.first; at !== NONE; at = chain.next(this.#slabs, at)) {
      yield [this.#registIdAt(at), this.stampAt(at), { found: this.foundAt(at), host: this.hostAt(at) }];
    }
  }

  /** `left` represents the service's tombstones from now on, until they end. */
  leave(number: number, left: Service<Owner>): void {
    this.#services.replace(number, left);
  }

  #hold(service: Service<Owner>, found: Found): void {
    const max = this.#options.tombstoneBytesMax[found];
    const ofService = service.chains[found];
    while (ofService.bytes > max * SERVICE_SHARE) this.#endEarly(ofService);
    while (this.#queues[found].bytes > max) this.#endEarly(this.#queues[found]);
  }

  #endEarly(chain: Chain): void {
    this.#endedEarly++;
    this.end(chain.first);
  }

  #endOf(found: Found): number {
    const { first } = this.#queues[found];
    if (first === NONE) return Number.POSITIVE_INFINITY;
    return this.#slabs.slabOf(first).doubles[unitOf(first) + END_DOUBLE] as number;
  }

  #read(service: number, registId: string): RegistKey {
    this.#key.read(registId, service);
    return this.#key;
  }

  #isOf(at: number, service: number): boolean {
    const slab = this.#slabs.slabOf(at);
    const unit = unitOf(at);
    const { bytes, length, form } = this.#key;
    if (slab.words[unit * 2 + SERVICE_WORD] !== service || slab.words[unit * 2 + LENGTH_WORD] !== length) return false;
    if (formOf(slab.words[unit * 2] as number) !== form) return false;
    const start = unit * UNIT_BYTES + HEADER_BYTES;
    for (let byte = 0; byte < length; byte++) if (slab.bytes[start + byte] !== bytes[byte]) return false;
    return true;
  }

  #registIdAt(at: number): string {
    const slab = this.#slabs.slabOf(at);
    const unit = unitOf(at);
    const form = formOf(slab.words[unit * 2] as number);
    const length = slab.words[unit * 2 + LENGTH_WORD] as number;
    return textOfKey(form, slab.bytes, unit * UNIT_BYTES + HEADER_BYTES, length);
  }

  #moved(from: number, to: number): void {
    this.#index.replace(wordOf(this.#slabs, to, HASH_WORD), from, to);
    const found = this.foundAt(to);
    this.#services.get(wordOf(this.#slabs, to, SERVICE_WORD)).chains[found].moved(this.#slabs, to);
    this.#queues[found].moved(this.#slabs, to);
  }
}

// As in the publications' store: see there.
const STEPS_PER_CHANGE = 64;
const STEPS_PER_ENDED = 16;

class Service<Owner> implements ServiceTombstones {
  readonly owner: Owner | undefined;
  number = NONE;
  size = 0;
  chains: Chains = { held: new Chain(SERVICE_LINKS), nothing: new Chain(SERVICE_LINKS) };
  readonly #node: Tombstones<Owner>;

  constructor(node: Tombstones<Owner>, owner: Owner | undefined) {
    this.#node = node;
    this.owner = owner;
  }

  get(registId: string): Stamp | undefined {
    const at = this.#find(registId);
    return at === NONE ? undefined : this.#node.stampAt(at);
  }

  found(registId: string): Found | undefined {
    const at = this.#find(registId);
    return at === NONE ? undefined : this.#node.foundAt(at);
  }

  isOfAnotherHost(registId: string, host: number): boolean {
    const at = this.#find(registId);
    const by = at === NONE ? UNKNOWN_HOST : this.#node.hostAt(at);
    return by !== host && by !== UNKNOWN_HOST && host !== UNKNOWN_HOST;
  }

  bury(registId: string, stamp: Stamp, { found, host }: Remover): void {
    const before = this.#find(registId);
    const wasHeld = before !== NONE && this.#node.foundAt(before) === "held";
    if (before !== NONE) this.#node.end(before);
    this.#node.add(this, registId, { stamp, found: wasHeld ? "held" : found, host });
    this.#node.tidy();
  }

  delete(registId: string): void {
    const at = this.#find(registId);
    if (at === NONE) return;
    this.#node.end(at);
    this.#node.tidy();
  }

  *all(): Generator<readonly [registId: string, stamp: Stamp, by: Remover]> {
    yield* this.#node.of(this.chains.held);
    yield* this.#node.of(this.chains.nothing);
  }

  // Ending them one by one may take long. They are left to an anonymous service until their time is over.
  clear(): void {
    if (this.number === NONE) return;
    const left = new Service<Owner>(this.#node, undefined);
    left.number = this.number;
    left.size = this.size;
    left.chains = this.chains;
    this.#node.leave(this.number, left);
    this.number = NONE;
    this.size = 0;
    this.chains = { held: new Chain(SERVICE_LINKS), nothing: new Chain(SERVICE_LINKS) };
  }

  #find(registId: string): number {
    return this.number === NONE ? NONE : this.#node.find(this.number, registId);
  }
}

function formOf(head: number): KeyForm {
  return ((head >>> FORM_SHIFT) & 3) as KeyForm;
}

function bytesOf(slabs: Slabs, at: number): number {
  return (wordOf(slabs, at, 0) & 0xffff) * UNIT_BYTES;
}

function wordOf(slabs: Slabs, at: number, word: number): number {
  return slabs.slabOf(at).words[unitOf(at) * 2 + word] as number;
}

function setWord(slabs: Slabs, at: number, word: number, value: number): void {
  slabs.slabOf(at).words[unitOf(at) * 2 + word] = value;
}
