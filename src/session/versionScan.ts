// The safety net of lists: from time to time the session goes through all services with subscribers and reports its
// versions to their data nodes, so that everything lost on the way comes back. With many services that takes longer
// than other work may wait: a round is spread over many steps.

import type { DatumVersion } from "../model/datum.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { SubscribedService, Subscriptions } from "./subscriptions.ts";

// About a millisecond of work here, and as much at the data node.
const SERVICES_PER_STEP = 1_000;
// A million services take some four seconds, a fifth of it work.
const STEP_MS = 4;

interface Round {
  /** The ones not reached yet. */
  readonly services: Iterator<SubscribedService>;
  /** The one node whose services are scanned; undefined for all. */
  readonly node: NodeId | undefined;
}

export class VersionScan {
  readonly #intervalMs: number;
  readonly #subscriptions: Subscriptions;
  readonly #links: DataLinks;
  // At most one for all, and one for each node.
  #rounds: Round[] = [];
  #roundMs: number;
  #isBegunAnew = false;
  #stepMs = 0;

  constructor(intervalMs: number, parts: { subscriptions: Subscriptions; links: DataLinks; nowMs: number }) {
    this.#intervalMs = intervalMs;
    this.#subscriptions = parts.subscriptions;
    this.#links = parts.links;
    this.#roundMs = parts.nowMs + intervalMs;
  }

  nextMs(): number {
    return this.#rounds.length > 0 ? Math.min(this.#stepMs, this.#roundMs) : this.#roundMs;
  }

  /** Begins a round if one is due, and returns whether it did. */
  beginIfDue(nowMs: number): boolean {
    if (nowMs < this.#roundMs) return false;
    this.#roundMs = nowMs + this.#intervalMs;
    // An unfinished one continues: begun anew, it would never reach the last services.
    if (!this.#rounds.some(({ node }) => node === undefined)) this.#begin(undefined);
    return true;
  }

  /** A round that was begun anew has not come to its end. */
  get isBegunAnew(): boolean {
    return this.#isBegunAnew;
  }

  /** A round over all services begins now; one that is under way is given up. */
  beginAnew(nowMs: number): void {
    this.#isBegunAnew = true;
    this.#roundMs = nowMs;
    this.#rounds = this.#rounds.filter(({ node }) => node !== undefined);
  }

  /** The node is to hear all versions soon: notices may have been lost. */
  begin(node: NodeId): void {
    this.#rounds = this.#rounds.filter((round) => round.node !== node);
    this.#begin(node);
  }

  /** Reports the next services to the data nodes. Returns those of a round of all. */
  tell(nowMs: number): readonly SubscribedService[] {
    if (this.#rounds.length === 0 || nowMs < this.#stepMs) return [];
    const versions = new Map<NodeId, [ServiceKey, DatumVersion][]>();
    const seen: SubscribedService[] = [];
    for (let left = SERVICES_PER_STEP; left > 0; left--) {
      const [round] = this.#rounds;
      if (round === undefined) break;
      const next = round.services.next();
      if (next.done === true) {
        this.#rounds.shift();
        if (round.node === undefined) this.#isBegunAnew = false;
        continue;
      }
      if (round.node === undefined) seen.push(next.value);
      this.#add(versions, next.value, round);
    }
    for (const [node, ofNode] of versions) this.#links.send(node, { kind: "scan", versions: ofNode });
    this.#stepMs = nowMs + STEP_MS;
    return seen;
  }

  #begin(node: NodeId | undefined): void {
    if (this.#rounds.length === 0) this.#stepMs = 0;
    this.#rounds.push({ services: this.#subscriptions.services()[Symbol.iterator](), node });
  }

  #add(versions: Map<NodeId, [ServiceKey, DatumVersion][]>, service: SubscribedService, { node }: Round): void {
    const leader = this.#links.leader(service.serviceKey);
    if (leader === undefined || (node !== undefined && leader !== node) || !this.#links.isReachable(leader)) return;
    // The answer to an earlier fetch may be lost; this one asks for the same.
    service.isWaiting = false;
    const ofNode = versions.get(leader) ?? [];
    versions.set(leader, ofNode);
    ofNode.push([service.serviceKey, service.list.state]);
  }
}
