// TCP listeners: sockets on one side, the small interfaces of base/ports.ts on the other.

import { createServer, type Server, type Socket } from "node:net";
import { fail } from "../base/errors.ts";
import type { Acceptor, Clock, Connection, ConnectionHandler } from "../base/ports.ts";
import { formatAddress } from "./address.ts";

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
  // Everything that the frames of one chunk cause to be written leaves in one system call.
  socket.on("data", (chunk: Buffer) => {
    socket.cork();
    handler.received(chunk, clock.nowMs());
    process.nextTick(() => socket.uncork());
  });
  socket.on("drain", () => handler.drained(clock.nowMs()));
  // A reset is a close like any other; the close event follows.
  socket.on("error", () => socket.destroy());
  socket.once("close", () => handler.closed(clock.nowMs()));
}

class SocketConnection implements Connection {
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remoteAddress = formatAddress(socket.remoteAddress, socket.remotePort);
    this.localAddress = formatAddress(socket.localAddress, socket.localPort);
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  write(...parts: readonly Uint8Array[]): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    if (parts.length > 1) this.#socket.cork();
    for (const part of parts) this.#socket.write(part);
    if (parts.length > 1) this.#socket.uncork();
  }

  close(): void {
    end(this.#socket);
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
