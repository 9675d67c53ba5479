// The links that other nodes have made to this one. A node has at most one of each kind: when it comes again, its
// earlier connection is dead, whether or not that has been noticed here.

import { ConnectionShares, type ShareRefusal } from "../../base/connectionShares.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Clock, Connection, ConnectionHandler, Log, Timers } from "../../base/ports.ts";
import type { UnknownMessage } from "../codec/format.ts";
import { decodeHello, encodeHelloAnswer } from "../codec/hello.ts";
import {
  type Hello,
  type NodeLink as LinkKind,
  type NodeRole,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
} from "../messages/hello.ts";
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

type NodeId = Hello["from"];

/** One link of a peer, and the role for which the peer speaks on it. */
export interface Peer {
  readonly link: LinkKind;
  readonly role: NodeRole;
  readonly node: NodeId;
}

/** The identity of this node for nodes that dial it. */
export interface AcceptingNode {
  readonly id: NodeId;
  readonly clusterName: string;
  readonly slotCount: number;
  readonly roles: readonly NodeRole[];
}

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
    const greeted = (content: Uint8Array): GreetingAnswer => {
      noMoreUngreeted();
      const hello = decodeHello(content);
      const reason = refusalOf(hello, this.#self);
      if (reason === undefined) peer = peerOf(hello);
      else this.#logRefusal(connection, hello, reason);
      return { isWelcome: reason === undefined, content: this.#answer(reason) };
    };
    const link: Link = new Link(
      connection,
      { kind: "accept", greeted },
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

  #answer(reason: string | undefined): Uint8Array {
    const { id, roles } = this.#self;
    return encodeHelloAnswer({
      kind: "helloAnswer",
      accepted: reason === undefined,
      reason: reason ?? "",
      from: id,
      roles,
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

  #logRefusal(connection: Connection, hello: Hello | UnknownMessage, reason: string): void {
    // A node that means an earlier run of this node is not reported: the next list of members is on its way to it.
    if (hello.kind === "hello" && hello.to !== undefined && hello.to !== this.#self.id) return;
    const node = hello.kind === "hello" ? hello.from : "unknown";
    const key = `${node} ${reason}`;
    if (node === this.#self.id || this.#refusalsLogged.has(key)) return;
    if (this.#refusalsLogged.size >= REFUSALS_LOGGED_MAX) this.#refusalsLogged.clear();
    this.#refusalsLogged.add(key);
    this.#environment.log.error("a node was refused", {
      node,
      address: connection.remoteAddress,
      reason,
    });
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

const WANTED_ROLES: Record<LinkKind, { readonly here: NodeRole; readonly there: readonly NodeRole[] }> = {
  meta: { here: "meta", there: ["data", "session", "meta"] },
  data: { here: "data", there: ["session"] },
  replication: { here: "data", there: ["data"] },
};

/** The reason why a node is refused, with the remedy; undefined if it is accepted. */
export function refusalOf(hello: Hello | UnknownMessage, self: AcceptingNode): string | undefined {
  if (hello.kind === "unknown") return `this release does not know what you want (${hello.what}): upgrade this node`;
  if (hello.from === self.id) return "this is the node that dials";
  if (hello.clusterName !== self.clusterName) {
    return (
      `this is a node of the cluster ${self.clusterName}, you belong to ${hello.clusterName}: give your node the ` +
      "meta-addresses of its own cluster, or the same cluster-name"
    );
  }
  if (hello.slotCount !== self.slotCount) {
    return (
      `this cluster has ${self.slotCount} slots, your release works with ${hello.slotCount}: ` +
      "run the same release on all nodes, or make a new cluster"
    );
  }
  if (hello.minProtocolVersion > PROTOCOL_VERSION || hello.protocolVersion < PROTOCOL_VERSION_MIN) {
    return (
      `this node speaks the versions ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION} of the protocol between nodes, ` +
      `yours ${hello.minProtocolVersion} to ${hello.protocolVersion}: upgrade one release at a time`
    );
  }
  if (hello.to !== undefined && hello.to !== self.id) {
    return `${self.id} is here now, not ${hello.to}: wait for the next list of members`;
  }
  return roleRefusal(hello, self);
}

function roleRefusal({ link, roles }: Hello, self: AcceptingNode): string | undefined {
  const { here, there } = WANTED_ROLES[link];
  if (!self.roles.includes(here)) {
    return (
      `this node has the roles ${self.roles.join(",")} and not ${here}: ` +
      (here === "meta" ? "name only nodes with the role meta in meta-addresses" : "wait for the next list of members")
    );
  }
  if (roles.some((role) => there.includes(role))) return undefined;
  return `a link to the role ${here} is for nodes with the role ${there.join(" or ")}, yours has ${roles.join(",")}`;
}

function peerOf(hello: Hello | UnknownMessage): Peer | undefined {
  if (hello.kind === "unknown") return undefined;
  const { link, roles, from } = hello;
  const role = roles.find((each) => WANTED_ROLES[link].there.includes(each));
  return role === undefined ? undefined : { link, role, node: from };
}

function keyOf({ link, role, node }: Peer): string {
  return `${link} ${role} ${node}`;
}
