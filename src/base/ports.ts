// The ports to the outside world. Roles, gateways and the client know only these interfaces; `transport` and `server`
// implement them with sockets and clocks, `sim` with virtual ones.

/**
 * Milliseconds since 1970 that never jump: wall time at the start of the process, carried on by the monotonic clock.
 * Setting the system clock neither ends leases nor turns versions back.
 */
export interface Clock {
  nowMs(): number;
}

/** Cancels the timer or listener that returned it. May be called twice. */
export type Cancel = () => void;

/** One-shot timers. `run` receives the time at which it really ran. */
export interface Timers {
  after(delayMs: number, run: (nowMs: number) => void): Cancel;
}

/** Dice. `next` is uniform in [0, 1). */
export interface Random {
  next(): number;
}

/** The costs of a slow hash. `salt` is in base64url, `bytes` the length of the result. */
export interface SlowHash {
  /** The cost in memory and time, as its logarithm to the base 2. */
  readonly costLog2: number;
  readonly blocks: number;
  readonly parallel: number;
  readonly salt: string;
  readonly bytes: number;
}

/** Cryptography for secrets. Bytes are in base64url, without padding, unless it says otherwise. */
export interface Secrets {
  /** Random bytes that can't be predicted. */
  random(bytes: number): string;
  sha256(text: string): string;
  /** HMAC-SHA-256 of a text, in base64 with padding. */
  hmacSha256(key: string, text: string): string;
  /** The scrypt hash of a password. Takes a tenth of a second, and no time of the event loop. */
  scrypt(password: string, cost: SlowHash): Promise<string>;
  /** Compares in a time that does not depend on where the texts differ. */
  isEqual(a: string, b: string): boolean;
}

/** Cryptography of the host, by which nodes prove to each other that they belong together. */
export interface Secrecy {
  /** 32 bytes that no one can foresee. */
  nonce(): Uint8Array;
  /** HMAC-SHA256, 32 bytes. */
  hmac(key: string, message: Uint8Array): Uint8Array;
}

/** Values that are logged with an event: short, printable, no secrets. */
export type LogFields = Readonly<Record<string, string | number | bigint | boolean>>;

/** A structured log: `event` is a fixed short sentence, everything that varies is in `fields`. */
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
 * The most bytes that wait for a peer that does not read. Beyond it nothing is read from the peer either, and a sender
 * that can hold writes back holds them until `drained`: then it sends the newest state, not all the states in between.
 */
export const UNREAD_BYTES_MAX = 1024 * 1024;

/** The certificate that a peer has shown and proved to have the key of; a trusted authority has signed it. */
export interface PeerCertificate {
  /** As `CN=orders,O=shop`, the most specific part first or last, as its authority wrote it. */
  readonly subject: string;
  /** The common name in the subject; empty if it has none, or several. */
  readonly commonName: string;
  /** The alternative names, with their kinds: `DNS:orders.shop`, `URI:roster://shop/data-1`, `IP Address:10.0.0.1`. */
  readonly names: readonly string[];
  /** SHA-256 of the certificate, as `AB:CD:…`. */
  readonly fingerprint: string;
}

/** A byte stream to one peer, as TCP provides it: ordered, and lost only by being closed. */
export interface Connection {
  /** Undefined on connections without TLS, and for peers without a certificate. */
  readonly certificate?: PeerCertificate | undefined;
  /** The memory that encryption takes beyond that of a plain connection; none if it is missing. */
  readonly encryptionBytes?: number;
  /** `ip:port` of the peer, as reported by the socket. IPv4 in dotted form, IPv6 in brackets. */
  readonly remoteAddress: string;
  /** `ip:port` at which the peer reached us. */
  readonly localAddress: string;
  /** Bytes written and not yet handed to the network. */
  readonly bufferedBytes: number;
  /** The peer has sent bytes that are here and wait for their turn, so a peer that seems silent is not. */
  readonly hasUnread: boolean;
  /** Sends the parts in order. Other connections share the buffers, so the caller must not change them afterwards. */
  write(...parts: readonly Uint8Array[]): void;
  /** Sends what is buffered, then ends the connection. The handler's `closed` follows. */
  close(): void;
}

/** The events for the owner of a connection. Nothing comes after `closed`. */
export interface ConnectionHandler {
  received(chunk: Uint8Array, nowMs: number): void;
  /** The connection has read `bytes`, which wait for their turn; `received` follows. */
  waits?(bytes: number, nowMs: number): void;
  /** The buffer is empty again after bytes had to wait in it. */
  drained(nowMs: number): void;
  closed(nowMs: number): void;
}

/** Accepts a new connection and returns its handler. */
export type Acceptor = (connection: Connection, nowMs: number) => ConnectionHandler;

/**
 * A port of datagrams, as UDP provides it: each message may be lost, come twice, come late, and come from somebody else
 * than it says.
 */
export interface DatagramPort {
  /** Sends a message to `ip:port`, an IPv6 address in brackets. Drops it while too much waits to leave. */
  send(bytes: Uint8Array, to: string): void;
}

/** Takes the messages of a port; `from` is `ip:port`, in the form of `Connection.remoteAddress`. */
export interface DatagramHandler {
  received(bytes: Uint8Array, from: string, nowMs: number): void;
}

/** Called when the port is open; returns what takes its messages. */
export type DatagramOpener = (port: DatagramPort) => DatagramHandler;
