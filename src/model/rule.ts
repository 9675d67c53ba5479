// Rules: what operators want, as data. Meta keeps them, and sends them to every data node and session. A rule says what
// it does, to which clients and services, and who wants it, since when, why and until when. The wish of an operator
// wins over everything that clients do, and survives their reconnects, fail-overs and restarts.

import { fail, type RegistryError } from "../base/errors.ts";
import { isBlock, readAddressOrBlock } from "./addressBlock.ts";
import { settingRefusal } from "./dynamicKeys.ts";
import type { ServiceKey } from "./ids.ts";

/**
 * The effects of rules. `hidePublications`: publications stay registered and are in no list; data leaders apply it when
 * they make a version, so every protocol sees the same. `holdPushes`: clients are pushed nothing, and get the newest
 * lists when the rule is gone; sessions apply it. `changeSettings`: data nodes and sessions take the values of the
 * rule in the place of those that they are configured with (settings.ts).
 */
export const RULE_EFFECTS = ["hidePublications", "holdPushes", "changeSettings"] as const;

export type RuleEffect = (typeof RULE_EFFECTS)[number];

/**
 * The clients and services that a rule is for: those for which every condition holds. A condition that is not given
 * holds for all, and one with an empty list for none.
 */
export interface RuleMatch {
  /** Addresses of clients, and blocks of them, in the form of `readAddressOrBlock`. */
  readonly addresses?: readonly string[];
  /** Addresses for which the rule does not hold, though the rest says so. */
  readonly exceptAddresses?: readonly string[];
  readonly services?: readonly ServiceKey[];
  /** The beginnings of the keys of services. */
  readonly servicePrefixes?: readonly string[];
  readonly zones?: readonly string[];
  /** Names of the session nodes that hold the clients. */
  readonly sessions?: readonly string[];
  /** Registrations that a session took before this time; a client that returns is not meant. */
  readonly registeredBeforeMs?: number;
}

/** A rule. All times in milliseconds. */
export interface Rule {
  /** Its name, by which operators change and remove it. */
  readonly id: string;
  readonly effect: RuleEffect;
  readonly match: RuleMatch;
  /**
   * The values of a rule with the effect `changeSettings`, as text, by the keys of the configuration. Such a rule is
   * for all nodes, or for those of `match.zones` and of the names in `match.sessions`.
   */
  readonly settings?: ReadonlyMap<string, string>;
  /** A rule that is not in force keeps its lists for the day on which it is put in force again. */
  readonly isInForce: boolean;
  /** The operator, as far as the interface knows it, or the interface itself. */
  readonly setBy: string;
  readonly setMs: number;
  readonly reason: string;
  /** The time at which it ends; undefined for one that stays until it is removed. */
  readonly untilMs?: number;
  /** The epoch of all rules since which it is as it is. Two operators are told apart by it. */
  readonly epoch: bigint;
}

/** A rule as an operator writes it. */
export type RuleDraft = Omit<Rule, "epoch" | "setMs">;

/** A change as an operator asks for it. */
export interface RuleEdit {
  readonly put: readonly RuleDraft[];
  /** The ids of rules to remove; one that is gone already is no error. */
  readonly removed: readonly string[];
  /**
   * The epochs of rules as the operator has read them, and undefined for those that must not exist. Rules that are not
   * named here are changed whatever they are.
   */
  readonly expected: ReadonlyMap<string, bigint | undefined>;
}

/** The most rules of a cluster: a node walks over all of them when one changes. */
export const RULES_MAX = 10_000;
/** The most rules that have to be tried one by one, since they name no few addresses or services. */
export const WIDE_RULES_MAX = 100;
/** A mebibyte of addresses, as text with a comma each, and what etcd takes as one value by default. */
export const RULE_BYTES_MAX = 1_400_000;
/** The most rules that are put and removed at once: a store makes so many changes in one commit. */
export const RULES_PER_CHANGE_MAX = 90;
/** The most bytes of all rules: each node keeps them, and gets them in one message when it starts. */
export const RULES_BYTES_MAX = 4 * 1024 * 1024;

