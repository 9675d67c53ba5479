// The first record of each direction: a client begins or continues a session.

import { JuteReader } from "../../../encoding/jute/reader.ts";
import { JuteWriter } from "../../../encoding/jute/writer.ts";

export const PASSWORD_BYTES = 16;

export interface ConnectRequest {
  readonly lastZxidSeen: bigint;
  readonly timeoutMs: number;
  /** 0: a new one. */
  readonly session: bigint;
  readonly password: Uint8Array;
  /** Undefined: the client does not know of it, and is not told of it. */
  readonly isReadOnly: boolean | undefined;
}

/** Throws JUTE_MALFORMED. */
export function decodeConnect(frame: Uint8Array): ConnectRequest {
  const reader = new JuteReader(frame);
  reader.int();
  const lastZxidSeen = reader.long();
  const timeoutMs = reader.int();
  const session = reader.long();
  const password = reader.buffer() ?? new Uint8Array(0);
  const isReadOnly = reader.remaining > 0 ? reader.bool() : undefined;
  return { lastZxidSeen, timeoutMs, session, password, isReadOnly };
}

export interface ConnectResponse {
  readonly timeoutMs: number;
  readonly session: number;
  readonly password: Uint8Array;
}

/** The answer to a client whose session has expired, or that is no client of it. */
export const EXPIRED: ConnectResponse = { timeoutMs: 0, session: 0, password: new Uint8Array(PASSWORD_BYTES) };

/** The whole frame. */
export function encodeConnected(
  { timeoutMs, session, password }: ConnectResponse,
  { isReadOnly }: Pick<ConnectRequest, "isReadOnly">,
): Uint8Array {
  const writer = new JuteWriter(64);
  writer.int(0).int(timeoutMs).long(session).buffer(password);
  if (isReadOnly !== undefined) writer.bool(false);
  return new JuteWriter(64).buffer(writer.done()).done();
}
