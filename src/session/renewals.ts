// Heartbeats on their way to the leaders that keep the leases. Those that come within a moment of each other go in one
// batch, since a large cluster has thousands a second and none is urgent. A heartbeat whose leader can't be reached
// waits, and its client is not told: the leader gives every client more time while it does not hear this session.
// Heartbeats under way on a link that breaks are sent again. A batch, which may be empty, tells a new leader too that
// this session has passed requests on to an earlier one.

import type { Deadlines } from "../base/deadlines.ts";
import { fail } from "../base/errors.ts";
import { RENEWALS_MAX, type Renew, type Renewed } from "../cluster/messages/lease.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { RenewedHealth } from "../model/publication.ts";
import type { LeaseAsker, LeaseEvent } from "../registry/lease.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { ElsewhereReport, PassedRequests } from "./passedRequests.ts";

// At 3,300 heartbeats a second a batch has some sixty.
const GATHER_MS = 20;
// The delay until heartbeats are sent again whose leader can't be reached, or does not know its slot yet.
const RETRY_MS = 500;
// A leader of an earlier release does not answer.
const ANSWER_MS = 5_000;
// A leader that was away for longer gives all clients their full time when it is back, or another one does.
const KEPT_MS = 60_000;
// Some 300 bytes each: of twice as many clients as a cluster is planned for.
const WAITING_MAX = 200_000;

interface Renewal {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  /** The time of the newest heartbeat. */
  atMs: number;
  /** The newest that was told. */
  health: RenewedHealth | undefined;
  version: bigint | undefined;
  askers: LeaseAsker[];
}

interface Batch {
  readonly node: NodeId;
  readonly sentMs: number;
  readonly renewals: readonly Renewal[];
  readonly elsewhere: readonly ElsewhereReport[];
}

export class Renewals {
  readonly #links: DataLinks;
  readonly #passed: PassedRequests;
  /** The times by which requests are answered; an asker without one has its answer. */
  readonly #ends: Deadlines<LeaseAsker>;
  /** By registration, oldest first. */
  #waiting = new Map<string, Renewal>();
  readonly #underWay = new Map<number, Batch>();
  #batches = 0;
  #sendMs = Number.POSITIVE_INFINITY;

  constructor(
    { links, passed }: { readonly links: DataLinks; readonly passed: PassedRequests },
    ends: Deadlines<LeaseAsker>,
  ) {
    this.#links = links;
    this.#passed = passed;
    this.#ends = ends;
  }

