// gRPC messages out of the pieces of a stream: small ones whole, large ones by fingerprint, as with Bolt.

import { Buffer } from "node:buffer";

const PREFIX_BYTES = 5;

/** Joins the pieces of a stream to messages; each is only valid during the call. */
export class MessageReader {
  readonly #onMessage: (message: Buffer) => void;
  #parts: Buffer[] = [];
  #have = 0;

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage;
  }

  read(piece: Buffer): void {
    if (this.#have > 0) {
      this.#parts.push(Buffer.from(piece));
      this.#have += piece.length;
      if (this.#have < this.#needed()) return;
      const joined = Buffer.concat(this.#parts);
      this.#parts = [];
      this.#have = 0;
      this.#take(joined);
      return;
    }
    this.#take(piece);
  }

  #take(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) {
      const rest = bytes.length - at;
      const total = rest < PREFIX_BYTES ? undefined : PREFIX_BYTES + bytes.readUInt32BE(at + 1);
      if (total === undefined || total > rest) {
        this.#parts = [Buffer.from(bytes.subarray(at))];
        this.#have = rest;
        return;
      }
      this.#onMessage(bytes.subarray(at + PREFIX_BYTES, at + total));
      at += total;
    }
  }

  /** Bytes of the first message that is under way, its prefix counted; as far as it is known. */
  #needed(): number {
    if (this.#have < PREFIX_BYTES) return PREFIX_BYTES;
    const [first = Buffer.alloc(0)] = this.#parts;
    if (first.length < PREFIX_BYTES) this.#parts = [Buffer.concat(this.#parts)];
    return PREFIX_BYTES + (this.#parts[0]?.readUInt32BE(1) ?? 0);
  }
}

/** A message as it passes by; only valid during the call. */
export interface Glimpse {
  /** Its first bytes, or all of a short one. */
  readonly first: Buffer;
  readonly bytes: number;
  /** All of it, if the reader keeps whole messages. */
  readonly whole: Buffer | undefined;
}

const FIRST_BYTES = 1_024;

/** Reads messages of any length and looks at the beginning of each. */
export class GlimpseReader {
  readonly #onGlimpse: (glimpse: Glimpse) => void;
  readonly #keepsWhole: boolean;
  readonly #first = Buffer.alloc(PREFIX_BYTES + FIRST_BYTES);
  #have = 0;
  #total = 0;
  #parts: Buffer[] = [];

  constructor(onGlimpse: (glimpse: Glimpse) => void, { keepsWhole = false } = {}) {
    this.#onGlimpse = onGlimpse;
    this.#keepsWhole = keepsWhole;
  }

  read(piece: Buffer): void {
    let at = 0;
    while (at < piece.length) {
      const wanted = (this.#total === 0 ? PREFIX_BYTES : this.#total) - this.#have;
      const end = Math.min(piece.length, at + wanted);
      if (this.#have < this.#first.length) piece.copy(this.#first, this.#have, at, end);
      if (this.#keepsWhole) this.#parts.push(Buffer.from(piece.subarray(at, end)));
      this.#have += end - at;
      at = end;
      if (this.#have === PREFIX_BYTES) this.#total = PREFIX_BYTES + this.#first.readUInt32BE(1);
      if (this.#have === this.#total) this.#complete();
    }
  }

  #complete(): void {
    const bytes = this.#total - PREFIX_BYTES;
    const first = this.#first.subarray(PREFIX_BYTES, Math.min(this.#total, this.#first.length));
    const whole = this.#keepsWhole ? Buffer.concat(this.#parts).subarray(PREFIX_BYTES) : undefined;
    this.#parts = [];
    this.#have = 0;
    this.#total = 0;
    this.#onGlimpse({ first, bytes, whole });
  }
}
