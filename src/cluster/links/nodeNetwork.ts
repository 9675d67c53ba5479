// Connects the roles of this process with those of the whole cluster. A role in the same process is reached through the
// in-process network, every other one through a link. Both look the same to a role: messages in order, each in a step
// of its own, and an event when a peer becomes reachable or unreachable. Messages from a link go through the in-process
// network too: a link may end while a role is sending, in the middle of its step.

import type { Metrics } from "../../base/metrics.ts";
import type { Clock, Connection, ConnectionHandler, Log } from "../../base/ports.ts";
import type { NodeId } from "../../model/ids.ts";
import type { NodeLink as LinkKind } from "../messages/hello.ts";
import type { Member, MemberAddress, MemberRole, MemberToMeta, MetaToMember } from "../messages/membership.ts";
import type { AcceptingNode, Peer } from "./acceptedGreeting.ts";
import { DialledLinks, type Greeter, helloOf } from "./dialledLinks.ts";
import type { LinkMessage } from "./link.ts";
import { LinkAcceptor } from "./linkAcceptor.ts";
import { type DialerEnvironment, LinkDialer } from "./linkDialer.ts";
import { MetaPeers } from "./metaPeers.ts";
import { NodeMessages } from "./nodeMessages.ts";
import { OperationCalls, type Way } from "./operationCalls.ts";
import type {
  DataLinkEvent,
  DataLinkOutput,
  MemberEvent,
  MetaLinkEvent,
  SessionLinkEvent,
  SessionLinkOutput,
} from "./roleEvents.ts";

export interface NetworkNode extends AcceptingNode, Greeter {
  /** The addresses of all meta nodes, perhaps including this one. */
  readonly metaAddresses: readonly string[];
}

/** Runs deliveries between roles of one process: in order, and never inside the step that sends them. */
export interface LocalDelivery {
  send(deliver: () => void): void;
  /** Drops everything under way; nothing is delivered any more. */
  close(): void;
}

export interface NetworkEnvironment extends DialerEnvironment {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly local: LocalDelivery;
}

/** The roles of this process, each by its entry for events. */
export interface LocalRoles {
  readonly meta?: (event: MetaLinkEvent) => void;
  readonly data?: (event: DataLinkEvent) => void;
  readonly session?: (event: SessionLinkEvent) => void;
}

export class NodeNetwork {
  readonly #self: NetworkNode;
  readonly #environment: NetworkEnvironment;
  readonly #local: LocalDelivery;
  readonly #acceptor: LinkAcceptor;
  readonly #metas = new Map<MemberRole, readonly LinkDialer[]>();
  readonly #toData: DialledLinks;
  readonly #toLeaders: DialledLinks;
  readonly #words;
  /** Questions of operators that this node asks, answers, or passes on. */
  readonly operations: OperationCalls;
  readonly #up = new Map<LinkKind, number>();
  #metaPeers: MetaPeers | undefined;
  /** Meta nodes that have a link to this one, and the membership that they were told last. */
  readonly #metaListeners = new Set<NodeId>();
  #toldMetas: (MetaToMember & { kind: "members" }) | undefined;
  #roles: LocalRoles = {};
  // Whether the session and the data role of this process have a link.
  #isLocalDataUp = false;

  constructor(self: NetworkNode, environment: NetworkEnvironment) {
    this.#self = self;
    this.#environment = environment;
    this.#local = environment.local;
    this.#words = {
      memberToMeta: new NodeMessages("roster.MemberToMeta", environment),
      metaToMember: new NodeMessages("roster.MetaToMember", environment),
      sessionToData: new NodeMessages("roster.SessionToData", environment),
      dataToSession: new NodeMessages("roster.DataToSession", environment),
      followerToLeader: new NodeMessages("roster.FollowerToLeader", environment),
      leaderToFollower: new NodeMessages("roster.LeaderToFollower", environment),
    };
    this.operations = new OperationCalls(
      { id: self.id, isMeta: self.roles.includes("meta") },
      { metas: () => this.#waysToMetas(), to: (node) => this.#wayTo(node) },
      environment,
    );
    this.#acceptor = new LinkAcceptor(self, this.#acceptedEvents(), environment);
    this.#toData = this.#dialledData();
    this.#toLeaders = this.#dialledLeaders();
  }

  /** Sets the roles of this process. To be called before anything can come from outside. */
  attach(roles: LocalRoles): void {
    this.#roles = roles;
  }

