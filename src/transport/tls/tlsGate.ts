// The way from an accepted socket to one that is safe to read: the TLS handshake, in bounded numbers and time, and on
// ports that take plain connections too, the look at the first byte that tells which kind a connection is.
//
// Node's TLS server makes the handshake: it is given sockets that our own listener has accepted and counted, and does
// not listen itself. With new credentials a new one takes the next sockets; handshakes under way end with the old ones.

import { constants } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket } from "node:tls";
import { ConnectionShares } from "../../base/connectionShares.ts";
import { formatAddress } from "../address.ts";
import type { Credentials } from "./credentials.ts";
import { HANDSHAKE_LIMITS, type HandshakeLimits, HandshakeRate } from "./handshakeRate.ts";

/** Whether clients are asked for a certificate: not at all, if they have one, or each of them. */
export type ClientAuth = "none" | "request" | "require";

/** The end of a handshake. `plain` is a connection without TLS, `refused` one too many at once. */
export type HandshakeOutcome = "ok" | "plain" | "failed" | "timeout" | "refused";

export interface TlsPort {
  /** The credentials for the next connection. */
  readonly credentials: () => Credentials;
  readonly clientAuth: ClientAuth;
  /** Whether connections without TLS are served too. */
  readonly takesPlain: boolean;
  /** The protocols that are offered to clients that ask (ALPN). */
  readonly protocols?: readonly string[];
  /** Called once for each connection. */
  readonly ended: (outcome: HandshakeOutcome) => void;
  /** A handshake that did not go well, unless the peer merely closed its connection. */
  readonly failed: (reason: string, address: string) => void;
  /** The number of handshakes that are under way at this port. */
  readonly underWay: (count: number) => void;
  readonly handshakeMsMax?: number;
  /** Of each address; HANDSHAKE_LIMITS if not given. */
  readonly handshakes?: HandshakeLimits;
}

/** The time for a handshake; it takes two round trips and a few milliseconds of work. */
export const HANDSHAKE_MS_MAX = 10_000;

/** The most handshakes at a time, shared among addresses like connections; each takes some 50 KiB and 1 ms of work. */
export const HANDSHAKES_MAX = 1_024;

// About 20 ms of work in one turn of the event loop, as for the input of clients.
const STARTS_PER_TURN_MAX = 16;

// The first byte of every TLS connection: a record of the kind "handshake". No protocol of ours begins with it.
const TLS_FIRST_BYTE = 0x16;

interface Handshake {
  readonly key: string;
  readonly raw: Socket;
  readonly address: string;
  readonly secured: (socket: Socket) => void;
  readonly timer: NodeJS.Timeout;
}

export class TlsGate {
  readonly #port: TlsPort;
  readonly #handshakes = new ConnectionShares(() => HANDSHAKES_MAX);
  readonly #rate: HandshakeRate;
  /** By both ends of the connection, which no two have in common. */
  readonly #open = new Map<string, Handshake>();
  #waiting: Handshake[] = [];
  #engine: { readonly credentials: Credentials; readonly server: Server } | undefined;

  constructor(port: TlsPort) {
    this.#port = port;
    this.#rate = new HandshakeRate(port.handshakes ?? HANDSHAKE_LIMITS);
  }

