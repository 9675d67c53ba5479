// Active checks as pure code sees them: a probe of one address, and its outcome. `transport` has the sockets, `sim` a
// virtual network. A probe that the node's rules forbid (addresses, schemes) ends as `denied`, and nothing was sent.

import type { Cancel } from "./ports.ts";

/** A TCP connection that is made and closed. */
export interface TcpProbe {
  readonly kind: "tcp";
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A request by HTTP. Redirects are not followed, and the body of the answer is not kept. */
export interface HttpProbe {
  readonly kind: "http";
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** Certificates are not verified. */
  readonly isTlsUnchecked: boolean;
  readonly method: "GET" | "HEAD" | "OPTIONS";
  /** Path and query; begins with a slash. */
  readonly path: string;
  /** Names in lower case; `host` is sent in the place of the one in `host`. */
  readonly headers: ReadonlyMap<string, string>;
  /** The only status that is fine; undefined: 2xx is fine, and 429 a warning. */
  readonly expectedStatus: number | undefined;
}

/** The call `Check` of the standard health service of gRPC (grpc.health.v1). */
export interface GrpcProbe {
  readonly kind: "grpc";
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  readonly isTlsUnchecked: boolean;
  /** Empty for the whole server. */
  readonly service: string;
}

/** A datagram. It passes unless the system reports that no process takes it; silence passes. */
export interface UdpProbe {
  readonly kind: "udp";
  readonly host: string;
  readonly port: number;
}

/** A probe of one address. */
export type Probe = TcpProbe | HttpProbe | GrpcProbe | UdpProbe;

/** The outcome of one probe. `denied`: this node may not make it. */
export interface ProbeOutcome {
  readonly result: "passing" | "warning" | "critical" | "denied";
  /** One line for people; nothing that the other side has sent apart from a status. */
  readonly output: string;
}

/** The port to the network for active checks. */
export interface Probes {
  /**
   * Begins a probe. `done` is called once, not before this returns, and `critical` at the latest after `timeoutMs`;
   * never after it was cancelled.
   */
  probe(probe: Probe, timeoutMs: number, done: (outcome: ProbeOutcome) => void): Cancel;
  /** The reason why this node would not make it, without looking names up; undefined if it may. */
  refusal(probe: Probe): string | undefined;
}
