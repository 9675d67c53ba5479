// The links of one kind that this node keeps to others: exactly the ones that a role requests.

import type { Cancel } from "../../base/ports.ts";
import type { NodeId } from "../../model/ids.ts";
import { type Hello, PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "../messages/hello.ts";
import type { MemberAddress } from "../messages/membership.ts";
import type { LinkMessage } from "./link.ts";
import { type DialerEnvironment, type DialerEvents, LinkDialer } from "./linkDialer.ts";

/** The content of every greeting of this node. */
export interface Greeter {
  readonly id: NodeId;
  readonly clusterName: string;
  readonly slotCount: number;
  readonly address: string;
}

/** A greeting for one kind of link, in one role. */
export function helloOf(self: Greeter, as: Pick<Hello, "link" | "roles"> & { readonly to?: NodeId }): Hello {
  return {
    kind: "hello",
    protocolVersion: PROTOCOL_VERSION,
    minProtocolVersion: PROTOCOL_VERSION_MIN,
    clusterName: self.clusterName,
    slotCount: self.slotCount,
    from: self.id,
    address: self.address,
    ...as,
  };
}

interface Kept {
  readonly address: string;
  readonly dialer: LinkDialer;
  /** Keeps the link after all; set while it is not wanted. */
  cancelEnd: Cancel | undefined;
}

// While slots move, a follower may have none of a leader for a moment, ten times a second.
const UNWANTED_MS = 3_000;

/** Links to nodes whose id and address are known: session to data, follower to leader. */
export class DialledLinks {
  readonly #hello: (to: NodeId) => Hello;
  readonly #events: DialerEvents;
  readonly #environment: DialerEnvironment;
  readonly #kept = new Map<NodeId, Kept>();

  constructor(hello: (to: NodeId) => Hello, events: DialerEvents, environment: DialerEnvironment) {
    this.#hello = hello;
    this.#events = events;
    this.#environment = environment;
  }

  /**
   * Keeps links to exactly these. One that is no longer wanted ends a little later, with `down`, unless it is wanted
   * again by then.
   */
  keep(nodes: readonly MemberAddress[]): void {
    const wanted = new Map(nodes.map(({ id, address }) => [id, address]));
    for (const [id, kept] of this.#kept) {
      if (wanted.get(id) === kept.address) this.#wantAgain(kept);
      else if (wanted.has(id) || kept.dialer.peer === undefined) this.#end(id, kept);
      else kept.cancelEnd ??= this.#environment.timers.after(UNWANTED_MS, () => this.#end(id, kept));
    }
    for (const [id, address] of wanted) {
      if (this.#kept.has(id)) continue;
      const dialer = new LinkDialer({ address, hello: this.#hello(id) }, this.#events, this.#environment);
      this.#kept.set(id, { address, dialer, cancelEnd: undefined });
    }
  }

  /** Bytes that wait for all nodes. */
  get waitingBytes(): number {
    let bytes = 0;
    for (const { dialer } of this.#kept.values()) bytes += dialer.waitingBytes;
    return bytes;
  }

  send(to: NodeId, message: () => LinkMessage): void {
    const dialer = this.#kept.get(to)?.dialer;
    if (dialer?.peer !== undefined) dialer.send(message());
  }

  close(): void {
    for (const [id, kept] of this.#kept) this.#end(id, kept);
  }

  #wantAgain(kept: Kept): void {
    kept.cancelEnd?.();
    kept.cancelEnd = undefined;
  }

  #end(id: NodeId, kept: Kept): void {
    kept.cancelEnd?.();
    this.#kept.delete(id);
    kept.dialer.close();
  }
}
