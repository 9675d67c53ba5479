// UDP: sockets on one side, the datagram port of base/ports.ts on the other.

import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Clock, DatagramOpener } from "../base/ports.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { type ListenAddress, listenError } from "./listen.ts";

export interface UdpOptions extends ListenAddress {
  /** Other processes listen at the same port, and the system deals messages out. */
  readonly isShared?: boolean;
  readonly clock: Clock;
  readonly open: DatagramOpener;
  /** A message was not sent: `QUEUE_FULL`, or `SYSTEM`. */
  readonly dropped: (reason: "QUEUE_FULL" | "SYSTEM") => void;
  /** The system reports a fault of the port; it goes on. */
  readonly failed: (error: Error) => void;
}

export interface UdpListener {
  readonly port: number;
  /** Takes no more messages. */
  stopListening(): void;
  /** May be called twice. */
  close(): Promise<void>;
}

// The system takes messages at once, unless its own buffer is full. A thousand answers wait at most: who asks over UDP
// asks again.
const QUEUE_BYTES_MAX = 1024 * 1024;

/** Listens; rejects with ADDRESS_IN_USE or CONFIG_INVALID when it can't. */
export async function listenUdp({ dropped, failed, ...options }: UdpOptions): Promise<UdpListener> {
  const { key, host, port, isShared = false, clock } = options;
  const type = isIPv6(host.replace(/^\[(.*)\]$/, "$1")) ? "udp6" : "udp4";
  const socket = createSocket({ type, ...(isShared && { reusePort: true }) });
  await bound(socket, { key, host: host.replace(/^\[(.*)\]$/, "$1"), port });
  // A message that was refused on its way comes back as an error of the port.
  socket.on("error", failed);
  let isClosed = false;
  // Node's own count leaves out messages whose addresses it still looks at.
  let waitingBytes = 0;
  const send = (bytes: Uint8Array, to: string) => {
    const peer = parseAddress(to);
    if (peer === undefined || isClosed) return;
    if (waitingBytes + bytes.length > QUEUE_BYTES_MAX) return dropped("QUEUE_FULL");
    waitingBytes += bytes.length;
    socket.send(bytes, peer.port, peer.host, (error) => {
      waitingBytes -= bytes.length;
      if (error !== null) dropped("SYSTEM");
    });
  };
  const handler = options.open({ send });
  const take = (bytes: Buffer, { address, port: from }: { address: string; port: number }) =>
    handler.received(bytes, formatAddress(address, from), clock.nowMs());
  socket.on("message", take);
  const closed = new Promise<void>((resolve) => socket.once("close", resolve));
  return {
    port: socket.address().port,
    stopListening: () => void socket.off("message", take),
    close: () => {
      if (!isClosed) socket.close();
      isClosed = true;
      return closed;
    },
  };
}

function bound(socket: Socket, { key, host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      reject(listenError(error, { key, host, port }));
    });
    socket.bind({ address: host, port }, () => {
      socket.removeAllListeners("error");
      resolve();
    });
  });
}
