// Sockets as light as Node has them: one buffer for the reads of all of them, since what was read is looked at before
// anything else is read. A buffer for each would make garbage collection half of what is measured.

import { Buffer } from "node:buffer";
import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { nowMs } from "./clock.ts";

/** Where a server's clients connect. */
export interface Address {
  readonly host: string;
  readonly port: number;
  /** From where to connect, on a machine with several addresses. */
  readonly localAddress?: string;
}

const READ_BYTES = 256 * 1024;
const shared = Buffer.allocUnsafe(READ_BYTES);

/** How a socket reads. */
export interface Reading {
  /** Takes each read; the bytes are only valid during the call. Returning false stops reading until `resume`. */
  onRead(chunk: Buffer, socket: Socket): boolean | undefined;
  onClose?(): void;
  /** Where reads go, if not into the buffer that all share: a small one makes for small reads. */
  readonly buffer?: Buffer;
}

/** Connects. Rejects if that fails; later errors only end the socket. */
export async function connect(address: Address, { onRead, onClose, buffer = shared }: Reading): Promise<Socket> {
  const socket: Socket = createConnection({
    ...address,
    noDelay: true,
    onread: { buffer, callback: (length) => onRead(buffer.subarray(0, length), socket) ?? true },
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  // Code that waits for this connection learns of its end by `close`.
  socket.on("error", () => socket.destroy());
  if (onClose !== undefined) socket.once("close", onClose);
  return socket;
}

// How often a server that is starting is tried, and for how long.
const RETRY_MS = 5;
const START_MS_MAX = 120_000;

/** Calls until it does not reject, as one does with a server that is starting. */
export async function retryUntilUp<T>(attempt: () => Promise<T>): Promise<T> {
  const endMs = nowMs() + START_MS_MAX;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (nowMs() > endMs) throw error;
      await sleep(RETRY_MS);
    }
  }
}
