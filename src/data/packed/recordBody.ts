// A cursor on the body of a record: the places of its registId and its payload. One cursor serves all records, so that
// looking at a record allocates nothing.

import type { KeyedHash } from "./keyedHash.ts";
import type { Numbered } from "./numbered.ts";
import { NONE } from "./numbered.ts";
import {
  BODY_WORD,
  bodyEnd,
  bodyStart,
  formOf,
  isDifference,
  isLarge,
  NUMBER_BYTES,
  SERVICE_WORD,
} from "./recordLayout.ts";
import { hashOfKey, type KeyForm, type RegistKey, textOfKey, UUID, UUID_BYTES, u32At } from "./registKey.ts";
import type { Slab } from "./slabs.ts";

export class RecordBody {
  bytes: Uint8Array = new Uint8Array(0);
  /** The base from which the payload is a difference, or NONE. */
  base = NONE;
  payloadAt = 0;
  end = 0;
  #form: KeyForm = UUID;
  #keyAt = 0;
  #keyBytes = 0;
  #service = NONE;
  readonly #keyed: KeyedHash;
  readonly #large: Numbered<Uint8Array>;

  constructor(keyed: KeyedHash, large: Numbered<Uint8Array>) {
    this.#keyed = keyed;
    this.#large = large;
  }

  /** Goes to the record that begins at `unit` of this slab. */
  read(slab: Slab, unit: number): void {
    const head = slab.words[unit * 2] as number;
    const number = slab.words[unit * 2 + BODY_WORD] as number;
    this.#service = slab.words[unit * 2 + SERVICE_WORD] as number;
    let at = 0;
    if (isLarge(head)) {
      this.bytes = this.#large.get(number);
      this.end = this.bytes.length;
    } else {
      this.bytes = slab.bytes;
      this.end = bodyEnd(unit, head);
      at = bodyStart(unit);
    }
    this.base = NONE;
    if (isDifference(head)) {
      this.base = number;
      at += NUMBER_BYTES;
    }
    this.#form = formOf(head);
    this.#keyBytes = UUID_BYTES;
    if (this.#form !== UUID) {
      this.#keyBytes = u32At(this.bytes, at);
      at += NUMBER_BYTES;
    }
    this.#keyAt = at;
    this.payloadAt = at + this.#keyBytes;
  }

  get registId(): string {
    return textOfKey(this.#form, this.bytes, this.#keyAt, this.#keyBytes);
  }

  /** As `RegistKey.hash`. */
  get keyHash(): number {
    return hashOfKey(this.#keyed, {
      service: this.#service,
      form: this.#form,
      bytes: this.bytes,
      start: this.#keyAt,
      length: this.#keyBytes,
    });
  }

  isOf(key: RegistKey): boolean {
    if (key.form !== this.#form || key.length !== this.#keyBytes) return false;
    const { bytes } = this;
    const start = this.#keyAt;
    for (let at = 0; at < key.length; at++) if (key.bytes[at] !== bytes[start + at]) return false;
    return true;
  }
}
