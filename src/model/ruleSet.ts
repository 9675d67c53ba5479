// All rules at one epoch, arranged so that a client or a publication is matched in a microsecond, however many rules
// there are and however long their lists: a rule that names few addresses, or few services, is found by these, and the
// others, of which there are WIDE_RULES_MAX at most, are tried one by one. A set never changes; the next one shares
// what the rules of both have in common.

import { AddressBlocks, isBlock } from "./addressBlock.ts";
import type { ServiceKey } from "./ids.ts";
import type { Rule, RuleEffect, RuleMatch } from "./rule.ts";
import { NO_VERSION } from "./version.ts";

/** The subject of a rule: a publication, or a client's subscription. */
export interface RuleSubject {
  /** The address that the client connects from (`hostOf` of its id). */
  readonly host: string;
  readonly serviceKey: ServiceKey;
  readonly zone: string;
  /** The name of the session node that holds the client. */
  readonly session: string;
  readonly registeredMs: number;
}

/** Rules put and rules removed, from one epoch to the next. */
export interface RuleChange {
  readonly put: readonly Rule[];
  /** The ids of rules that are gone. */
  readonly removed: readonly string[];
}

// A rule with a longer list keeps it in a set of its own.
const INDEXED_MAX = 64;

export class RuleSet {
  readonly epoch: bigint;
  readonly #rules: ReadonlyMap<string, Rule>;
  readonly #byEffect = new Map<RuleEffect, EffectRules>();

  constructor(epoch: bigint, rules: Iterable<Rule>) {
    this.epoch = epoch;
    this.#rules = new Map([...rules].map((rule) => [rule.id, rule]));
    for (const rule of this.#rules.values()) {
      if (!rule.isInForce) continue;
      const ofEffect = this.#byEffect.get(rule.effect) ?? new EffectRules();
      this.#byEffect.set(rule.effect, ofEffect);
      ofEffect.add(rule);
    }
  }

  get size(): number {
    return this.#rules.size;
  }

  get(id: string): Rule | undefined {
    return this.#rules.get(id);
  }

  rules(): Iterable<Rule> {
    return this.#rules.values();
  }

