// Sockets that a port accepts: counted for each address, through TLS where the port has it, and closed with the port.
// The bytes of each are another file's matter (tcp.ts, http2.ts).

import { createServer, type Server, type Socket } from "node:net";
import { ConnectionShares, type ShareRefusal } from "../base/connectionShares.ts";
import { type ErrorDetails, fail } from "../base/errors.ts";
import { formatAddress } from "./address.ts";
import { TlsGate, type TlsPort } from "./tls/tlsGate.ts";

export interface ListenAddress {
  /** The setting that names the port. */
  readonly key: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

export interface ListenOptions extends ListenAddress {
  /** Other processes listen at the same port, and the system deals connections out. */
  readonly isShared?: boolean;
  /** One address gets no more of them than are still free. */
  readonly connectionsMax: () => number;
  /** Called when a connection is refused because connectionsMax are open, or its address has its share. */
  readonly refused: (reason: ShareRefusal, address: string, numbers: ErrorDetails) => void;
  /** The system could not give us a new connection, for instance without free descriptors; the next one may succeed. */
  readonly notAccepted: (error: Error) => void;
  /** Undefined for a port without TLS. */
  readonly tls?: TlsPort | undefined;
}

/** A port and its open connections. */
export interface SocketListener {
  readonly port: number;
  readonly connections: number;
  /** Accepts no new connections; open ones continue. */
  stopListening(): void;
  /** Ends this many of the open connections. */
  endSome(count: number): void;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

// SOFARegistry's Java client (Bolt) keeps a connection for ever that was closed before it had put it into its pool, and
// then never makes another one to this address. So a refused connection is closed a moment later; beyond so many at
// once, which is a storm or an attack, they are closed at once.
const REFUSED_MS = 100;
const REFUSED_MAX = 100;

// Firewalls forget connections that are silent for minutes; the system's own default is two hours.
export const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelay: 30_000 } as const;

/**
 * Listens, and has each accepted socket served. Rejects with ADDRESS_IN_USE or CONFIG_INVALID when it can't listen.
 */
export async function listenSockets(
  options: ListenOptions,
  serve: (socket: Socket) => { close(): void },
): Promise<SocketListener> {
  const sockets = new Map<Socket, { close(): void }>();
  const refused = new Set<Socket>();
  const shares = new ConnectionShares(options.connectionsMax);
  const gate = options.tls === undefined ? undefined : new TlsGate(options.tls);
  const server = createServer({ noDelay: true, ...KEEP_ALIVE }, (socket) => {
    const address = formatAddress(socket.remoteAddress, socket.remotePort);
    const refusal = shares.take(address);
    if (refusal !== undefined) {
      options.refused(refusal, address, shares.explain(address));
      closeSoon(socket, refused);
      return;
    }
    socket.once("close", () => {
      sockets.delete(socket);
      shares.release(address);
    });
    const begin = (secured: Socket) => void sockets.set(socket, serve(secured));
    if (gate === undefined) return begin(socket);
    sockets.set(socket, { close: () => socket.destroy() });
    gate.secure(socket, begin);
  });
  await listening(server, options);
  server.on("error", options.notAccepted);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  // Settles when the listener and all its connections are gone.
  const closed = new Promise<void>((resolve) => server.once("close", resolve));
  const stopListening = () => void (server.listening && server.close());
  return {
    port,
    get connections() {
      return sockets.size;
    },
    stopListening,
    endSome: (count) => {
      for (const connection of [...sockets.values()].slice(0, count)) connection.close();
    },
    close: () => {
      stopListening();
      for (const connection of sockets.values()) connection.close();
      for (const socket of refused) socket.destroy();
      return closed;
    },
  };
}

/** Closes a refused connection, which is never read, when its client has certainly made it its own. */
function closeSoon(socket: Socket, refused: Set<Socket>): void {
  socket.on("error", () => undefined);
  if (refused.size >= REFUSED_MAX) return void socket.destroy();
  refused.add(socket);
  const timer = setTimeout(() => socket.destroy(), REFUSED_MS);
  socket.once("close", () => {
    clearTimeout(timer);
    refused.delete(socket);
  });
}

function listening(server: Server, { key, host, port, isShared = false }: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, { key, host, port })));
    server.listen({ host, port, backlog: LISTEN_BACKLOG, reusePort: isShared }, () => {
      server.removeAllListeners("error");
      resolve();
    });
  });
}

// All clients of a dead node come at once; the kernel's own limit (net.core.somaxconn, 4,096 on Linux) still holds.
const LISTEN_BACKLOG = 4_096;

/** The error for a failed listen, with the remedy. */
export function listenError(error: NodeJS.ErrnoException, { key, host, port }: ListenAddress): Error {
  if (error.code === "EADDRINUSE") return fail("ADDRESS_IN_USE", { key, host, port });
  if (error.code === "EACCES") return fail("CONFIG_INVALID", { key, host, port, reason: error.message });
  return fail("CONFIG_INVALID", { key: "bind", host, port, reason: error.message });
}
