// Registrations that are kept by heartbeats. By the messages: no leader shows one as unhealthy, or removes it, before
// the leader has heard nothing for as long as its lease says; a lead, and a time in which the leader stood still, count
// as if it had heard something. In calm nothing happens to a client that sends heartbeats. At the end each session's
// list has exactly the clients that send heartbeats, healthy, and as their last requests that a leader has heard, or a
// later one: of requests that no leader could be told in time, the clocks of their sessions decide.

import type { Renewal } from "../../cluster/messages/lease.ts";
import { type PublishItem, registIdOf, type SessionToData, serviceKeyOf } from "../../cluster/messages/sessionData.ts";
import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Lease } from "../../model/publication.ts";
import { slotOf } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import { isOfLeases } from "../leaseServices.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

// Clocks run too fast by one percent at the most.
const DRIFT = 0.02;
const SLACK_MS = 100;
// Clocks that are kept are not further apart.
const CLOCKS_MS = 1_000;
// Links and heartbeats are as usual by then, and what faults have caused is over.
const CALM_AFTER_MS = 20_000;
// An end that was asked for may reach a leader long afterwards.
const END_MS = 60_000;

interface LeaseClient {
  readonly service: ServiceKey;
  readonly lease: Lease;
  readonly token: string;
  readonly isAlive: boolean;
}

type Made = Fact & { readonly kind: "leaseMade" };

