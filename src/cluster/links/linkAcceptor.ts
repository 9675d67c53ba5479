// The links that other nodes have made to this one. A node has at most one of each kind: when it comes again, its
// earlier connection is dead, whether or not that has been noticed here.

import { ConnectionShares, type ShareRefusal } from "../../base/connectionShares.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Clock, Connection, ConnectionHandler, Log, Timers } from "../../base/ports.ts";
import { encodeHelloAnswer } from "../codec/hello.ts";
import { AcceptedGreeting, type AcceptingNode, type Peer, type Verdict } from "./acceptedGreeting.ts";
import type { ClusterSecret } from "./clusterSecret.ts";
import {
  CLOSED_BY_PEER,
  type GreetingAnswer,
  Link,
  type LinkEnvironment,
  type LinkMessage,
  type LinkTimes,
  NO_GREETING,
  REFUSED,
} from "./link.ts";

export interface AcceptorEvents {
  up(peer: Peer): void;
  /** A RegistryError thrown here closes the link. */
  received(peer: Peer, className: string, content: Uint8Array): void;
  /** Comes once after each `up`, and before the `up` of a link that replaces it. */
  down(peer: Peer): void;
}

export interface AcceptorEnvironment {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly times: LinkTimes;
  readonly failed: (error: unknown) => void;
  /** Undefined for a cluster without a secret. */
  readonly secret?: ClusterSecret | undefined;
}

// A misconfigured node comes every five seconds; the log distinguishes this many different ones.
const REFUSALS_LOGGED_MAX = 100;
// Nodes greet within a round trip. In the largest cluster that we plan for, 430 come at once.
const UNGREETED_MAX = 1_024;

export class LinkAcceptor {
  readonly #self: AcceptingNode;
  readonly #events: AcceptorEvents;
  readonly #environment: AcceptorEnvironment;
  readonly #links = new Map<string, Link>();
  readonly #open = new Set<Link>();
  readonly #ungreeted = new ConnectionShares(() => UNGREETED_MAX);
  readonly #refusalsLogged = new Set<string>();
  #isClosed = false;

  constructor(self: AcceptingNode, events: AcceptorEvents, environment: AcceptorEnvironment) {
    this.#self = self;
    this.#events = events;
    this.#environment = environment;
  }

  /** Links that are up. */
  get size(): number {
    return this.#links.size;
  }

  /** Bytes that wait for all peers. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const link of this.#links.values()) bytes += link.waitingBytes;
    return bytes;
  }

  accept(connection: Connection, nowMs: number): ConnectionHandler {
    let peer: Peer | undefined;
    const { remoteAddress } = connection;
    const refusal = this.#ungreeted.take(remoteAddress);
    let isUngreeted = refusal === undefined;
    const noMoreUngreeted = () => {
      if (isUngreeted) this.#ungreeted.release(remoteAddress);
      isUngreeted = false;
    };
    const greeting = new AcceptedGreeting(this.#self, this.#environment.secret, connection.certificate);
    const decided = (verdict: Verdict): GreetingAnswer => {
      noMoreUngreeted();
      if (verdict.kind === "welcome") peer = verdict.peer;
      else this.#refused(connection, verdict);
      return { isWelcome: verdict.kind === "welcome", content: this.#answer(verdict) };
    };
    const greeted = (content: Uint8Array) => {
      const reply = greeting.greeted(content);
      return reply.kind === "challenge" ? reply : decided(reply);
    };
    const proved = (content: Uint8Array) => decided(greeting.proved(content));
    const link: Link = new Link(
      connection,
      { kind: "accept", greeted, proved },
      {
        up: () => {
          if (peer !== undefined) this.#up(peer, link);
        },
        received: (className, content) => {
          if (peer !== undefined) this.#events.received(peer, className, content);
        },
        down: (reason) => {
          noMoreUngreeted();
          if (peer === undefined) this.#failed(link, reason);
          this.#down(link, peer, reason);
        },
      },
      this.#linkEnvironment(nowMs),
    );
    this.#open.add(link);
    // The port is open a little longer than this node accepts links.
    if (this.#isClosed) link.close("this node stops");
    if (refusal !== undefined) this.#refuseStranger(link, refusal);
    return link;
  }

  /** Whether such a link is up. */
  has(peer: Peer): boolean {
    return this.#links.has(keyOf(peer));
  }