  /** The set after a change. */
  changed({ put, removed }: RuleChange, epoch: bigint): RuleSet {
    const rules = new Map(this.#rules);
    for (const id of removed) rules.delete(id);
    for (const rule of put) rules.set(rule.id, rule);
    return new RuleSet(epoch, rules.values());
  }

  /** The change from this set to another one. */
  changeTo(next: RuleSet): RuleChange {
    const put = [...next.rules()].filter((rule) => this.get(rule.id)?.epoch !== rule.epoch);
    const removed = [...this.#rules.keys()].filter((id) => next.get(id) === undefined);
    return { put, removed };
  }

  /** Whether a rule in force has this effect. */
  has(effect: RuleEffect): boolean {
    return this.#byEffect.has(effect);
  }

  /** Whether a rule in force with this effect holds for the subject. */
  matches(effect: RuleEffect, subject: RuleSubject): boolean {
    return this.#byEffect.get(effect)?.match(subject) === true;
  }

  /** The ids of the rules in force with this effect that hold for the subject. */
  matching(effect: RuleEffect, subject: RuleSubject): string[] {
    return this.#byEffect.get(effect)?.matching(subject) ?? [];
  }

  /** The ids of the rules in force with this effect that hold for a client whatever service it registers for. */
  concerning(effect: RuleEffect, client: Pick<RuleSubject, "host" | "session">): string[] {
    return this.#byEffect.get(effect)?.concerning(client) ?? [];
  }

  /** The number of rules that are tried one by one. */
  get wide(): number {
    let wide = 0;
    for (const { wide: ofEffect } of this.#byEffect.values()) wide += ofEffect;
    return wide;
  }
}

export const NO_RULES = new RuleSet(NO_VERSION, []);

/** The rules in force with one effect. */
class EffectRules {
  readonly #byHost = new Map<string, RuleMatcher[]>();
  readonly #byService = new Map<ServiceKey, RuleMatcher[]>();
  readonly #others: RuleMatcher[] = [];

  get wide(): number {
    return this.#others.length;
  }

  add(rule: Rule): void {
    const matcher = matcherOf(rule);
    const { addresses, services } = rule.match;
    if (addresses !== undefined && addresses.length <= INDEXED_MAX && !addresses.some(isBlock)) {
      for (const address of addresses) addTo(this.#byHost, address, matcher);
    } else if (services !== undefined && services.length <= INDEXED_MAX) {
      for (const service of services) addTo(this.#byService, service, matcher);
    } else this.#others.push(matcher);
  }

  match(subject: RuleSubject): boolean {
    return (
      hasMatch(this.#byHost.get(subject.host), subject) ||
      hasMatch(this.#byService.get(subject.serviceKey), subject) ||
      hasMatch(this.#others, subject)
    );
  }

  concerning({ host, session }: Pick<RuleSubject, "host" | "session">): string[] {
    const tried = [...(this.#byHost.get(host) ?? []), ...this.#others];
    return tried.filter((matcher) => matcher.mayConcernClient(host, session)).map(({ id }) => id);
  }

  matching(subject: RuleSubject): string[] {
    const tried = [this.#byHost.get(subject.host), this.#byService.get(subject.serviceKey), this.#others];
    return tried.flatMap((some = []) => some.filter((matcher) => matcher.matches(subject)).map(({ id }) => id));
  }
}

function addTo<Key>(lists: Map<Key, RuleMatcher[]>, key: Key, matcher: RuleMatcher): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [matcher]);
  else list.push(matcher);
}

function hasMatch(matchers: readonly RuleMatcher[] | undefined, subject: RuleSubject): boolean {
  return matchers?.some((matcher) => matcher.matches(subject)) === true;
}

// Nearly all rules of a set are those of the set before.
const matchers = new WeakMap<Rule, RuleMatcher>();

/** The conditions of a rule, arranged once. */
export function matcherOf(rule: Rule): RuleMatcher {
  const known = matchers.get(rule);
  if (known !== undefined) return known;
  const made = new RuleMatcher(rule.match, rule.id);
  matchers.set(rule, made);
  return made;
}

/** The conditions of one rule. */
export class RuleMatcher {
  /** The rule's id; empty for conditions that are not of a rule. */
  readonly id: string;
  readonly #addresses: Addresses | undefined;
  readonly #exceptAddresses: Addresses | undefined;
  readonly #services: ReadonlySet<ServiceKey> | undefined;
  readonly #servicePrefixes: readonly string[] | undefined;
  readonly #zones: ReadonlySet<string> | undefined;
  readonly #sessions: ReadonlySet<string> | undefined;
  readonly #registeredBeforeMs: number | undefined;

  constructor(match: RuleMatch, id = "") {
    this.id = id;
    this.#addresses = match.addresses && new Addresses(match.addresses);
    this.#exceptAddresses = match.exceptAddresses && new Addresses(match.exceptAddresses);
    this.#services = match.services && new Set(match.services);
    this.#servicePrefixes = match.servicePrefixes;
    this.#zones = match.zones && new Set(match.zones);
    this.#sessions = match.sessions && new Set(match.sessions);
    this.#registeredBeforeMs = match.registeredBeforeMs;
  }

  matches({ host, serviceKey, zone, session, registeredMs }: RuleSubject): boolean {
    return (
      this.mayConcern(serviceKey) &&
      this.#zones?.has(zone) !== false &&
      this.#sessions?.has(session) !== false &&
      (this.#registeredBeforeMs === undefined || registeredMs < this.#registeredBeforeMs) &&
      this.mayConcernHost(host)
    );
  }

  /** Whether the rule names no services, and may hold for a client at this host and session. */
  mayConcernClient(host: string, session: string): boolean {
    const isForServices = this.#services !== undefined || this.#servicePrefixes !== undefined;
    return !isForServices && this.#sessions?.has(session) !== false && this.mayConcernHost(host);
  }

  /** Whether the rule may hold for a client at this host. */
  mayConcernHost(host: string): boolean {
    return this.#addresses?.has(host) !== false && this.#exceptAddresses?.has(host) !== true;
  }

  /** Whether the rule may hold for a client of this service. */
  mayConcern(serviceKey: ServiceKey): boolean {
    return (
      this.#services?.has(serviceKey) !== false &&
      this.#servicePrefixes?.some((prefix) => serviceKey.startsWith(prefix)) !== false
    );
  }
}

/** Addresses and blocks of them, as `readAddressOrBlock` returns them. */
export class Addresses {
  readonly #hosts: ReadonlySet<string>;
  readonly #blocks: AddressBlocks | undefined;

  constructor(addresses: readonly string[]) {
    const blocks = addresses.filter(isBlock);
    this.#hosts = new Set(blocks.length === 0 ? addresses : addresses.filter((address) => !isBlock(address)));
    this.#blocks = blocks.length === 0 ? undefined : new AddressBlocks(blocks);
  }

  /** Whether a host is one of them (`hostOf` of a client's id). */
  has(host: string): boolean {
    return this.#hosts.has(host) || this.#blocks?.has(host) === true;
  }
}
