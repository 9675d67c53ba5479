// A client's TCP connection to a session, with every fate of one: either side closes it, it breaks with bytes under
// way, it falls silent without notice, or it is read slowly.

import type { Connection, ConnectionHandler } from "../../base/ports.ts";
import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import { ByteStream, type Weather } from "./byteStream.ts";

export interface WireEnvironment {
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly weather: Weather;
  /** The server's side has ended, by its own will or not, or has heard of the end. */
  readonly serverLost: (isOwnWill: boolean) => void;
  /** The server wrote; `bytes` now wait for the client. */
  readonly buffered: (bytes: number, written: number) => void;
  /** The narrow line to the client begins to carry bytes, or it carries none any more. */
  readonly slowed: (isSlow: boolean) => void;
}

// A transport waits at most this long for a peer that does not take the last bytes.
const END_MS_MAX = 500;

class WireEnd implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly isServer: boolean;
  /** Input is taken at once. */
  readonly hasUnread = false;
  readonly #wire: Wire;

  constructor(wire: Wire, addresses: { remote: string; local: string }, isServer: boolean) {
    this.#wire = wire;
    this.remoteAddress = addresses.remote;
    this.localAddress = addresses.local;
    this.isServer = isServer;
  }

  get bufferedBytes(): number {
    return this.#wire.bufferedBytes(this);
  }

  write(...parts: readonly Uint8Array[]): void {
    this.#wire.write(this, parts);
  }

  close(): void {
    this.#wire.close(this);
  }
}

interface Side {
  readonly end: WireEnd;
  readonly stream: ByteStream;
  handler: ConnectionHandler | undefined;
  clock: () => number;
  isOpen: boolean;
}

export class Wire {
  readonly #environment: WireEnvironment;
  readonly #client: Side;
  readonly #server: Side;
  #isSilent = false;
  #isBroken = false;
  #isServerTold = false;

  constructor(environment: WireEnvironment, addresses: { client: string; server: string }) {
    this.#environment = environment;
    const { client, server } = addresses;
    this.#client = this.#side(new WireEnd(this, { remote: server, local: client }, false), () => this.#server);
    this.#server = this.#side(new WireEnd(this, { remote: client, local: server }, true), () => this.#client);
  }

  get clientEnd(): Connection {
    return this.#client.end;
  }

  get serverEnd(): Connection {
    return this.#server.end;
  }

  get isOpen(): boolean {
    return this.#client.isOpen && this.#server.isOpen;
  }

  /** `clock` is the reader's own. */
  serve(handler: ConnectionHandler, clock: () => number): void {
    this.#server.handler = handler;
    this.#server.clock = clock;
  }

  use(handler: ConnectionHandler): void {
    this.#client.handler = handler;
  }

  bufferedBytes(end: WireEnd): number {
    return this.#sideOf(end).stream.waitingBytes;
  }

  write(end: WireEnd, parts: readonly Uint8Array[]): void {
    const side = this.#sideOf(end);
    if (!side.isOpen) return;
    for (const part of parts) side.stream.write(part);
    if (!end.isServer) return;
    const written = parts.reduce((sum, part) => sum + part.length, 0);
    this.#environment.buffered(side.stream.waitingBytes, written);
  }

  /** One side ends it in order. */
  close(end: WireEnd): void {
    const side = this.#sideOf(end);
    if (!side.isOpen) return;
    side.stream.end();
    this.#otherOf(side).stream.drop();
    if (end.isServer) this.#tellServerLost(true);
    this.#environment.scheduler.after(this.#environment.dice.below(END_MS_MAX), () => {
      this.#closed(side);
      // The other side may not have read to the end yet: then it is reset.
      if (!this.#isSilent) this.#closed(this.#otherOf(side));
    });
  }

  /**
   * Breaks it: bytes under way are lost, and each side is told after its own delay, a dead side never. Neither side
   * notices the break of a silent connection until it speaks again: the written bytes wait.
   */
  cut(delays: { clientMs: number; serverMs: number }): void {
    this.#isBroken = true;
    if (this.#isSilent) return;
    this.#client.stream.drop();
    this.#server.stream.drop();
    this.#environment.scheduler.after(delays.clientMs, () => this.#closed(this.#client));
    this.#environment.scheduler.after(delays.serverMs, () => this.#closed(this.#server));
  }

  /** A process died; its side never hears or sends anything again. */
  die(side: "client" | "server"): void {
    const dead = side === "client" ? this.#client : this.#server;
    dead.handler = undefined;
    dead.isOpen = false;
  }

  /** Delivers nothing in either direction, without notice. */
  fallSilent(): void {
    this.#isSilent = true;
    this.#client.stream.hold();
    this.#server.stream.hold();
  }

  /** Ends the silence. Bytes sent in it come late, unless one side has given up: then the other learns that now. */
  speakAgain(): void {
    this.#isSilent = false;
    if (!this.isOpen || this.#isBroken) return this.cut({ clientMs: 0, serverMs: 0 });
    this.#client.stream.release();
    this.#server.stream.release();
  }

  /** The client stops reading, or reads again. */
  readSlowly(isSlow: boolean): void {
    if (isSlow) this.#server.stream.hold();
    else this.#server.stream.release();
  }

  /** Delays everything that the client sends, its answers too, by `lateMs`. */
  hearLate(lateMs: number): void {
    this.#client.stream.delay(lateMs);
  }

  /** The client is behind a line that brings it this many bytes a second. */
  narrow(bytesPerSecond: number): void {
    this.#server.stream.limit(bytesPerSecond);
  }

  #side(end: WireEnd, reader: () => Side): Side {
    const side: Side = {
      end,
      stream: new ByteStream(this.#environment, {
        received: (chunk) => reader().handler?.received(chunk, reader().clock()),
        ended: () => this.#closed(reader()),
        drained: () => side.handler?.drained(side.clock()),
        slowed: (isSlow) => this.#environment.slowed(isSlow),
      }),
      handler: undefined,
      clock: () => this.#environment.scheduler.nowMs,
      isOpen: true,
    };
    return side;
  }

  #closed(side: Side): void {
    if (!side.isOpen) return;
    side.isOpen = false;
    side.stream.drop();
    if (side.end.isServer) this.#tellServerLost(false);
    side.handler?.closed(side.clock());
    side.handler = undefined;
  }

  #tellServerLost(isOwnWill: boolean): void {
    if (!this.#isServerTold) this.#environment.serverLost(isOwnWill);
    this.#isServerTold = true;
  }

  #sideOf(end: WireEnd): Side {
    return end.isServer ? this.#server : this.#client;
  }

  #otherOf(side: Side): Side {
    return side === this.#server ? this.#client : this.#server;
  }
}
