// A TCP connection between two processes. Each direction is a stream of bytes; on a blocked way its bytes wait, in
// order, until the way opens. The kernel of a killed process ends its connections; a vanished machine leaves the other
// end open, until it speaks to the machine that has come back.

import { freshBytes } from "../../base/bytes.ts";
import type { Clock, Connection, ConnectionHandler, Timers } from "../../base/ports.ts";
import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import { ByteStream, type Weather } from "./byteStream.ts";
import type { Gate } from "./gate.ts";

/** A process as the network sees it. */
export interface NetworkProcess {
  readonly machine: string;
  readonly gate: Gate;
  readonly time: { readonly clock: Clock; readonly timers: Timers };
  readonly isRunning: boolean;
}

/** The network as a connection sees it. */
export interface WireNetwork {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  /** A connection that is reset is noticed after at most this. */
  readonly noticeMs: number;
  weather(way: { readonly from: string; readonly to: string }): Weather;
  isBlocked(from: string, to: string): boolean;
  isUp(machine: string): boolean;
  /** The connection has ended at both sides. */
  forget(wire: NodeWire): void;
}

// After a way opens, TCP tries again only when its timer says so.
const RESEND_MS_MAX = 1_000;

class NodeWireEnd implements Connection {
  readonly process: NetworkProcess;
  readonly remoteAddress: string;
  readonly localAddress: string;
  /** Input is taken at once. */
  readonly hasUnread = false;
  readonly #wire: NodeWire;
  #handler: ConnectionHandler | undefined;
  /** It may still write, and hears what arrives. */
  isOpen = true;
  /** Its machine has vanished. */
  isGone = false;
  isResending = false;

  constructor(wire: NodeWire, process: NetworkProcess, addresses: { remote: string; local: string }) {
    this.#wire = wire;
    this.process = process;
    this.remoteAddress = addresses.remote;
    this.localAddress = addresses.local;
  }

  get bufferedBytes(): number {
    return this.#wire.streamOf(this).waitingBytes;
  }

  use(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  write(...parts: readonly Uint8Array[]): void {
    this.#wire.write(this, parts);
  }

  close(): void {
    this.#wire.close(this);
  }

  received(chunk: Uint8Array): void {
    this.process.gate.message(() => {
      if (this.isOpen) this.#handler?.received(chunk, this.process.time.clock.nowMs());
    });
  }

  drained(): void {
    this.process.gate.message(() => {
      if (this.isOpen) this.#handler?.drained(this.process.time.clock.nowMs());
    });
  }

  /** Tells the owner of the end, whose process runs. */
  closed(): void {
    const handler = this.#handler;
    this.#handler = undefined;
    handler?.closed(this.process.time.clock.nowMs());
  }

  die(): void {
    this.isOpen = false;
    this.#handler = undefined;
  }
}

export class NodeWire {
  readonly dialer: NodeWireEnd;
  readonly listener: NodeWireEnd;
  readonly #network: WireNetwork;
  /** The bytes from the dialling side, and those from the listening side. */
  readonly #fromDialer: ByteStream;
  readonly #fromListener: ByteStream;

  constructor(
    network: WireNetwork,
    { dialer, listener }: { dialer: NetworkProcess; listener: NetworkProcess },
    port: number,
  ) {
    this.#network = network;
    const [near, far] = [`${dialer.machine}:${port}`, `${listener.machine}:0`];
    this.dialer = new NodeWireEnd(this, dialer, { remote: far, local: near });
    this.listener = new NodeWireEnd(this, listener, { remote: near, local: far });
    this.#fromDialer = this.#stream(this.dialer, this.listener);
    this.#fromListener = this.#stream(this.listener, this.dialer);
    this.review();
  }

  isBetween(one: string, other: string): boolean {
    const [from, to] = [this.dialer.process.machine, this.listener.process.machine];
    return (from === one && to === other) || (from === other && to === one);
  }

  /** The bytes from this end. */
  streamOf(end: NodeWireEnd): ByteStream {
    return end === this.dialer ? this.#fromDialer : this.#fromListener;
  }

  write(end: NodeWireEnd, parts: readonly Uint8Array[]): void {
    if (!end.isOpen) return;
    const other = this.#otherOf(end);
    if (other.isGone && this.#network.isUp(other.process.machine) && !this.#isBlocked(end, other)) this.#breakSoon(end);
    this.streamOf(end).write(joined(parts));
  }

  /** Ends the connection from this side: the other side still reads everything written, and then learns of the end. */
  close(end: NodeWireEnd): void {
    if (!end.isOpen) return;
    this.#end(end);
    this.#network.scheduler.after(0, () => end.process.gate.message(() => end.closed()));
  }

  /** Loses everything under way; each side is told after its own delay. */
  reset(): void {
    this.#fromDialer.drop();
    this.#fromListener.drop();
    this.#breakSoon(this.dialer);
    this.#breakSoon(this.listener);
  }

  died(process: NetworkProcess, isSilent: boolean): void {
    for (const end of [this.dialer, this.listener]) {
      if (end.process !== process) continue;
      if (isSilent) {
        end.isGone = true;
        this.streamOf(this.#otherOf(end)).hold();
      } else if (end.isOpen) this.#end(end);
      end.die();
      this.#forget();
    }
  }

  /** The blocked ways have changed. */
  review(): void {
    for (const end of [this.dialer, this.listener]) {
      const stream = this.streamOf(end);
      const other = this.#otherOf(end);
      if (this.#isBlocked(end, other)) stream.hold();
      else if (stream.isHeld && !other.isGone) this.#resendSoon(end, other);
    }
  }

  #stream(writer: NodeWireEnd, reader: NodeWireEnd): ByteStream {
    const { scheduler, dice } = this.#network;
    const weather = this.#network.weather({ from: writer.process.machine, to: reader.process.machine });
    return new ByteStream(
      { scheduler, dice, weather },
      {
        received: (chunk) => reader.received(chunk),
        ended: () => this.#closed(reader),
        drained: () => writer.drained(),
        // No line between nodes is narrow.
        slowed: () => undefined,
      },
    );
  }

  #end(end: NodeWireEnd): void {
    end.isOpen = false;
    this.streamOf(end).end();
    this.streamOf(this.#otherOf(end)).drop();
    this.#forget();
  }

  #breakSoon(end: NodeWireEnd): void {
    const noticeMs = this.#network.dice.below(1 + this.#network.noticeMs);
    this.#network.scheduler.after(noticeMs, () => this.#closed(end));
  }

  /** The end learns that the connection is over. */
  #closed(end: NodeWireEnd): void {
    end.process.gate.message(() => {
      if (!end.isOpen) return;
      end.isOpen = false;
      this.streamOf(end).drop();
      this.#forget();
      end.closed();
    });
  }

  #resendSoon(end: NodeWireEnd, other: NodeWireEnd): void {
    if (end.isResending) return;
    end.isResending = true;
    this.#network.scheduler.after(this.#network.dice.below(RESEND_MS_MAX), () => {
      end.isResending = false;
      if (!this.#isBlocked(end, other) && !other.isGone) this.streamOf(end).release();
    });
  }

  #forget(): void {
    if (!this.dialer.isOpen && !this.listener.isOpen) this.#network.forget(this);
  }

  #isBlocked(from: NodeWireEnd, to: NodeWireEnd): boolean {
    return this.#network.isBlocked(from.process.machine, to.process.machine);
  }

  #otherOf(end: NodeWireEnd): NodeWireEnd {
    return end === this.dialer ? this.listener : this.dialer;
  }
}

/** One write is one piece on the line. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const all = freshBytes(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