  /** Sends a message; it is lost if there is no such link. */
  send(peer: Peer, message: LinkMessage): void {
    this.#links.get(keyOf(peer))?.send(message);
  }

  /** Ends all links, including those that have not greeted yet. */
  close(): void {
    this.#isClosed = true;
    for (const link of [...this.#open]) link.close("this node stops");
  }

  #refuseStranger(link: Link, reason: ShareRefusal): void {
    this.#environment.log.warn("too many connections have not greeted", { address: link.remoteAddress, reason });
    link.close(TOO_MANY);
  }

  /** A connection has ended that never became a link. Reasons that were already reported are not repeated. */
  #failed({ remoteAddress }: Link, reason: string): void {
    if (this.#isClosed) return;
    this.#environment.metrics.add("roster_node_connections_failed_total", 1, { reason: kindOf(reason) });
    if (reason === REFUSED || reason === TOO_MANY || reason === CLOSED_BY_PEER) return;
    this.#environment.log.warn("a connection to the node port was no node's", { address: remoteAddress, reason });
  }

  #answer(verdict: Verdict): Uint8Array {
    const { id, roles } = this.#self;
    const { proof } = verdict;
    return encodeHelloAnswer({
      kind: "helloAnswer",
      accepted: verdict.kind === "welcome",
      reason: verdict.kind === "welcome" ? "" : verdict.reason,
      from: id,
      roles,
      ...(proof !== undefined && { proof }),
    });
  }

  #up(peer: Peer, link: Link): void {
    this.#links.get(keyOf(peer))?.close("the same node has made this link anew");
    this.#links.set(keyOf(peer), link);
    this.#environment.log.info("a link was accepted", { ...peer, address: link.remoteAddress });
    this.#events.up(peer);
  }

  #down(link: Link, peer: Peer | undefined, reason: string): void {
    this.#open.delete(link);
    if (peer === undefined || this.#links.get(keyOf(peer)) !== link) return;
    this.#links.delete(keyOf(peer));
    if (!this.#isClosed) this.#environment.log.warn("a link is down", { ...peer, reason });
    this.#events.down(peer);
  }

  #linkEnvironment(nowMs: number): LinkEnvironment {
    const { clock, timers, times, failed, log } = this.#environment;
    const dropped = (bytes: number) => log.error("a message is too long for a link and was not sent", { bytes });
    return { clock, timers, times, failed, dropped, nowMs };
  }

  #refused(connection: Connection, { hello, reason, cause }: Verdict & { kind: "refusal" }): void {
    this.#environment.metrics.add("roster_node_peers_refused_total", 1, { reason: cause });
    // A node that means an earlier run of this node is not reported: the next list of members is on its way to it.
    if (hello.kind === "hello" && hello.to !== undefined && hello.to !== this.#self.id) return;
    const node = hello.kind === "hello" ? hello.from : "unknown";
    const key = `${node} ${reason}`;
    if (node === this.#self.id || this.#refusalsLogged.has(key)) return;
    if (this.#refusalsLogged.size >= REFUSALS_LOGGED_MAX) this.#refusalsLogged.clear();
    this.#refusalsLogged.add(key);
    const fields = { node, address: connection.remoteAddress, reason };
    // A stranger can cause a warning; an error is for an operator to mend.
    if (cause === "hello") this.#environment.log.error("a node was refused", fields);
    else this.#environment.log.warn("a node was refused", fields);
  }
}

const TOO_MANY = "too many connections have not greeted";

/** The code of an error, or a few words: the values of a metric's label are few. */
function kindOf(reason: string): string {
  const code = /^[A-Z_]+(?=:)/.exec(reason)?.[0];
  if (code !== undefined) return code;
  if (reason === REFUSED || reason === TOO_MANY || reason === CLOSED_BY_PEER) return reason;
  return reason.startsWith(NO_GREETING) ? NO_GREETING : "no node";
}

function keyOf({ link, role, node }: Peer): string {
  return `${link} ${role} ${node}`;
}
