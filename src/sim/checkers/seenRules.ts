// The operators' rules in the store, and what they say of a client: the yardstick for lists where there are rules. The
// matching is written anew, and simply.

import type { RulesMessage } from "../../cluster/messages/membership.ts";
import type { StoredRules } from "../../meta/ruleKeeper.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Rule, RuleDraft, RuleEdit, RuleEffect } from "../../model/rule.ts";
import type { Fact } from "../facts.ts";

/** A client's registration, or its subscriber. */
export interface Ruled {
  readonly client: string;
  readonly service: ServiceKey;
}

/** Rules that a role of a node has heard of, and when. */
interface Heard {
  readonly epoch: bigint;
  readonly atMs: number;
}

/** The last change that concerned an address, or pushes: the number of changes, and the epoch once it is stored. */
interface LastChange {
  readonly changes: number;
  readonly epoch: bigint;
}

const NEVER: LastChange = { changes: 0, epoch: 0n };
/** In the place of an address, for rules that hold pushes. */
const PUSHES = "pushes";

export class SeenRules {
  readonly #addresses = new Map<string, string>();
  /** By the address that a rule has named. */
  readonly #changes = new Map<string, LastChange>();
  readonly #heard = new Map<string, Heard[]>();
  #stored: readonly Rule[] = [];

  /** The rules in the store. */
  get stored(): readonly Rule[] {
    return this.#stored;
  }

  /** Whether an operator has wanted to take this client offline at any time. */
  mayHide(client: string): boolean {
    return this.#changes.has(this.#addressOf(client));
  }

  /**
   * Grows when an operator asks for a change that concerns the client's publications, or pushes, and when the store has
   * it.
   */
  changesOf(client: string): number {
    return this.#changeOf(client).changes + (this.#changes.get(PUSHES) ?? NEVER).changes;
  }

  /** Whether the rules, those in the store unless others are given, keep the client's registration out of the lists. */
  hides({ client, service }: Ruled, rules = this.#stored): boolean {
    return this.hidesAt({ address: this.#addressOf(client), service }, rules);
  }

  /** As `hides`, for a client at this address. */
  hidesAt(at: { readonly address: string; readonly service: ServiceKey }, rules: readonly Rule[]): boolean {
    return rules.some((rule) => holdsFor(rule, "hidePublications", at));
  }

  /** Whether the rules hold the pushes to the client's subscriber. */
  holds({ client, service }: Ruled, rules = this.#stored): boolean {
    const address = this.#addressOf(client);
    return rules.some((rule) => holdsFor(rule, "holdPushes", { address, service }));
  }

  /** The time at which a data node heard of the last change that concerns the client; Infinity if it has not. */
  dataHeardMs(node: string, client: string): number {
    return this.#heardMs(`data ${node}`, this.#changeOf(client));
  }

  /** As for data nodes, of a change that concerns pushes. */
  sessionHeardMs(node: string): number {
    return this.#heardMs(`session ${node}`, this.#changes.get(PUSHES) ?? NEVER);
  }

  see(fact: Fact, nowMs: number): void {
    switch (fact.kind) {
      case "connected":
        if (fact.address !== undefined) this.#addresses.set(fact.client, fact.address);
        return;
      case "rulesAsked":
        return this.#asked(fact.edit);
      case "learned":
        if (fact.message.kind === "rules") this.#noteHeard(`${fact.role} ${fact.node}`, fact.message, nowMs);
        return;
      case "rulesSaved":
      case "failedOver":
        if (fact.rules !== undefined) this.#saved(fact.rules);
        return;
      default:
    }
  }

  #asked({ put, removed }: RuleEdit): void {
    const ids = new Set([...removed, ...put.map(({ id }) => id)]);
    for (const rule of [...put, ...this.#stored.filter(({ id }) => ids.has(id))]) this.#note(rule, 0n);
  }

  #saved({ rules, epoch }: StoredRules): void {
    const before = this.#stored;
    this.#stored = rules;
    for (const rule of before) if (!rules.includes(rule)) this.#note(rule, epoch);
    for (const rule of rules) if (!before.includes(rule)) this.#note(rule, epoch);
  }

  #note({ effect, match }: RuleDraft, epoch: bigint): void {
    const concerned = effect === "holdPushes" ? [PUSHES] : (match.addresses ?? []).map(hostOf);
    for (const one of concerned) {
      const last = this.#changes.get(one) ?? NEVER;
      this.#changes.set(one, { changes: last.changes + 1, epoch: epoch > last.epoch ? epoch : last.epoch });
    }
  }

  #noteHeard(key: string, { epoch, base }: RulesMessage, nowMs: number): void {
    const heard = this.#heard.get(key) ?? [];
    this.#heard.set(key, heard);
    const known = heard.at(-1)?.epoch ?? 0n;
    if (base === undefined ? epoch > known : base === known) heard.push({ epoch, atMs: nowMs });
  }

  #heardMs(key: string, { epoch }: LastChange): number {
    if (epoch === 0n) return Number.NEGATIVE_INFINITY;
    return this.#heard.get(key)?.find((heard) => heard.epoch >= epoch)?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #changeOf(client: string): LastChange {
    return this.#changes.get(this.#addressOf(client)) ?? NEVER;
  }

  #addressOf(client: string): string {
    return this.#addresses.get(client) ?? client;
  }
}

function holdsFor(
  { effect, isInForce, match }: Rule,
  wanted: RuleEffect,
  { address, service }: { readonly address: string; readonly service: ServiceKey },
): boolean {
  const { addresses, exceptAddresses, services } = match;
  const isAt = (one: string) => hostOf(one) === address;
  return (
    effect === wanted &&
    isInForce &&
    (addresses === undefined || addresses.some(isAt)) &&
    (exceptAddresses === undefined || !exceptAddresses.some(isAt)) &&
    (services === undefined || services.includes(service))
  );
}

/** The address, without the length of a block that has one address. */
function hostOf(address: string): string {
  return address.replace("/32", "");
}
