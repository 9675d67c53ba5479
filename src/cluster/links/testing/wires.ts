// Time and wires for tests of links: nothing happens by itself, `run` lets time pass.

import { defined } from "../../../base/assert.ts";
import type { Cancel, Clock, Connection, ConnectionHandler, Timers } from "../../../base/ports.ts";
import type { Dial } from "../linkDialer.ts";

/** Timers that fire while `run` is under way, in the order of their times. */
export class TestTime implements Clock, Timers {
  #nowMs = 1_000_000;
  #tasks: { readonly atMs: number; readonly run: (nowMs: number) => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: (nowMs: number) => void): Cancel {
    const task = { atMs: this.#nowMs + delayMs, run };
    this.#tasks.push(task);
    return () => {
      this.#tasks = this.#tasks.filter((each) => each !== task);
    };
  }

  run(durationMs: number): void {
    const endMs = this.#nowMs + durationMs;
    for (;;) {
      const due = this.#tasks.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#tasks = this.#tasks.filter((each) => each !== due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.run(this.#nowMs);
    }
    this.#nowMs = endMs;
  }

  /** The process is stopped and resumes later: time has passed, and its timers are late. */
  stop(durationMs: number): void {
    this.#nowMs += durationMs;
  }
}

/** One end of a wire. Written bytes arrive at the other end after 1 ms, unless the wire is dead. */
export class WireEnd implements Connection {
  readonly remoteAddress = "192.0.2.1:1";
  readonly localAddress = "192.0.2.2:2";
  readonly hasUnread = false;
  bufferedBytes = 0;
  bytesWritten = 0;
  handler: ConnectionHandler | undefined;
  other: WireEnd | undefined;
  isDead = false;
  isClosed = false;
  readonly #time: TestTime;

  constructor(time: TestTime) {
    this.#time = time;
  }

  write(...parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      const chunk = part.slice();
      this.bytesWritten += chunk.length;
      this.#deliver((end) => end.handler?.received(chunk, this.#time.nowMs()));
    }
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#deliver((end) => {
      end.isClosed = true;
      end.handler?.closed(this.#time.nowMs());
    });
  }

  #deliver(what: (end: WireEnd) => void): void {
    this.#time.after(1, () => {
      if (!this.isDead && this.other !== undefined && !this.other.isClosed) what(this.other);
    });
  }
}

/** A wire: two ends that know each other. */
export function wire(time: TestTime): readonly [WireEnd, WireEnd] {
  const ends = [new WireEnd(time), new WireEnd(time)] as const;
  ends[0].other = ends[1];
  ends[1].other = ends[0];
  return ends;
}

type Accept = (connection: Connection, nowMs: number) => ConnectionHandler;

/** A network with one listener that can be away. */
export class TestNetwork {
  readonly wires: (readonly [dialled: WireEnd, accepted: WireEnd])[] = [];
  readonly dialsMs: number[] = [];
  accept: Accept | undefined;
  readonly #time: TestTime;

  constructor(time: TestTime) {
    this.#time = time;
  }

  readonly dial: Dial = (_address, outcome) => {
    const time = this.#time;
    this.dialsMs.push(time.nowMs());
    return time.after(1, (nowMs) => {
      if (this.accept === undefined) return outcome.failed("nobody listens");
      const ends = wire(time);
      this.wires.push(ends);
      ends[1].handler = this.accept(ends[1], nowMs);
      ends[0].handler = outcome.connected(ends[0], nowMs);
    });
  };

  get lastWire(): readonly [dialled: WireEnd, accepted: WireEnd] {
    return defined(this.wires.at(-1), "somebody has dialled");
  }

  /** Both directions of all wires carry nothing any more, without notice. */
  cut(): void {
    for (const ends of this.wires) for (const end of ends) end.isDead = true;
  }
}
