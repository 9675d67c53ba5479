// DNS over TCP (RFC 7766): messages with their length before them, several on one connection, each answered when its
// answer is there.

import { type Budget, CHARGE } from "../../base/budget.ts";
import type { Acceptor, Connection, ConnectionHandler } from "../../base/ports.ts";
import type { Resolver } from "./resolver.ts";

// A query has a name of 255 bytes at most, and some options.
const QUERY_BYTES_MAX = 4_096;
// Resolvers close after some seconds. One that holds a connection for nothing takes it from others.
const IDLE_MS = 20_000;
// A client that sends without reading is not read from any more (transport); this many wait for their lists.
const WAITING_MAX = 256;
const CONNECTION_BYTES = 2 * 1_024 + QUERY_BYTES_MAX;

export class TcpConnections {
  readonly #resolver: Resolver;
  readonly #budget: Budget;
  readonly #open = new Set<TcpClient>();

  constructor(resolver: Resolver, budget: Budget) {
    this.#resolver = resolver;
    this.#budget = budget;
  }

  readonly accept: Acceptor = (connection, nowMs) => {
    const account = this.#budget.open(hostOfPeer(connection));
    const isRefused = account.charge(CHARGE.connections, CONNECTION_BYTES) !== undefined;
    const client = new TcpClient(connection, { resolver: this.#resolver, nowMs }, () => {
      this.#open.delete(client);
      if (!isRefused) account.release(CHARGE.connections, CONNECTION_BYTES);
      account.close();
    });
    this.#open.add(client);
    if (isRefused) connection.close();
    return client;
  };

  /** Ends idle connections. */
  check(nowMs: number): void {
    for (const client of this.#open) client.endIfIdle(nowMs);
  }
}

class TcpClient implements ConnectionHandler {
  readonly #connection: Connection;
  readonly #resolver: Resolver;
  readonly #ended: () => void;
  #usedMs: number;
  #waiting = 0;
  #unread: Uint8Array = new Uint8Array(0);
  #isOver = false;

  constructor(connection: Connection, { resolver, nowMs }: { resolver: Resolver; nowMs: number }, ended: () => void) {
    this.#connection = connection;
    this.#resolver = resolver;
    this.#usedMs = nowMs;
    this.#ended = ended;
  }

  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#isOver) return;
    let bytes = this.#unread.length === 0 ? chunk : joined(this.#unread, chunk);
    for (let length = lengthOf(bytes); length !== undefined && !this.#isOver; length = lengthOf(bytes)) {
      if (length > QUERY_BYTES_MAX) return this.#end("malformed");
      if (bytes.length < 2 + length) break;
      this.#usedMs = nowMs;
      this.#resolve(bytes.subarray(2, 2 + length), nowMs);
      bytes = bytes.subarray(2 + length);
    }
    // A chunk belongs to the socket; what is kept of it is small.
    this.#unread = bytes.slice();
  }

  drained(): void {
    // Answers are not held back.
  }

  closed(): void {
    this.#isOver = true;
    this.#ended();
  }

  endIfIdle(nowMs: number): void {
    if (this.#waiting === 0 && nowMs >= this.#usedMs + IDLE_MS) this.#connection.close();
  }

  #resolve(bytes: Uint8Array, nowMs: number): void {
    if (this.#waiting >= WAITING_MAX) return this.#end("dropped");
    this.#waiting++;
    const from = hostOfPeer(this.#connection);
    const isAnswerable = this.#resolver.resolve({ bytes, transport: "tcp", from }, nowMs, (answer) => {
      this.#waiting--;
      if (this.#isOver) return;
      this.#connection.write(Uint8Array.of(answer.length >> 8, answer.length & 0xff), answer);
    });
    if (!isAnswerable) this.#end("malformed");
  }

  #end(outcome: "malformed" | "dropped"): void {
    this.#isOver = true;
    this.#resolver.count("tcp", outcome);
    this.#connection.close();
  }
}

/** The IP address of the peer. */
export function hostOfPeer({ remoteAddress }: Pick<Connection, "remoteAddress">): string {
  return remoteAddress.replace(/:\d+$/, "");
}

function lengthOf(bytes: Uint8Array): number | undefined {
  const [high, low] = bytes;
  return high === undefined || low === undefined ? undefined : high * 256 + low;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}
