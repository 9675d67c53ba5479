// Values that many records share, kept once and counted: owners (a client has some ten publications) and the common
// part of an application's publications. Releasing the last use forgets the value.

import { assert } from "../../base/assert.ts";
import { hostNumberOf } from "../../model/ids.ts";
import {
  type Condition,
  equalConditions,
  equalLeases,
  type Lease,
  type Owner,
  type Publication,
} from "../../model/publication.ts";
import { HashIndex } from "./hashIndex.ts";
import type { KeyedHash } from "./keyedHash.ts";
import { NONE, Numbered } from "./numbered.ts";

/**
 * Fields that are interned together, since they change together: one number in a record instead of many. The mark of
 * hidden publications, conditions and leases are among them: they take no room where there are none, and little where
 * all have the same.
 */
export interface Profile extends Pick<Publication, "zone" | "appName" | "attributes"> {
  readonly isHidden: boolean;
  readonly condition: Condition | undefined;
  readonly lease: Lease | undefined;
}

interface Kind<T> {
  /** Hashing takes longer than four bytes are worth. */
  readonly isLong: boolean;
  hash(value: T): number;
  isSame(a: T, b: T): boolean;
  /** A number of 16 bits that is kept beside the value: to look for values without a look at each. */
  readonly tag?: (value: T) => number;
  /** The part of the first value that is kept: it may belong to something larger. */
  keep(value: T): T;
}

export class Interned<T> {
  readonly #kind: Kind<T>;
  readonly #index = new HashIndex();
  readonly #values = new Numbered<T>();
  #uses = new Uint32Array(64);
  // Hashes of long values: hashing a released value once more takes 40 µs for attributes of 8 KiB, and a leaving client
  // has thousands.
  #hashes: Uint32Array<ArrayBuffer> | undefined;
  #tags: Uint16Array<ArrayBuffer> | undefined;
  // The newest one: publications that come together often share it.
  #last = NONE;

  constructor(kind: Kind<T>) {
    this.#kind = kind;
    this.#hashes = kind.isLong ? new Uint32Array(this.#uses.length) : undefined;
    this.#tags = kind.tag && new Uint16Array(this.#uses.length);
  }

  get size(): number {
    return this.#values.size;
  }

  /** Memory off the heap. */
  get bytes(): number {
    const ofValues = this.#uses.byteLength + (this.#hashes?.byteLength ?? 0) + (this.#tags?.byteLength ?? 0);
    return this.#index.bytes + ofValues;
  }

  get(number: number): T {
    return this.#values.get(number);
  }

  /** The tag of the value under this number; 0 if values of this kind have none. */
  tag(number: number): number {
    return this.#tags?.[number] ?? 0;
  }

  /** The number of a value, which has one more use now. */
  take(value: T): number {
    const number = this.#find(value);
    const uses = this.#uses[number] as number;
    this.#uses[number] = uses + 1;
    this.#last = number;
    return number;
  }

  /** Takes a value in place of one that is released; mostly that is the same. */
  exchange(number: number, value: T): number {
    if (this.#kind.isSame(this.#values.get(number), value)) return number;
    const taken = this.take(value);
    this.release(number);
    return taken;
  }

  release(number: number): void {
    const uses = this.#uses[number] as number;
    assert(uses > 0, "only what was taken is released");
    this.#uses[number] = uses - 1;
    if (uses > 1) return;
    if (this.#last === number) this.#last = NONE;
    this.#index.remove(this.#hashes?.[number] ?? this.#kind.hash(this.#values.get(number)), number);
    this.#values.remove(number);
  }

  #find(value: T): number {
    if (this.#last !== NONE && this.#kind.isSame(this.#values.get(this.#last), value)) return this.#last;
    const hash = this.#kind.hash(value);
    for (let number = this.#index.first(hash); number !== NONE; number = this.#index.next()) {
      if (this.#kind.isSame(this.#values.get(number), value)) return number;
    }
    const number = this.#values.add(this.#kind.keep(value));
    this.#index.add(hash, number);
    if (number >= this.#uses.length) this.#grow(number);
    if (this.#hashes !== undefined) this.#hashes[number] = hash;
    if (this.#tags !== undefined) this.#tags[number] = this.#kind.tag?.(value) ?? 0;
    return number;
  }

  // A copy of 1.2 MB at 300,000 owners: a tenth of a millisecond.
  #grow(number: number): void {
    const count = Math.ceil(number * 1.5);
    this.#uses = withRoom(this.#uses, count);
    if (this.#hashes !== undefined) this.#hashes = withRoom(this.#hashes, count);
    if (this.#tags === undefined) return;
    const tags = new Uint16Array(count);
    tags.set(this.#tags);
    this.#tags = tags;
  }
}

function withRoom(numbers: Uint32Array<ArrayBuffer>, count: number): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(count);
  larger.set(numbers);
  return larger;
}

/** A table of owners, each kept once; its key is the client, and its tag the number of the client's host. */
export function internedOwners(keyed: KeyedHash): Interned<Owner> {
  return new Interned<Owner>({
    isLong: false,
    // A client has one session.
    hash: ({ client }) => keyed.hash(keyed.put(client, 0)),
    isSame: (a, b) => a.client === b.client && a.session === b.session,
    keep: ({ session, client }) => ({ session, client }),
    tag: ({ client }) => hostNumberOf(client),
  });
}

/** A table of profiles: zone, application, attributes and mark, each combination kept once. */
export function internedProfiles(keyed: KeyedHash): Interned<Profile> {
  return new Interned<Profile>({
    isLong: true,
    hash: ({ zone, appName, attributes, condition }) => {
      let end = keyed.put(appName, keyed.put(zone, 0));
      for (const [name, value] of attributes) end = keyed.put(value, keyed.put(name, end));
      if (condition?.weight !== undefined) end = keyed.put(String(condition.weight), end);
      return keyed.hash(end);
    },
    isSame: (a, b) =>
      a.zone === b.zone &&
      a.appName === b.appName &&
      a.isHidden === b.isHidden &&
      equalConditions(a.condition, b.condition) &&
      equalLeases(a.lease, b.lease) &&
      isSameMap(a.attributes, b.attributes),
    keep: (profile) => ({ ...profile }),
  });
}

// In the same order too: what comes out is what went in.
function isSameMap(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a === b) return true;
  if (a.size !== b.size) return false;
  const others = b.entries();
  for (const [name, value] of a) {
    const other = others.next().value;
    if (other === undefined || other[0] !== name || other[1] !== value) return false;
  }
  return true;
}
