// How long a client may take to answer what it was pushed. The time begins when the last byte has left this process,
// and is longer for what takes long to be read: beyond this process lie the buffers of two kernels, several MiB, and a
// client behind a slow line has read all of it only when they are empty. A push over TCP does not get lost on the way,
// so a repetition can only help a client that has dropped it; to one that is slow it is more of the same.

import type { ClientChannel } from "../registry/registry.ts";

/** What was sent to a client and is not answered. */
export interface SentPush {
  /** What the client's channel had written when it was sent, this included. */
  readonly endByte: number;
  /** So many bytes the client had to read for it: all up to its end that no answer had confirmed yet. */
  readonly unreadBytes: number;
  /** When its last byte left, at the earliest. */
  leftMs: number;
}

/** Who was sent it, and how long that client needs for an answer, as far as is known. */
interface Receiver {
  readonly channel: ClientChannel;
  readonly answerMs: number;
}

// A line that is slower than 40 KB/s is too slow for lists that don't fit the buffers.
const BYTES_PER_MS_MIN = 40;
// What fits a kernel's smallest buffer is read at once.
const FREE_BYTES = 64 * 1024;
// What Linux keeps at the most, 4 MiB to send and 6 MiB received, takes so long on such a line, about.
const READING_MS_MAX = 240_000;

/** When its time is over, by what is known at `nowMs`. Takes note if its bytes have not left yet. */
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
