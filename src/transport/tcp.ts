// TCP listeners: sockets on one side, the small interfaces of base/ports.ts on the other.

import { createServer, type Server, type Socket } from "node:net";
import { fail } from "../base/errors.ts";
import { type Acceptor, type Clock, type Connection, type ConnectionHandler, UNREAD_BYTES_MAX } from "../base/ports.ts";
import { formatAddress } from "./address.ts";
import { JOINED_BYTES_MAX, join, keepJoined } from "./join.ts";

export interface TcpOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly connectionsMax: number;
  readonly clock: Clock;
  readonly accept: Acceptor;
  /** Told when a connection is turned away because connectionsMax are open. */
  readonly refused: () => void;
}

export interface TcpListener {
  readonly port: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

// A peer that does not read or answer is not waited for longer than this when its connection is ended.
const END_MS_MAX = 500;

/** Listens; rejects with ADDRESS_IN_USE or CONFIG_INVALID when it can't. */
export async function listenTcp(options: TcpOptions): Promise<TcpListener> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
    if (sockets.size >= options.connectionsMax) {
      options.refused();
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    serve(socket, options);
  });
  await listening(server, options);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  return { port, close: () => closeAll(server, sockets) };
}

function listening(server: Server, { host, port }: TcpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, { host, port })));
    server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

// All clients of a dead node come at once; the kernel's own limit (net.core.somaxconn, 4,096 on Linux) still holds.
const LISTEN_BACKLOG = 4_096;

/** What failed when a server was to listen, as an error that says what to do. */
export function listenError(error: NodeJS.ErrnoException, { host, port }: { host: string; port: number }): Error {
  if (error.code === "EADDRINUSE") return fail("ADDRESS_IN_USE", { host, port });
  return fail("CONFIG_INVALID", { key: "bind", host, port, reason: error.message });
}

function serve(socket: Socket, { accept, clock }: TcpOptions): void {
  const connection = new SocketConnection(socket);
  const handler: ConnectionHandler = accept(connection, clock.nowMs());
  socket.on("data", (chunk: Buffer) => {
    connection.gather(() => handler.received(chunk, clock.nowMs()));
    // Who does not read its answers is not asked for more requests.
    if (socket.writableLength > UNREAD_BYTES_MAX) socket.pause();
  });
  socket.on("drain", () => {
    socket.resume();
    handler.drained(clock.nowMs());
  });
  // A reset is a close like any other; the close event follows.
  socket.on("error", () => socket.destroy());
  // A peer that has said all will not answer pushes either; what it has not read would keep the connection open.
  socket.on("end", () => socket.destroy());
  socket.once("close", () => handler.closed(clock.nowMs()));
}

// More than this is worth a system call of its own, and a push must see how much is waiting.
const GATHERED_BYTES_MAX = 64 * 1024;

class SocketConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  #gathered: Uint8Array[] | undefined;
  #gatheredBytes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = formatAddress(socket.remoteAddress, socket.remotePort);
    this.localAddress = formatAddress(socket.localAddress, socket.localPort);
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength + this.#gatheredBytes;
  }

  /** What is written to this connection during `run` leaves together: the answers to all frames of one chunk. */
  gather(run: () => void): void {
    this.#gathered = [];
    run();
    this.#endGathering();
  }

  write(...parts: readonly Uint8Array[]): void {
    const socket = this.#socket;
    if (parts.length === 0 || socket.destroyed || socket.writableEnded) return;
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (this.#gathered !== undefined && this.#gatheredBytes + bytes <= GATHERED_BYTES_MAX) {
      this.#gathered.push(...parts);
      this.#gatheredBytes += bytes;
      return;
    }
    if (this.#gatheredBytes > 0) this.#sendGathered();
    if (bytes === 0) return;
    if (parts.length > 1 && bytes <= JOINED_BYTES_MAX) {
      // What waits behind earlier bytes gets a buffer of its own size: a few bytes must not keep 64 KiB in memory.
      if (socket.writableLength > 0) socket.write(Buffer.concat(parts));
      else {
        socket.write(join(parts, bytes));
        if (socket.writableLength > 0) keepJoined();
      }
      return;
    }
    socket.cork();
    for (const part of parts) socket.write(part);
    socket.uncork();
  }

  close(): void {
    // An answer that explains the close goes out before it.
    this.#endGathering();
    end(this.#socket);
  }

  #endGathering(): void {
    this.#sendGathered();
    this.#gathered = undefined;
  }

  #sendGathered(): void {
    const gathered = this.#gathered ?? [];
    if (gathered.length === 0) return;
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    this.write(...gathered);
    this.#gathered = [];
  }
}

function end(socket: Socket): void {
  if (socket.destroyed) return;
  socket.end();
  const timer = setTimeout(() => socket.destroy(), END_MS_MAX);
  socket.once("close", () => clearTimeout(timer));
}

async function closeAll(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) end(socket);
  await closed;
}
