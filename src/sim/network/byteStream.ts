// One direction of a TCP connection: bytes arrive in order, in pieces cut at random, after a random delay, or not at
// all. A window of bytes may be under way; bytes written beyond it wait with the writer, as in a socket whose peer
// reads slowly.

import type { Cancel } from "../../base/ports.ts";
import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";

/** The behaviour of a connection. */
export interface Weather {
  /** Most pieces take up to this. */
  readonly delayMs: number;
  /** Some take up to this. */
  readonly spikeMs: number;
  readonly spikeChance: number;
  /** The chance that a piece is cut in two. */
  readonly splitChance: number;
}

/** The writer and the reader of a stream. */
export interface StreamEnds {
  received(chunk: Uint8Array): void;
  /** The reader has read everything, and the writer has ended the connection. */
  ended(): void;
  /** The writer's buffer has emptied after it had been above the high-water mark. */
  drained(): void;
  /** The line is narrow and begins to carry bytes, or it carries none any more. */
  slowed(isSlow: boolean): void;
}

/** A piece under way on a narrow line. */
interface SlowPiece {
  /** Undefined: the end of the stream. */
  readonly piece: Uint8Array | undefined;
  /** The earliest time at which the line may begin with it, and the time that it takes there. */
  readonly readyMs: number;
  readonly lineMs: number;
  /** The time of its arrival. */
  readonly atMs: number;
  readonly cancel: Cancel;
}

const WINDOW_BYTES = 64 * 1024;
// Node's own value.
const HIGH_WATER_BYTES = 16 * 1024;

export class ByteStream {
  readonly #scheduler: Scheduler;
  readonly #dice: Dice;
  readonly #weather: Weather;
  readonly #ends: StreamEnds;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #underWayBytes = 0;
  #wasHigh = false;
  #lastMs = 0;
  #isHeld = false;
  /** The delay of everything, and the additional time of each byte. */
  #lateMs = 0;
  #msPerByte = 0;
  // In the order of their arrival.
  #slow: SlowPiece[] = [];
  #isSlow = false;
  // Pieces that have come while nothing is delivered; undefined is the end that follows the last byte.
  #held: (Uint8Array | undefined)[] = [];
  #isEnding = false;
  #isGone = false;

  constructor(environment: { scheduler: Scheduler; dice: Dice; weather: Weather }, ends: StreamEnds) {
    this.#scheduler = environment.scheduler;
    this.#dice = environment.dice;
    this.#weather = environment.weather;
    this.#ends = ends;
  }

  /** Bytes that the writer still holds. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  write(bytes: Uint8Array): void {
    if (this.#isEnding || this.#isGone || bytes.length === 0) return;
    if (this.#waiting.length === 0 && this.#underWayBytes < WINDOW_BYTES) {
      this.#underWayBytes += bytes.length;
      return this.#send(bytes);
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#pump();
    if (this.#waitingBytes > HIGH_WATER_BYTES) this.#wasHigh = true;
  }

  /** Delivers everything written, then tells the reader of the end. */
  end(): void {
    if (this.#isEnding || this.#isGone) return;
    this.#isEnding = true;
    if (this.#waiting.length === 0) this.#deliver(undefined);
  }

  /** Breaks the connection: nothing more arrives. */
  drop(): void {
    this.#isGone = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#held = [];
    this.#slow = [];
    this.#tellSlow();
  }

  /** Delays everything by `lateMs` from now on. */
  delay(lateMs: number): void {
    this.#lateMs = lateMs;
  }

  /**
   * Delivers this many bytes a second from now on; Infinity for no limit. Bytes that are under way at an earlier
   * limit come at the new pace, too.
   */
  limit(bytesPerSecond: number): void {
    const before = this.#msPerByte;
    this.#msPerByte = 1_000 / bytesPerSecond;
    const { nowMs } = this.#scheduler;
    const slow = this.#slow;
    const [first] = slow;
    if (first === undefined) return;
    this.#slow = [];
    // Pieces from before the first limit may still be ahead of it.
    this.#lastMs = Math.max(nowMs, first.atMs - first.lineMs);
    for (const { piece, readyMs, lineMs, atMs, cancel } of slow) {
      cancel();
      const restBytes = Math.min(lineMs, atMs - nowMs) / before;
      this.#sendAlong(piece, readyMs, restBytes);
    }
    this.#tellSlow();
  }

  /** Delivers nothing from now on: the reader does not read, or the way is dead. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Delivers the held pieces, and continues. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    const held = this.#held;
    this.#held = [];
    // At once: the pieces still under way come after it.
    for (const piece of held) if (!this.#isGone) this.#arrive(piece);
  }

  #pump(): void {
    while (this.#underWayBytes < WINDOW_BYTES) {
      const bytes = this.#waiting.shift();
      if (bytes === undefined) return;
      this.#waitingBytes -= bytes.length;
      this.#underWayBytes += bytes.length;
      this.#send(bytes);
      if (this.#waiting.length === 0) this.#emptied();
    }
  }

  #emptied(): void {
    if (this.#isEnding) this.#deliver(undefined);
    if (!this.#wasHigh) return;
    this.#wasHigh = false;
    this.#scheduler.after(0, () => {
      if (!this.#isGone) this.#ends.drained();
    });
  }

  #arrive(piece: Uint8Array | undefined): void {
    if (piece === undefined) return this.#finish();
    this.#underWayBytes -= piece.length;
    this.#ends.received(piece);
    if (!this.#isGone) this.#pump();
  }

  #finish(): void {
    this.#isGone = true;
    this.#ends.ended();
  }

  #send(bytes: Uint8Array): void {
    if (bytes.length < 2 || !this.#dice.chance(this.#weather.splitChance)) return this.#deliver(bytes);
    const at = this.#dice.between(1, bytes.length - 1);
    this.#deliver(bytes.subarray(0, at));
    this.#deliver(bytes.subarray(at));
  }

  #deliver(piece: Uint8Array | undefined): void {
    const { delayMs, spikeMs, spikeChance } = this.#weather;
    const ownMs = this.#dice.below(1 + (this.#dice.chance(spikeChance) ? spikeMs : delayMs));
    this.#sendAlong(piece, this.#scheduler.nowMs + ownMs + this.#lateMs, piece?.length ?? 0);
  }

  /** Sends a piece, of which `bytes` have not passed the line yet, when it is ready and those before it have passed. */
  #sendAlong(piece: Uint8Array | undefined, readyMs: number, bytes: number): void {
    const lineMs = Math.ceil(bytes * this.#msPerByte);
    const atMs = Math.max(this.#lastMs, readyMs) + lineMs;
    this.#lastMs = atMs;
    const isSlow = this.#msPerByte > 0;
    const cancel = this.#scheduler.at(atMs, () => {
      if (this.#isGone) return;
      if (isSlow) this.#slow.shift();
      this.#tellSlow();
      if (this.#isHeld) this.#held.push(piece);
      else this.#arrive(piece);
    });
    if (isSlow) this.#slow.push({ piece, readyMs, lineMs, atMs, cancel });
    this.#tellSlow();
  }

  #tellSlow(): void {
    const isSlow = this.#slow.length > 0;
    if (isSlow === this.#isSlow) return;
    this.#isSlow = isSlow;
    this.#ends.slowed(isSlow);
  }
}
