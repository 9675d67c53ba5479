// The time that a client has to answer a push. It begins when the last byte has left this process, and is longer for a
// push that takes long to read. Beyond this process lie the buffers of two kernels, several MiB, and a client behind a
// slow line has read a push only when they are empty. A push over TCP does not get lost on the way, so a repetition can
// only help a client that has dropped it; it only burdens a slow one.

import type { ClientChannel } from "../registry/registry.ts";

/** A push to a client that is not answered. */
export interface SentPush {
  /** The number of bytes that the client's channel had written with this push. */
  readonly endByte: number;
  /** The bytes that the client had to read for it: all up to its end that no answer had confirmed yet. */
  readonly unreadBytes: number;
  /** The earliest time at which its last byte left. */
  leftMs: number;
}

/** The receiver of the push, and the time that it needs for an answer, as far as known. */
interface Receiver {
  readonly channel: ClientChannel;
  readonly answerMs: number;
}

// A line slower than 40 KB/s is too slow for lists that don't fit the buffers.
const BYTES_PER_MS_MIN = 40;
// Bytes that fit a kernel's smallest buffer are read at once.
const FREE_BYTES = 64 * 1024;
// The approximate time that Linux's largest buffers, 4 MiB to send and 6 MiB received, take on such a line.
const READING_MS_MAX = 240_000;

/** The time at which its answer is due, as known at `nowMs`. Takes note if its bytes have not left yet. */
export function answerDueMs(
  push: SentPush,
  client: Receiver,
  { timeoutMs, nowMs }: { timeoutMs: number; nowMs: number },
): number {
  if (!hasLeft(push, client)) push.leftMs = nowMs;
  const readingMs = Math.min(Math.max(0, push.unreadBytes - FREE_BYTES) / BYTES_PER_MS_MIN, READING_MS_MAX);
  return push.leftMs + Math.max(timeoutMs, client.answerMs) + readingMs;
}

/** Whether its last byte has left this process. */
export function hasLeft({ endByte }: SentPush, { channel }: Receiver): boolean {
  return channel.sentBytes >= endByte;
}
