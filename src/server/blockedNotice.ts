// Tells whether an operator has blocked this node. Its session, if it has one, is sent away; a data node stays,
// drained, and must not look like a working one.

import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import type { MetaToMember } from "../cluster/messages/membership.ts";
import { type NodeId, nodeNameOf } from "../model/ids.ts";

type HeardEvent = { readonly kind: "fromMeta"; readonly message: MetaToMember } | { readonly kind: string };

export class BlockedNotice {
  readonly #name: string;
  readonly #log: Log;
  readonly #metrics: Metrics;
  #isBlocked = false;

  constructor(id: NodeId, { log, metrics }: { log: Log; metrics: Metrics }) {
    this.#name = nodeNameOf(id);
    this.#log = log;
    this.#metrics = metrics;
    metrics.set("roster_node_blocked", 0);
  }

  /** The reason why the node is not ready; undefined if it is not blocked. */
  get reason(): string | undefined {
    return this.#isBlocked ? `blocked by an operator; to unblock it: roster unblock ${this.#name}` : undefined;
  }

  /** A role of this process receives an event. */
  heard(event: HeardEvent): void {
    if (!("message" in event) || event.message.kind !== "members") return;
    const isBlocked = event.message.members.blocked?.includes(this.#name) === true;
    if (isBlocked === this.#isBlocked) return;
    this.#isBlocked = isBlocked;
    this.#metrics.set("roster_node_blocked", isBlocked ? 1 : 0);
    if (!isBlocked) return this.#log.info("this node is no longer blocked");
    this.#log.warn("this node is blocked: its slots and clients move to other nodes", {
      node: this.#name,
      toUnblock: `roster unblock ${this.#name}`,
    });
  }
}