export class LeaseChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #clients = new Map<string, LeaseClient>();
  /** By client, its registrations from the last one on that a leader has heard. */
  readonly #registered = new Map<string, readonly { readonly request: number; readonly token: string }[]>();
  /** The time at which a client last asked for its end. */
  readonly #ended = new Map<string, number>();
  /** The messages to leaders without an answer. */
  readonly #asked = new Map<string, readonly { readonly client: string; readonly ageMs: number }[]>();
  /** By leader and client, the time of the last heartbeat that the leader has answered. */
  readonly #heard = new Map<string, number>();
  /** By node and slot, the beginning of its lead. */
  readonly #leads = new Map<string, { readonly leaderEpoch: bigint; readonly sinceMs: number }>();
  readonly #machines = new Map<NodeId, string>();
  /** By machine, the pauses. */
  readonly #pauses = new Map<string, { readonly fromMs: number; toMs: number }[]>();
  readonly #lists: (Fact & { readonly kind: "leaseListed" })[] = [];
  #healedMs = Number.POSITIVE_INFINITY;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "leaseClient":
        this.#clients.set(fact.client, fact);
        return undefined;
      case "leaseAsked":
        if (fact.what === "end") this.#ended.set(fact.client, nowMs);
        if (fact.what === "register") this.#registered.set(fact.client, [...this.#registrationsOf(fact.client), fact]);
        return undefined;
      case "leaseAnswered":
        if (fact.outcome === "heard") this.#noteHeard(fact);
        return undefined;
      case "leaseMade":
        return this.#made(fact, nowMs);
      case "leaseListed":
        this.#lists.push(fact);
        return undefined;
      case "asked":
        this.#noteAsked(fact.from, fact.to, fact.message);
        return undefined;
      case "told":
        this.#noteTold(fact, nowMs);
        return undefined;
      case "learned":
        if (fact.role === "data" && fact.message.kind === "slotTable") this.#noteTable(fact.node, fact.message, nowMs);
        return undefined;
      case "started":
        this.#machines.set(fact.node, fact.machine);
        return undefined;
      case "paused":
        this.#notePause(fact, nowMs);
        return undefined;
      case "healed":
        this.#healedMs = nowMs;
        return undefined;
      case "over":
        return this.#over();
      default:
        return undefined;
    }
  }

  #made({ node, service, registId, shown }: Made, nowMs: number): Finding | undefined {
    const client = this.#clients.get(registId);
    if (client === undefined || shown === "healthy") return undefined;
    if (shown === "gone" && nowMs - (this.#ended.get(registId) ?? Number.NEGATIVE_INFINITY) < END_MS) return undefined;
    const { unhealthyAfterMs, removedAfterMs } = client.lease;
    const limitMs = shown === "gone" ? removedAfterMs : (unhealthyAfterMs ?? Number.POSITIVE_INFINITY);
    const heardMs = Math.max(this.#heard.get(`${node} ${registId}`) ?? 0, this.#ledSince(node, service));
    const silentMs = nowMs - heardMs - this.#stoodStillMs(node, heardMs, nowMs);
    if (silentMs < limitMs * (1 - DRIFT) - SLACK_MS) {
      return finding(service, `${node} has ${registId} ${shown}, which it heard ${silentMs} ms ago`);
    }
    if (client.isAlive && nowMs > this.#healedMs + CALM_AFTER_MS) {
      return finding(service, `${node} has ${registId} ${shown}, which sends heartbeats, when all is well`);
    }
    return undefined;
  }

  #noteAsked(from: NodeId, to: NodeId, message: SessionToData): void {
    if (message.kind === "renew") {
      const renewals = message.renewals.map(({ registId, ageMs }: Renewal) => ({ client: registId, ageMs }));
      this.#asked.set(`${from} ${to} renew ${message.batch}`, renewals);
    }
    if (message.kind !== "publish") return;
    const puts = message.items.filter((item: PublishItem) => item.kind === "put" && isOfLeases(serviceKeyOf(item)));
    if (puts.length === 0) return;
    const clients = puts.map((item) => ({ client: registIdOf(item), ageMs: 0 }));
    this.#asked.set(`${from} ${to} publish ${message.batch}`, clients);
  }

  #noteTold({ from, to, message }: Fact & { readonly kind: "told" }, nowMs: number): void {
    if (message.kind === "renewed") {
      const not = new Set([...message.unknown, ...message.later]);
      const key = `${to} ${from} renew ${message.batch}`;
      for (const [at, { client, ageMs }] of (this.#asked.get(key) ?? []).entries()) {
        if (!not.has(at)) this.#hear(from, client, nowMs - ageMs);
      }
      this.#asked.delete(key);
    }
    if (message.kind !== "taken") return;
    const lost = new Set(message.superseded.map(({ registId }) => registId));
    const key = `${to} ${from} publish ${message.batch}`;
    for (const { client } of this.#asked.get(key) ?? []) if (!lost.has(client)) this.#hear(from, client, nowMs);
    this.#asked.delete(key);
  }

  #hear(leader: NodeId, client: string, atMs: number): void {
    const key = `${leader} ${client}`;
    this.#heard.set(key, Math.max(this.#heard.get(key) ?? 0, atMs));
  }

  #noteTable(
    node: NodeId,
    { table }: Extract<Fact & { kind: "learned" }, { kind: "learned" }>["message"] & { kind: "slotTable" },
    nowMs: number,
  ): void {
    for (const [slot, { leader, leaderEpoch }] of table.slots.entries()) {
      const key = `${node} ${slot}`;
      if (leader !== node || this.#leads.get(key)?.leaderEpoch === leaderEpoch) continue;
      this.#leads.set(key, { leaderEpoch, sinceMs: nowMs });
    }
  }

  #ledSince(node: NodeId, service: ServiceKey): number {
    const slot = slotOf(service, this.#evidence.plan.meta.slotCount);
    return this.#leads.get(`${node} ${slot}`)?.sinceMs ?? 0;
  }

  #notePause({ machine, isPaused }: Fact & { readonly kind: "paused" }, nowMs: number): void {
    const pauses = this.#pauses.get(machine) ?? [];
    this.#pauses.set(machine, pauses);
    if (isPaused) pauses.push({ fromMs: nowMs, toMs: Number.POSITIVE_INFINITY });
    else Object.assign(pauses.at(-1) ?? {}, { toMs: nowMs });
  }

  /** The time between these two in which the node's process stood still; pauses of a second are nothing. */
  #stoodStillMs(node: NodeId, fromMs: number, toMs: number): number {
    let sum = 0;
    for (const pause of this.#pauses.get(this.#machines.get(node) ?? "") ?? []) {
      sum += Math.max(0, Math.min(toMs, pause.toMs) - Math.max(fromMs, pause.fromMs) - 1_100);
    }
    return sum;
  }

  #registrationsOf(client: string): readonly { readonly request: number; readonly token: string }[] {
    return this.#registered.get(client) ?? [];
  }

  #noteHeard({ client, request }: Fact & { readonly kind: "leaseAnswered" }): void {
    const registrations = this.#registrationsOf(client);
    if (!registrations.some((one) => one.request === request)) return;
    // With clocks that are far apart, one that came before and was not heard may have a later time.
    const { spreadMs } = this.#evidence.plan.clocks;
    const left = registrations.filter((one) => one.request >= request || spreadMs > CLOCKS_MS);
    this.#registered.set(client, left);
  }

  #over(): Finding | undefined {
    for (const { node, service, list = ["no list"] } of this.#lists) {
      const alive = [...this.#clients].filter(([, client]) => client.isAlive && client.service === service);
      const tokens = alive.map(([name]) => new Set(this.#registrationsOf(name).map(({ token }) => token)));
      const isRight = list.length === tokens.length && tokens.every((known) => list.some((token) => known.has(token)));
      if (isRight) continue;
      const expected = alive.map(([, { token }]) => token).sort();
      return finding(service, `${node} has "${list.join(" ")}" at the end, and not "${expected.join(" ")}"`);
    }
    return undefined;
  }
}

function finding(service: ServiceKey, text: string): Finding {
  return { rule: "leases: neither early nor late", service, text };
}