  /** Joins the members of this process with the meta nodes, here and elsewhere. */
  begin(): void {
    if (this.#roles.meta !== undefined) {
      this.#metaPeers = new MetaPeers(this.#self, this.#words.metaToMember, this.operations, this.#environment);
    }
    for (const role of ["data", "session"] as const) {
      if (this.#roles[role] === undefined) continue;
      if (this.#roles.meta !== undefined) {
        this.#meta({ kind: "memberUp", member: { id: this.#self.id, role } });
        this.#member(role, { kind: "metaUp" });
      }
      const dialers = this.#self.metaAddresses.map((address) => this.#dialMeta(address, role));
      this.#metas.set(role, dialers);
    }
  }

  /** Accepts a connection of another node. */
  accept(connection: Connection, nowMs: number): ConnectionHandler {
    return this.#acceptor.accept(connection, nowMs);
  }

  /** Whether a meta node can be reached, here or elsewhere. */
  get hasMeta(): boolean {
    if (this.#roles.meta !== undefined) return true;
    return [...this.#metas.values()].some((dialers) => dialers.some(({ peer }) => peer !== undefined));
  }

  /** The other meta nodes that this node has a link to. */
  get metaNodes(): readonly NodeId[] {
    const peers = this.#metaPeers?.list().map(({ id }) => id);
    const dialled = [...this.#metas.values()].flatMap((dialers) => dialers.map(({ peer }) => peer));
    return [...new Set([...(peers ?? []), ...dialled])].filter((id) => id !== undefined);
  }

  /** Bytes that wait for other nodes, on links of all kinds. */
  get waitingBytes(): number {
    let bytes = this.#acceptor.waitingBytes + this.#toData.waitingBytes + this.#toLeaders.waitingBytes;
    for (const dialers of this.#metas.values()) for (const { waitingBytes } of dialers) bytes += waitingBytes;
    return bytes;
  }

  /** The other meta nodes, in a process that has the role meta. */
  get metaPeers(): MetaPeers | undefined {
    return this.#metaPeers;
  }

  get sessionOutput(): SessionLinkOutput {
    const { id } = this.#self;
    return {
      toData: (node, message) => {
        if (node === id) this.#data({ kind: "fromSession", from: id, message });
        else this.#toData.send(node, () => this.#words.sessionToData.encode(message));
      },
      toMeta: (message) => this.#toMeta("session", message),
      linkData: (nodes) => this.#linkData(nodes),
    };
  }

  get dataOutput(): DataLinkOutput {
    const { id } = this.#self;
    const { dataToSession, followerToLeader, leaderToFollower } = this.#words;
    return {
      toMeta: (message) => this.#toMeta("data", message),
      toSession: (node, message) => {
        if (node === id) this.#session({ kind: "fromData", from: id, message });
        else this.#answer({ link: "data", role: "session", node }, () => dataToSession.encode(message));
      },
      toLeader: (node, message) => this.#toLeaders.send(node, () => followerToLeader.encode(message)),
      toFollower: (node, message) =>
        this.#answer({ link: "replication", role: "data", node }, () => leaderToFollower.encode(message)),
      // Leader and follower of a slot are never the same node.
      linkLeaders: (nodes) => this.#toLeaders.keep(nodes.filter((node) => node.id !== id)),
    };
  }

  /** The meta role to a member. */
  toMember(to: Member, message: MetaToMember): void {
    if (message.kind === "members" && message.members !== this.#toldMetas?.members) {
      this.#toldMetas = message;
      for (const node of this.#metaListeners) this.#tellMeta(node);
    }
    if (to.id === this.#self.id) {
      this.#member(to.role, { kind: "fromMeta", message });
    } else {
      const peer = { link: "meta", role: to.role, node: to.id } as const;
      this.#answer(peer, () => this.#words.metaToMember.encode(message));
    }
  }

  /** Ends all links; nothing is delivered any more. */
  close(): void {
    this.operations.close();
    this.#local.close();
    for (const dialers of this.#metas.values()) for (const dialer of dialers) dialer.close();
    this.#toData.close();
    this.#toLeaders.close();
    this.#metaPeers?.close();
    this.#acceptor.close();
  }

  #meta(event: MetaLinkEvent): void {
    this.#local.send(() => this.#roles.meta?.(event));
  }

  #data(event: DataLinkEvent): void {
    this.#local.send(() => this.#roles.data?.(event));
  }

  #session(event: SessionLinkEvent): void {
    this.#local.send(() => this.#roles.session?.(event));
  }

  #member(role: MemberRole, event: MemberEvent): void {
    if (role === "data") this.#data(event);
    else this.#session(event);
  }

  #toMeta(role: MemberRole, message: MemberToMeta): void {
    if (this.#roles.meta !== undefined) this.#meta({ kind: "received", from: { id: this.#self.id, role }, message });
    for (const dialer of this.#metas.get(role) ?? []) {
      if (dialer.peer !== undefined) dialer.send(this.#words.memberToMeta.encode(message));
    }
  }

  #answer(peer: Peer, message: () => LinkMessage): void {
    if (this.#acceptor.has(peer)) this.#acceptor.send(peer, message());
  }

  #linkData(nodes: readonly MemberAddress[]): void {
    const { id } = this.#self;
    this.#toData.keep(nodes.filter((node) => node.id !== id));
    const isWanted = this.#roles.data !== undefined && nodes.some((node) => node.id === id);
    if (isWanted === this.#isLocalDataUp) return;
    this.#isLocalDataUp = isWanted;
    this.#data({ kind: isWanted ? "sessionUp" : "sessionDown", session: id });
    this.#session({ kind: isWanted ? "dataUp" : "dataDown", node: id });
  }

  #dialMeta(address: string, role: MemberRole): LinkDialer {
    const hello = helloOf(this.#self, { link: "meta", roles: [role] });
    const events = {
      up: () => {
        this.#count("meta", 1);
        this.#member(role, { kind: "metaUp" });
      },
      received: (_node: NodeId, className: string, content: Uint8Array) => {
        if (this.operations.received(className, content, (answer) => dialer.send(answer))) return;
        const message = this.#words.metaToMember.decode(className, content);
        if (message !== undefined) this.#member(role, { kind: "fromMeta", message });
      },
      down: (node: NodeId) => {
        this.#count("meta", -1);
        this.operations.lost(node);
      },
    };
    const dialer: LinkDialer = new LinkDialer({ address, hello }, events, this.#environment);
    return dialer;
  }

  #dialledData(): DialledLinks {
    const hello = (to: NodeId) => helloOf(this.#self, { link: "data", roles: ["session"], to });
    const events = {
      up: (node: NodeId) => {
        this.#count("data", 1);
        this.#session({ kind: "dataUp", node });
      },
      received: (from: NodeId, className: string, content: Uint8Array) => {
        const message = this.#words.dataToSession.decode(className, content);
        if (message !== undefined) this.#session({ kind: "fromData", from, message });
      },
      down: (node: NodeId) => {
        this.#count("data", -1);
        this.#session({ kind: "dataDown", node });
      },
    };
    return new DialledLinks(hello, events, this.#environment);
  }

  #dialledLeaders(): DialledLinks {
    const hello = (to: NodeId) => helloOf(this.#self, { link: "replication", roles: ["data"], to });
    const events = {
      up: (node: NodeId) => {
        this.#count("replication", 1);
        this.#data({ kind: "leaderUp", node });
      },
      received: (from: NodeId, className: string, content: Uint8Array) => {
        const message = this.#words.leaderToFollower.decode(className, content);
        if (message !== undefined) this.#data({ kind: "fromLeader", from, message });
      },
      down: (node: NodeId) => {
        this.#count("replication", -1);
        this.#data({ kind: "leaderDown", node });
      },
    };
    return new DialledLinks(hello, events, this.#environment);
  }

  #acceptedEvents() {
    return {
      up: (peer: Peer) => {
        this.#count(peer.link, 1);
        this.#peerChanged(peer, true);
      },
      received: (peer: Peer, className: string, content: Uint8Array) => this.#fromPeer(peer, className, content),
      down: (peer: Peer) => {
        this.#count(peer.link, -1);
        this.#peerChanged(peer, false);
      },
    };
  }

  #peerChanged({ link, role, node }: Peer, isUp: boolean): void {
    if (link === "data") this.#data({ kind: isUp ? "sessionUp" : "sessionDown", session: node });
    else if (link === "replication") this.#data({ kind: isUp ? "followerUp" : "followerDown", node });
    else if (role !== "meta") this.#meta({ kind: isUp ? "memberUp" : "memberDown", member: { id: node, role } });
    else if (!isUp) this.#metaListeners.delete(node);
    else {
      this.#metaListeners.add(node);
      this.#tellMeta(node);
    }
  }

  /** Tells another meta node the membership of this one's lead, if it has one: a later leader's is the newer. */
  #tellMeta(node: NodeId): void {
    const told = this.#toldMetas;
    if (told === undefined) return;
    this.#answer({ link: "meta", role: "meta", node }, () => this.#words.metaToMember.encode(told));
  }

  #fromPeer(peer: Peer, className: string, content: Uint8Array): void {
    const { link, role, node: from } = peer;
    if (link === "data") {
      const message = this.#words.sessionToData.decode(className, content);
      if (message !== undefined) this.#data({ kind: "fromSession", from, message });
    } else if (link === "replication") {
      const message = this.#words.followerToLeader.decode(className, content);
      if (message !== undefined) this.#data({ kind: "fromFollower", from, message });
    } else if (this.operations.received(className, content, (answer) => this.#acceptor.send(peer, answer))) {
      return;
    } else if (role !== "meta") {
      const message = this.#words.memberToMeta.decode(className, content);
      if (message !== undefined) this.#meta({ kind: "received", from: { id: from, role }, message });
    }
  }

  /** A link to each meta node that can be reached: a process has one for each of its roles. */
  #waysToMetas(): ReadonlyMap<NodeId, Way> {
    const ways = new Map<NodeId, Way>();
    for (const dialers of this.#metas.values()) {
      for (const dialer of dialers) {
        if (dialer.peer !== undefined) ways.set(dialer.peer, (message) => dialer.send(message));
      }
    }
    return ways;
  }

  #wayTo(node: NodeId): Way | undefined {
    for (const role of ["session", "data", "meta"] as const) {
      const peer = { link: "meta", role, node } as const;
      if (this.#acceptor.has(peer)) return (message) => this.#acceptor.send(peer, message);
    }
    return this.#metaPeers?.to(node);
  }

  #count(link: LinkKind, change: 1 | -1): void {
    const { metrics } = this.#environment;
    const up = (this.#up.get(link) ?? 0) + change;
    this.#up.set(link, up);
    metrics.set("roster_node_links", up, { link });
    if (change < 0) metrics.add("roster_node_links_lost_total", 1, { link });
  }
}
