// Keeps a link to one address: dials, greets, and dials again after every end, at first soon and then ever later. A
// refusal in words does not end within milliseconds, since a person has to act; so the node is asked rarely then.

import type { Cancel, Clock, Connection, ConnectionHandler, Log, Random, Timers } from "../../base/ports.ts";
import type { Hello } from "../messages/hello.ts";
import type { ClusterSecret } from "./clusterSecret.ts";
import { DialledGreeting } from "./dialledGreeting.ts";
import { type GreetingAnswer, Link, type LinkEnvironment, type LinkMessage, type LinkTimes } from "./link.ts";

type NodeId = Hello["from"];

/**
 * Opens a connection. Exactly one of the two is called, once and not before `dial` has returned, unless it was
 * cancelled.
 */
export type Dial = (
  address: string,
  outcome: {
    readonly connected: (connection: Connection, nowMs: number) => ConnectionHandler;
    readonly failed: (reason: string) => void;
  },
) => Cancel;

export interface DialerEnvironment {
  readonly dial: Dial;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Log;
  readonly times: LinkTimes;
  readonly failed: (error: unknown) => void;
  /** Undefined for a cluster without a secret. */
  readonly secret?: ClusterSecret | undefined;
}

export interface DialerEvents {
  up(node: NodeId): void;
  /** A RegistryError thrown here closes the link. */
  received(node: NodeId, className: string, content: Uint8Array): void;
  /** Comes once after each `up`. */
  down(node: NodeId): void;
}

/** The node to dial, and the greeting. */
export interface DialTarget {
  readonly address: string;
  readonly hello: Hello;
}

// A restarted node is back within a second or two; its peers should not make it wait, nor keep it busy.
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 1_000;
// A refusal ends when an operator changes a configuration, or when the next membership replaces a stale address.
const REFUSED_RETRY_MS = 5_000;

export class LinkDialer {
  readonly #target: DialTarget;
  readonly #events: DialerEvents;
  readonly #environment: DialerEnvironment;
  #link: Link | undefined;
  #peer: NodeId | undefined;
  #cancel: Cancel = () => undefined;
  #retryMs = RETRY_MS_MIN;
  #refusal = "";
  #upMs = 0;
  #refusalLogged = "";
  #isStale = false;
  #isFailureLogged = false;
  #isOwn = false;
  #isClosed = false;

  constructor(target: DialTarget, events: DialerEvents, environment: DialerEnvironment) {
    this.#target = target;
    this.#events = events;
    this.#environment = environment;
    this.#dial();
  }

  /** The node at the other end, while the link is up. */
  get peer(): NodeId | undefined {
    return this.#peer;
  }

  /** Bytes that wait for the node. */
  get waitingBytes(): number {
    return this.#peer === undefined ? 0 : (this.#link?.waitingBytes ?? 0);
  }

  /** The address turned out to be this node's own: the dialler stops. */
  get isOwn(): boolean {
    return this.#isOwn;
  }

  /** Sends a message; it is lost if the link is not up. */
  send(message: LinkMessage): void {
    this.#link?.send(message);
  }

  /** Ends the link for good, with `down` if it was up. May be called twice. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancel();
    this.#link?.close("not wanted any more");
  }

  #dial(): void {
    this.#refusal = "";
    this.#cancel = this.#environment.dial(this.#target.address, {
      connected: (connection, nowMs) => this.#connected(connection, nowMs),
      failed: (reason) => this.#ended(reason),
    });
  }

  #connected(connection: Connection, nowMs: number): ConnectionHandler {
    const greeting = new DialledGreeting(this.#target.hello, this.#environment.secret, connection.certificate);
    const side = {
      kind: "dial",
      greeting: greeting.content,
      challenged: (challenge: Uint8Array) => greeting.challenged(challenge),
      answered: (answer: GreetingAnswer) => this.#answered(greeting, answer),
    } as const;
    const events = {
      up: () => this.#up(),
      received: (className: string, content: Uint8Array) => {
        if (this.#peer !== undefined) this.#events.received(this.#peer, className, content);
      },
      down: (reason: string) => this.#ended(reason),
    };
    this.#link = new Link(connection, side, events, this.#linkEnvironment(nowMs));
    return this.#link;
  }

  #linkEnvironment(nowMs: number): LinkEnvironment {
    const { clock, timers, times, failed, log } = this.#environment;
    const { address } = this.#target;
    const dropped = (bytes: number) =>
      log.error("a message is too long for a link and was not sent", { address, bytes });
    return { clock, timers, times, failed, dropped, nowMs };
  }

  /** The reason why the link is of no use; undefined if it is. */
  #answered(greeting: DialledGreeting, { isWelcome, content }: GreetingAnswer): string | undefined {
    const believed = greeting.answered(content);
    if (believed.kind === "refusal") {
      this.#refusal = believed.reason;
      return this.#refusal;
    }
    const { accepted, reason, from } = believed.answer;
    const { from: self, to } = this.#target.hello;
    if (from === self) {
      // One list of meta addresses serves all nodes, including the nodes in it.
      this.#environment.log.info("an address is this node's own", this.#named());
      this.#isOwn = true;
      this.#isClosed = true;
      return "it is this node";
    }
    this.#isStale = to !== undefined && from !== to;
    if (this.#isStale) this.#refusal = `${from} is there now`;
    else if (!accepted || !isWelcome) this.#refusal = reason === "" ? "no reason was given" : reason;
    if (this.#refusal !== "") return this.#refusal;
    this.#peer = from;
    return undefined;
  }

  #up(): void {
    if (this.#peer === undefined) return;
    this.#upMs = this.#environment.clock.nowMs();
    this.#isFailureLogged = false;
    this.#refusalLogged = "";
    this.#environment.log.info("a link is up", { ...this.#named(), peer: this.#peer });
    this.#events.up(this.#peer);
  }

  #ended(reason: string): void {
    const { clock, random, timers } = this.#environment;
    const peer = this.#peer;
    this.#peer = undefined;
    this.#link = undefined;
    if (peer !== undefined) this.#events.down(peer);
    if (this.#isClosed) return;
    this.#report(reason, peer);
    // A link that ends as soon as it is made is no reason to restart with the shortest wait.
    if (peer !== undefined && clock.nowMs() - this.#upMs > RETRY_MS_MAX) this.#retryMs = RETRY_MS_MIN;
    const delayMs = this.#refusal === "" ? this.#retryMs : REFUSED_RETRY_MS;
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MS_MAX);
    // Half of it is random: all peers of a dead node have noticed at the same moment.
    this.#cancel = timers.after(delayMs * (0.5 + random.next() / 2), () => this.#dial());
  }

  /** Once for each time that a link is lost or can't be made, not for each try. */
  #report(reason: string, peer: NodeId | undefined): void {
    const { log } = this.#environment;
    if (peer !== undefined) return log.warn("a link is down", { ...this.#named(), peer, reason });
    if (this.#refusal !== "") {
      const isNew = this.#refusal !== this.#refusalLogged;
      // The expected node has ended, as nodes do; the meta nodes will report that in a moment.
      if (isNew && this.#isStale) log.info("another node is at this address", { ...this.#named(), reason });
      else if (isNew) log.error("a node refuses this one", { ...this.#named(), reason });
      this.#refusalLogged = this.#refusal;
      return;
    }
    if (!this.#isFailureLogged)
      log.warn("a link can't be made; it is tried again and again", { ...this.#named(), reason });
    this.#isFailureLogged = true;
  }

  #named() {
    return { link: this.#target.hello.link, address: this.#target.address };
  }
}
