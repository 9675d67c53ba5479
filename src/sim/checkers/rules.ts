// An operator's intent wins: once a data node has heard a rule, nothing that it tells a session shows what the rule
// hides; once a session has heard that pushes are held, it pushes no list that has come since. The rules of a node
// never go back. That hidden registrations come back, and held lists arrive, is for Timeliness and Convergence.

import type { RulesMessage } from "../../cluster/messages/membership.ts";
import { hostOf, type NodeId, type ServiceKey } from "../../model/ids.ts";
import type { Publication } from "../../model/publication.ts";
import type { Rule } from "../../model/rule.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import type { Ruled } from "./seenRules.ts";

// A leader is there by then, and the store answers.
const ENDS_MS = 10_000;

/** The rules of one role of a node, as it was told them. */
interface Known {
  epoch: bigint;
  readonly rules: Map<string, Rule>;
}

export class RuleChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #known = new Map<string, Known>();
  /** The epoch of the rules that each meta node has sent to any member, and to each of them. */
  readonly #published = new Map<NodeId, bigint>();
  readonly #sent = new Map<string, bigint>();
  readonly #reported = new Map<string, bigint>();
  /** The subscribed services of each client. */
  readonly #subscribed = new Map<string, Ruled>();
  /** The time since which a session holds the pushes of a service to a client, by all three. */
  readonly #heldMs = new Map<string, number>();
  /** The time at which a version of a service came to a session. */
  readonly #listedMs = new Map<string, number>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "learned":
        if (fact.message.kind !== "rules") return undefined;
        this.#learned(`${fact.role} ${fact.node}`, fact.message);
        if (fact.role === "session") this.#noteHolds(fact.node, nowMs);
        return undefined;
      case "subscribed":
        this.#subscribed.set(`${fact.client} ${fact.service}`, fact);
        return undefined;
      case "ruled":
        return this.#ruled(fact);
      case "heartbeat":
        return this.#heartbeat(`${fact.message.role} ${fact.from}`, fact.message.rulesEpoch ?? 0n);
      case "told":
        return this.#told(fact);
      case "listed":
        this.#listedMs.set(`${fact.node} ${fact.service} ${fact.version}`, nowMs);
        return undefined;
      case "pushed":
        return this.#pushed(fact);
      case "over":
        return this.#unended(nowMs);
      default:
        return undefined;
    }
  }

  #learned(key: string, { epoch, base, put, removed }: RulesMessage): void {
    const known = this.#known.get(key) ?? { epoch: 0n, rules: new Map() };
    this.#known.set(key, known);
    if (epoch <= known.epoch || (base !== undefined && base !== known.epoch)) return;
    known.epoch = epoch;
    if (base === undefined) known.rules.clear();
    for (const id of removed) known.rules.delete(id);
    for (const rule of put) known.rules.set(rule.id, rule);
  }

  #heartbeat(key: string, epoch: bigint): Finding | undefined {
    const before = this.#reported.get(key) ?? 0n;
    this.#reported.set(key, epoch);
    if (epoch < before) return found(undefined, `${key} has rules ${epoch} after ${before}`);
    const told = this.#known.get(key)?.epoch ?? 0n;
    return epoch === told ? undefined : found(undefined, `${key} reports rules ${epoch}, and was told ${told}`);
  }

  /** A data node is never told that it leads before it is told what it must not show. */
  #ruled({ from, to, message }: Fact & { kind: "ruled" }): Finding | undefined {
    const key = `${from} ${to.role} ${to.id}`;
    const published = this.#published.get(from) ?? 0n;
    if (message.kind === "rules") {
      this.#sent.set(key, message.epoch);
      if (message.epoch > published) this.#published.set(from, message.epoch);
    }
    const has = [this.#sent.get(key), this.#reported.get(`${to.role} ${to.id}`)];
    if (message.kind !== "slotTable" || has.some((epoch = 0n) => epoch >= published)) return undefined;
    return found(undefined, `${from} sends ${to.id} a table before the rules ${published}`);
  }

  /** A rule whose time is over ends, whatever the clock of the leader shows. */
  #unended(nowMs: number): Finding | undefined {
    const { clocks } = this.#evidence.plan;
    const over = this.#evidence.rules.stored.find(
      ({ untilMs = Number.POSITIVE_INFINITY }) => untilMs + 2 * clocks.spreadMs + ENDS_MS < nowMs,
    );
    return over && found(undefined, `the rule ${over.id} was to end at ${over.untilMs}`);
  }

  #told({ from, message }: Fact & { kind: "told" }): Finding | undefined {
    const rules = [...(this.#known.get(`data ${from}`)?.rules.values() ?? [])];
    if (rules.length === 0) return undefined;
    for (const publication of publicationsIn(message)) {
      const { serviceKey: service, registId, owner } = publication;
      const address = hostOf(owner.client);
      if (!this.#evidence.rules.hidesAt({ address, service }, rules)) continue;
      return found(service, `${from} shows ${registId} at ${address}, which its rules hide`);
    }
    return undefined;
  }

  #noteHolds(session: NodeId, nowMs: number): void {
    const rules = [...(this.#known.get(`session ${session}`)?.rules.values() ?? [])];
    for (const [subscribed, ruled] of this.#subscribed) {
      const key = `${session} ${subscribed}`;
      if (!this.#evidence.rules.holds(ruled, rules)) this.#heldMs.delete(key);
      else if (!this.#heldMs.has(key)) this.#heldMs.set(key, nowMs);
    }
  }

  #pushed({ client, service, session, version }: Fact & { kind: "pushed" }): Finding | undefined {
    const sinceMs = this.#heldMs.get(`${session} ${client} ${service}`);
    if (sinceMs === undefined) return undefined;
    const listedMs = this.#listedMs.get(`${session} ${service} ${version}`) ?? Number.NEGATIVE_INFINITY;
    if (listedMs <= sinceMs) return undefined;
    return found(service, `${session} pushed v${version} to ${client}, to which pushes are held`);
  }
}

function publicationsIn(message: (Fact & { kind: "told" })["message"]): readonly Publication[] {
  if (message.kind === "snapshot") return message.datum.publications;
  if (message.kind !== "delta") return [];
  return message.delta.changes.flatMap((change) => (change.kind === "put" ? change.publication : []));
}

function found(service: ServiceKey | undefined, text: string): Finding {
  return { rule: "rules: an operator's intent wins", service, text };
}
