// The payloads from which others of their service are kept as differences. A base is a copy of its own, not a
// publication, so that it can stay when that one goes; it lives in the slabs like the records, as long as a record or
// its service names it.

import type { Payload } from "../../model/payload.ts";
import { NONE, Numbered } from "./numbered.ts";
import { DifferenceBase, DifferenceEncoder } from "./payloadDifference.ts";
import { type Slabs, UNIT_BYTES, unitOf } from "./slabs.ts";

/** Marks a cell as a base. Its second word is the base's number, the payload follows. */
export const IS_BASE = 0x4000_0000;
const NUMBER_WORD = 1;
const HEADER_BYTES = 8;

// Encoding needs a base's table: 2 KiB, made in half a microsecond. This many are kept.
const PREPARED = 64;

interface Base {
  position: number;
  readonly length: number;
  uses: number;
}

interface Prepared {
  number: number;
  readonly base: DifferenceBase;
}

/** The base from which a difference is decoded. */
export interface BasePlace {
  bytes: Uint8Array;
  at: number;
}

export class Bases {
  readonly #slabs: Slabs;
  readonly #bases = new Numbered<Base>();
  readonly #prepared: Prepared[] = [];
  readonly #place: BasePlace = { bytes: new Uint8Array(0), at: 0 };
  readonly encoder = new DifferenceEncoder();

  constructor(slabs: Slabs) {
    this.#slabs = slabs;
  }

  get size(): number {
    return this.#bases.size;
  }

  /** Makes a payload a base, with one use. */
  add(payload: Payload): number {
    const units = Math.ceil((HEADER_BYTES + payload.length) / UNIT_BYTES);
    const position = this.#slabs.allocate(units);
    const number = this.#bases.add({ position, length: payload.length, uses: 1 });
    const slab = this.#slabs.slabOf(position);
    const unit = unitOf(position);
    slab.words[unit * 2] = units | IS_BASE;
    slab.words[unit * 2 + NUMBER_WORD] = number;
    slab.bytes.set(payload, unit * UNIT_BYTES + HEADER_BYTES);
    return number;
  }

  take(number: number): void {
    this.#bases.get(number).uses++;
  }

  release(number: number): void {
    const base = this.#bases.get(number);
    base.uses--;
    if (base.uses > 0) return;
    this.#slabs.free(base.position);
    this.#bases.remove(number);
    const prepared = this.#prepared[number % PREPARED];
    if (prepared?.number === number) prepared.number = NONE;
  }

  /** The slabs have moved a base's cell. */
  moved(to: number): void {
    const number = this.#slabs.slabOf(to).words[unitOf(to) * 2 + NUMBER_WORD] ?? NONE;
    this.#bases.get(number).position = to;
  }

  /** Where a base's bytes are; valid until the next call. */
  place(number: number): BasePlace {
    const { position } = this.#bases.get(number);
    this.#place.bytes = this.#slabs.slabOf(position).bytes;
    this.#place.at = unitOf(position) * UNIT_BYTES + HEADER_BYTES;
    return this.#place;
  }

  /** Whether the difference of a payload from this base fits in `lengthMax` bytes; it is in `encoder` then. */
  encode(number: number, payload: Payload, lengthMax: number): boolean {
    return this.encoder.encode(this.#prepare(number), payload, lengthMax);
  }

  #prepare(number: number): DifferenceBase {
    const at = number % PREPARED;
    const prepared = this.#prepared[at] ?? { number: NONE, base: new DifferenceBase() };
    if (prepared.number === number) return prepared.base;
    const place = this.place(number);
    prepared.base.read(place.bytes, place.at, this.#bases.get(number).length);
    prepared.number = number;
    this.#prepared[at] = prepared;
    return prepared.base;
  }
}