  /** The number of heartbeats that wait or are under way. */
  get size(): number {
    let size = this.#waiting.size;
    for (const { renewals } of this.#underWay.values()) size += renewals.length;
    return size;
  }

  renew(event: LeaseEvent & { kind: "leaseRenewed" }, nowMs: number): void {
    const { asker, serviceKey, registId, health, version, untilMs } = event;
    const key = `${registId}\n${serviceKey}`;
    const known = this.#waiting.get(key);
    if (known === undefined && this.#waiting.size >= WAITING_MAX) {
      const error = fail("OVERLOADED", { waiting: this.#waiting.size, max: WAITING_MAX });
      return asker.answer({ kind: "failed", error });
    }
    this.#ends.set(asker, untilMs);
    if (known !== undefined) {
      known.atMs = nowMs;
      if (health !== "asBefore") known.health = health;
      known.version = version;
      known.askers.push(asker);
      return;
    }
    this.#waiting.set(key, { serviceKey, registId, atMs: nowMs, health, version, askers: [asker] });
    this.#sendMs = Math.min(this.#sendMs, nowMs + GATHER_MS);
  }

  /** A leader has heard a batch. */
  renewed(node: NodeId, { batch, unknown, later }: Renewed, nowMs: number): void {
    const sent = this.#underWay.get(batch);
    if (sent === undefined || sent.node !== node) return;
    this.#underWay.delete(batch);
    this.#passed.heard(sent.elsewhere);
    const again = new Set(later);
    const strangers = new Set(unknown);
    for (const [at, renewal] of sent.renewals.entries()) {
      if (again.has(at)) {
        this.#putBack(renewal);
        continue;
      }
      this.#passed.answered(renewal.serviceKey, node);
      this.#answer(renewal, strangers.has(at) ? "unknown" : "heard");
    }
    if (later.length > 0) this.#sendMs = Math.min(this.#sendMs, nowMs + RETRY_MS);
  }

  /** A node can be reached, or other nodes lead. */
  dataChanged(nowMs: number): void {
    if (this.#waiting.size > 0) this.#sendMs = nowMs;
    for (const node of this.#links.reachable()) {
      if (this.#passed.reportsTo(node).length > 0) this.#sendTo(node, [], nowMs);
    }
  }

  /** Heartbeats under way to the node may be lost. */
  dataDown(node: NodeId, nowMs: number): void {
    for (const [id, { node: to, renewals }] of this.#underWay) {
      if (to !== node) continue;
      this.#underWay.delete(id);
      for (const renewal of renewals) this.#putBack(renewal);
    }
    if (this.#waiting.size > 0) this.#sendMs = Math.min(this.#sendMs, nowMs + RETRY_MS);
  }

  nextMs(): number {
    for (const { sentMs } of this.#underWay.values()) return Math.min(this.#sendMs, sentMs + ANSWER_MS);
    return this.#sendMs;
  }

  /** Sends what is due, and forgets what is not answered. */
  wake(nowMs: number): void {
    if (nowMs < this.nextMs()) return;
    for (const [id, { sentMs }] of this.#underWay) {
      if (nowMs < sentMs + ANSWER_MS) break;
      this.#underWay.delete(id);
    }
    if (nowMs >= this.#sendMs) this.#send(nowMs);
  }

  #send(nowMs: number): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    const byLeader = new Map<NodeId, Renewal[]>();
    for (const [key, renewal] of waiting) {
      const leader = this.#links.leader(renewal.serviceKey);
      if (leader === undefined || !this.#links.isReachable(leader)) {
        if (nowMs - renewal.atMs < KEPT_MS) this.#waiting.set(key, renewal);
        continue;
      }
      const ofLeader = byLeader.get(leader) ?? [];
      byLeader.set(leader, ofLeader);
      ofLeader.push(renewal);
      if (ofLeader.length < RENEWALS_MAX) continue;
      this.#sendTo(leader, ofLeader, nowMs);
      byLeader.delete(leader);
    }
    for (const [leader, renewals] of byLeader) this.#sendTo(leader, renewals, nowMs);
    this.#sendMs = this.#waiting.size > 0 ? nowMs + RETRY_MS : Number.POSITIVE_INFINITY;
  }

  #sendTo(node: NodeId, renewals: readonly Renewal[], nowMs: number): void {
    const batch = ++this.#batches;
    const elsewhere = this.#passed.reportsTo(node);
    this.#underWay.set(batch, { node, sentMs: nowMs, renewals, elsewhere });
    const told = elsewhere.length === 0 ? undefined : { elsewhere: elsewhere.map(({ slot }) => slot) };
    const messages = renewals.map((renewal) => messageOf(renewal, nowMs));
    this.#links.send(node, { kind: "renew", batch, renewals: messages, ...told });
  }

  /** It waits again, and displaces nothing newer. */
  #putBack(renewal: Renewal): void {
    const key = `${renewal.registId}\n${renewal.serviceKey}`;
    const newer = this.#waiting.get(key);
    if (newer === undefined) return void this.#waiting.set(key, renewal);
    if (newer.health === "asBefore") newer.health = renewal.health;
    newer.askers.push(...renewal.askers);
  }

  #answer({ askers }: Renewal, outcome: "heard" | "unknown"): void {
    for (const asker of askers) {
      if (!this.#ends.has(asker)) continue;
      this.#ends.delete(asker);
      asker.answer(outcome === "unknown" ? { kind: "unknown" } : { kind: "accepted", isHeard: true });
    }
  }
}

function messageOf(renewal: Renewal, nowMs: number): Renew["renewals"][number] {
  const { serviceKey, registId, atMs, health, version } = renewal;
  const ageMs = Math.max(0, Math.floor(nowMs - atMs));
  if (health === undefined && version === undefined) return { serviceKey, registId, ageMs };
  const beside = { ...(health !== undefined && { health }), ...(version !== undefined && { version }) };
  return { serviceKey, registId, ageMs, ...beside };
}