  /** Calls `secured` with the socket to read and write. A connection that does not get so far is destroyed. */
  secure(raw: Socket, secured: (socket: Socket) => void): void {
    const address = formatAddress(raw.remoteAddress, raw.remotePort);
    // A reset is an end like any other.
    raw.on("error", () => raw.destroy());
    const refusal = this.#handshakes.take(address);
    if (refusal !== undefined) {
      this.#port.ended("refused");
      this.#port.failed(`${HANDSHAKES_MAX} handshakes may be under way, of one address half`, address);
      return void raw.destroy();
    }
    const timer = setTimeout(() => this.#timedOut(handshake), this.#port.handshakeMsMax ?? HANDSHAKE_MS_MAX);
    const handshake = { key: keyOf(raw), raw, address, secured, timer };
    this.#open.set(handshake.key, handshake);
    this.#port.underWay(this.#open.size);
    raw.once("close", () => this.#failed(handshake, "failed", ""));
    if (this.#port.takesPlain) this.#awaitFirstByte(handshake);
    else this.#start(handshake);
  }

  /** Ends all handshakes that are under way. */
  close(): void {
    for (const { raw } of [...this.#open.values()]) raw.destroy();
  }

  #awaitFirstByte(handshake: Handshake): void {
    const { raw } = handshake;
    raw.once("data", (chunk: Buffer) => {
      raw.pause();
      raw.unshift(chunk);
      if (chunk[0] === TLS_FIRST_BYTE) this.#start(handshake);
      else this.#plain(handshake);
    });
  }

  /** Hands the socket to Node, a few in each turn of the event loop: all clients of a lost node come at once. */
  #start(handshake: Handshake): void {
    const { address } = handshake;
    if (!this.#rate.begin(address, performance.now())) {
      const { atOnceMax, perSecondMax } = this.#port.handshakes ?? HANDSHAKE_LIMITS;
      const reason = `one address may begin ${atOnceMax} handshakes at once, then ${perSecondMax} a second`;
      return this.#failed(handshake, "refused", reason);
    }
    // While others wait, a turn has been asked for.
    if (this.#waiting.push(handshake) === 1) setImmediate(() => this.#turn());
  }

  #turn(): void {
    const starting = this.#waiting.slice(0, STARTS_PER_TURN_MAX);
    this.#waiting = this.#waiting.slice(STARTS_PER_TURN_MAX);
    if (this.#waiting.length > 0) setImmediate(() => this.#turn());
    for (const { raw } of starting) if (!raw.destroyed) this.#server().emit("connection", raw);
  }

  #plain(handshake: Handshake): void {
    this.#end(handshake);
    this.#port.ended("plain");
    handshake.secured(handshake.raw);
    // It was paused while its first byte was looked at.
    handshake.raw.resume();
  }

  #timedOut(handshake: Handshake): void {
    const { raw } = handshake;
    // A silent client without TLS is for its protocol to judge.
    if (this.#port.takesPlain && raw.bytesRead === 0) {
      raw.removeAllListeners("data");
      raw.pause();
      return this.#plain(handshake);
    }
    this.#failed(handshake, "timeout", "the handshake was not over in time");
  }

  #secured(socket: TLSSocket): void {
    const handshake = this.#open.get(keyOf(socket));
    // Its raw socket has just ended.
    if (handshake === undefined) return void socket.destroy();
    const hasCertificate = socket.getPeerX509Certificate() !== undefined;
    // A client may have no certificate where it is only requested, but none that can't be trusted.
    if (hasCertificate && !socket.authorized) {
      socket.destroy();
      return this.#failed(handshake, "failed", `its certificate can't be trusted: ${socket.authorizationError}`);
    }
    this.#end(handshake);
    this.#port.ended("ok");
    handshake.secured(socket);
  }

  #failed(handshake: Handshake, outcome: "failed" | "timeout" | "refused", reason: string): void {
    if (!this.#end(handshake)) return;
    this.#port.ended(outcome);
    if (reason !== "") this.#port.failed(reason, handshake.address);
    handshake.raw.destroy();
  }

  /** Whether it was under way until now. */
  #end(handshake: Handshake): boolean {
    if (this.#open.get(handshake.key) !== handshake) return false;
    this.#open.delete(handshake.key);
    clearTimeout(handshake.timer);
    this.#handshakes.release(handshake.address);
    this.#port.underWay(this.#open.size);
    return true;
  }

  #server(): Server {
    const credentials = this.#port.credentials();
    if (this.#engine?.credentials !== credentials) this.#engine = { credentials, server: this.#engineOf(credentials) };
    return this.#engine.server;
  }

  #engineOf({ cert, key, ca, minVersion, ciphers }: Credentials): Server {
    const { clientAuth, protocols, handshakeMsMax = HANDSHAKE_MS_MAX } = this.#port;
    const requestCert = clientAuth !== "none";
    // A resumed session would keep a client in whose authority is not trusted any more.
    const tickets = requestCert ? constants.SSL_OP_NO_TICKET : 0;
    const server = createServer({
      ...{ cert, key, minVersion, ciphers, requestCert },
      ...(requestCert && ca !== undefined && { ca }),
      rejectUnauthorized: clientAuth === "require",
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE | tickets,
      handshakeTimeout: handshakeMsMax,
      ...(protocols !== undefined && { ALPNProtocols: [...protocols] }),
    });
    server.on("secureConnection", (socket) => this.#secured(socket));
    server.on("tlsClientError", (error, socket) => this.#faulted(error, socket));
    return server;
  }

  #faulted(error: Error, socket: TLSSocket): void {
    const handshake = this.#open.get(keyOf(socket));
    if (handshake !== undefined) return this.#failed(handshake, "failed", error.message);
    // Node has refused the certificate and has closed the connection, whose address is not known any more.
    const fault = socket.authorizationError;
    if (fault) this.#port.failed(`its certificate can't be trusted: ${fault}`, "unknown");
  }
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
