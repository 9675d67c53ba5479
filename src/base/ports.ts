// The doors to the outside world. Roles, gateways and the client know these interfaces only; `transport` and `server`
// implement them with sockets and clocks, `sim` with virtual ones.

/**
 * Milliseconds since 1970 that never jump: wall time at the start of the process, carried on by the monotonic clock.
 * An operator who sets the system clock neither ends leases nor turns versions back.
 */
export interface Clock {
  nowMs(): number;
}

/** Cancels what it was returned for. May be called twice. */
export type Cancel = () => void;

/** One-shot timers. `run` gets the time at which it really ran. */
export interface Timers {
  after(delayMs: number, run: (nowMs: number) => void): Cancel;
}

/** Dice. `next` is uniform in [0, 1). */
export interface Random {
  next(): number;
}

/** Values that are logged with an event: short, printable, no secrets. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean>>;

/** Structured log: `event` is a fixed short sentence, everything that varies is in `fields`. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** Compressors for push bodies: whole buffers in and out, at levels chosen by the host. */
export interface Compression {
  gzip(bytes: Uint8Array): Uint8Array;
  zstd(bytes: Uint8Array): Uint8Array;
}

/**
 * What may wait for a peer that does not read. Beyond it nothing is read from the peer either, and whoever can hold
 * writes back does so until `drained`: then the newest goes out, and not all that came between.
 */
export const UNREAD_BYTES_MAX = 1024 * 1024;

/** A byte stream to one peer, as TCP gives it: ordered, and lost only by being closed. */
export interface Connection {
  /** `ip:port` of the peer, as the socket says. IPv4 in dotted form, IPv6 in brackets. */
  readonly remoteAddress: string;
  /** `ip:port` at which the peer reached us. */
  readonly localAddress: string;
  /** Bytes that were written and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** Something that the peer has sent is here and waits for its turn: whoever seems silent is not. */
  readonly hasUnread: boolean;
  /** Sends the parts in order. The buffers are shared with other connections: nobody changes them afterwards. */
  write(...parts: readonly Uint8Array[]): void;
  /** Sends what is buffered, then ends the connection. The handler's `closed` follows. */
  close(): void;
}

/** What the owner of a connection is told. Nothing comes after `closed`. */
export interface ConnectionHandler {
  received(chunk: Uint8Array, nowMs: number): void;
  /** So many bytes were read and wait for their turn; `received` follows. */
  waits?(bytes: number, nowMs: number): void;
  /** The buffer has emptied after bytes had to wait in it. */
  drained(nowMs: number): void;
  closed(nowMs: number): void;
}

/** Takes a new connection and says who handles it. */
export type Acceptor = (connection: Connection, nowMs: number) => ConnectionHandler;