// A name of an operator's own, or that of one of SOFARegistry's switches.
const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const TEXT_CHARS_MAX = 1_000;
// Shown to people, and written to logs.
const TEXT = /^[^\p{Cc}\p{Surrogate}]*$/u;
const NAMES = ["services", "servicePrefixes", "zones", "sessions"] as const;
const ADDRESSES = ["addresses", "exceptAddresses"] as const;
// A list costs this much for each entry, beside the characters.
const ENTRY_BYTES = 3;
const RULE_BYTES = 200;

/** The approximate size of a rule. */
export function ruleBytes(rule: Omit<RuleDraft, "effect" | "isInForce">): number {
  const { id, match, settings, setBy, reason } = rule;
  let bytes = RULE_BYTES + id.length + setBy.length + reason.length;
  for (const [name, value] of settings ?? []) bytes += name.length + value.length + 2 * ENTRY_BYTES;
  for (const list of [...NAMES, ...ADDRESSES].map((name) => match[name])) {
    for (const text of list ?? []) bytes += text.length + ENTRY_BYTES;
  }
  return bytes;
}

/**
 * The draft with its addresses in one form, without repetitions. Returns FIELD_INVALID for what no rule may have, and
 * RULES_EXHAUSTED for one that is too large.
 */
export function checkedRule(draft: RuleDraft, nowMs: number): RuleDraft | RegistryError {
  const { id, effect, match, setBy, reason, untilMs } = draft;
  if (!ID.test(id)) {
    return fail("FIELD_INVALID", {
      field: "id",
      value: id,
      expected: "1 to 128 letters, digits, dots, dashes, colons",
    });
  }
  for (const [field, value] of Object.entries({ setBy, reason })) {
    if (value.length > TEXT_CHARS_MAX || !TEXT.test(value)) {
      return fail("FIELD_INVALID", { field, value, expected: `at most ${TEXT_CHARS_MAX} printable characters` });
    }
  }
  if (untilMs !== undefined && !(untilMs > nowMs)) {
    return fail("FIELD_INVALID", { field: "untilMs", value: untilMs, expected: `a time after ${Math.ceil(nowMs)}` });
  }
  const isForAll = Object.values(match).every((condition) => condition === undefined);
  if (effect === "hidePublications" && isForAll) {
    const expected = "a condition: a rule that hides every publication empties every list";
    return fail("FIELD_INVALID", { field: "match", rule: id, expected });
  }
  const refusal = settingsRefusal(draft);
  if (refusal !== undefined) return refusal;
  const bytes = ruleBytes(draft);
  if (bytes > RULE_BYTES_MAX) return fail("RULES_EXHAUSTED", { rule: id, bytes, bytesMax: RULE_BYTES_MAX });
  const checked: { addresses?: readonly string[]; exceptAddresses?: readonly string[] } = {};
  for (const name of ADDRESSES) {
    const list = match[name];
    if (list === undefined) continue;
    const addresses = checkedAddresses(list);
    if (!Array.isArray(addresses)) return addresses as RegistryError;
    checked[name] = addresses;
  }
  return { ...draft, match: { ...match, ...checked } };
}

/** Settings belong to the rules that change some, and are for nodes, not for clients and services. */
function settingsRefusal({ id, effect, match, settings }: RuleDraft): RegistryError | undefined {
  if (effect !== "changeSettings") {
    if (settings === undefined) return undefined;
    return fail("FIELD_INVALID", { field: "settings", rule: id, expected: "none: the rule does not change settings" });
  }
  if (settings === undefined || settings.size === 0) {
    return fail("FIELD_INVALID", { field: "settings", rule: id, expected: "at least one setting with its value" });
  }
  for (const [condition, given] of Object.entries(match)) {
    if (given === undefined || condition === "zones" || condition === "sessions") continue;
    const expected = "zones and sessions: settings are for nodes, not for clients or services";
    return fail("FIELD_INVALID", { field: "match", rule: id, condition, expected });
  }
  for (const [name, value] of settings) {
    const refusal = settingRefusal(name, value);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The addresses in one form, each once, or FIELD_INVALID for the first that is none. */
export function checkedAddresses(texts: readonly string[]): string[] | RegistryError {
  const addresses = new Set<string>();
  for (const text of texts) {
    const address = readAddressOrBlock(text);
    if (typeof address !== "string") return address;
    addresses.add(address);
  }
  return [...addresses];
}

/** Whether a rule names an address and no block. */
export function namesOnlyHosts({ addresses }: RuleMatch): boolean {
  return addresses?.some(isBlock) === false;
}
