// SOFARegistry's switches that are rules in Roster. A rule has the name of its switch: a write makes the rule what the
// value says, and a query says what the rule is, in SOFARegistry's form. Where one value has addresses for both
// effects, the addresses whose pushes are held are in a second rule.

import { fail } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { checkedAddresses, type Rule, type RuleDraft } from "../../../model/rule.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import { readServiceKey } from "../../../model/serviceKey.ts";

/** The names of the switches, which are the ids of their rules. */
export const STOP_PUSH = "session.stop.push.data.switch";
export const GRAY_OPEN = "session.push.switch.gray.open";
export const SERVICE_BLACKLIST = "session.dataid.blacklist";
export const IP_BLACKLIST = "session.blacklist.data";
export const CLIENT_OFF = "registry.client.off.list";

const HELD = ":sub";

/** A rule as a switch makes it; the interface adds who set it, and why. */
export type SwitchRule = Pick<RuleDraft, "id" | "effect" | "match" | "settings" | "isInForce">;

/** The rules that a switch puts and removes. */
export interface SwitchEdit {
  readonly put: readonly SwitchRule[];
  readonly removed?: readonly string[];
}

export interface RuleSwitch {
  /** The rules that have its value. */
  readonly ids: readonly string[];
  /** Its value as SOFARegistry writes it; undefined if it is not set. */
  shown(rules: RuleSet): string | undefined;
  /** Throws FIELD_INVALID. */
  written(value: string, rules: RuleSet): SwitchEdit;
  removed(rules: RuleSet): SwitchEdit;
}

/** Addresses whose publications are hidden, and those of them, or others, whose pushes are held. */
export interface AddressLists {
  readonly hidden: readonly string[];
  readonly held: readonly string[];
}

/** The two lists of a switch, as far as its rules are in force. */
export function addressListsOf(id: string, rules: RuleSet): AddressLists {
  return { hidden: addressesOf(rules.get(id)), held: addressesOf(rules.get(`${id}${HELD}`)) };
}

/** The rules for two lists of addresses. */
export function addressRules(id: string, { hidden, held }: AddressLists): readonly SwitchRule[] {
  return [
    { id, effect: "hidePublications", match: { addresses: hidden }, isInForce: true },
    { id: `${id}${HELD}`, effect: "holdPushes", match: { addresses: held }, isInForce: true },
  ];
}

/** Pushes are stopped, but for these addresses; undefined: for those that are excepted now. */
export function stopPushRule(
  rules: RuleSet,
  { isStopped, open }: { readonly isStopped: boolean; readonly open?: readonly string[] },
): SwitchRule {
  const exceptAddresses = open ?? openAddressesOf(rules);
  const match = exceptAddresses.length === 0 ? {} : { exceptAddresses };
  return { id: STOP_PUSH, effect: "holdPushes", match, isInForce: isStopped };
}

/** Whether all pushes are stopped, but for the excepted addresses. */
export function isPushStopped(rules: RuleSet): boolean {
  return rules.get(STOP_PUSH)?.isInForce === true;
}

/** The addresses whose pushes are not stopped with the others. */
export function openAddressesOf(rules: RuleSet): readonly string[] {
  return rules.get(STOP_PUSH)?.match.exceptAddresses ?? [];
}

/** The services whose publications are hidden. */
export function blacklistedServicesOf(rules: RuleSet): readonly ServiceKey[] {
  const rule = rules.get(SERVICE_BLACKLIST);
  return (rule?.isInForce === true && rule.match.services) || [];
}

/** The rule that hides the publications of services. */
export function blacklistedServicesRule(services: Iterable<ServiceKey>): SwitchRule {
  const match = { services: [...new Set(services)] };
  return { id: SERVICE_BLACKLIST, effect: "hidePublications", match, isInForce: true };
}

const SWITCHES: Readonly<Record<string, RuleSwitch>> = {
  [STOP_PUSH]: {
    ids: [STOP_PUSH],
    shown: (rules) => (rules.get(STOP_PUSH) === undefined ? undefined : String(isPushStopped(rules))),
    written: (value, rules) => ({ put: [stopPushRule(rules, { isStopped: readFlag(STOP_PUSH, value) })] }),
    removed: () => ({ put: [], removed: [STOP_PUSH] }),
  },
  [GRAY_OPEN]: {
    ids: [STOP_PUSH],
    shown: (rules) => {
      const ips = openAddressesOf(rules);
      return ips.length === 0 ? undefined : JSON.stringify({ ips });
    },
    written: (value, rules) => ({ put: [grayOpenRule(rules, readOpenAddresses(value))] }),
    removed: (rules) => ({ put: [grayOpenRule(rules, [])] }),
  },
  [SERVICE_BLACKLIST]: {
    ids: [SERVICE_BLACKLIST],
    shown: (rules) =>
      rules.get(SERVICE_BLACKLIST) === undefined ? undefined : JSON.stringify(blacklistedServicesOf(rules)),
    written: (value) => {
      const names = readStrings(SERVICE_BLACKLIST, readJson(SERVICE_BLACKLIST, value));
      return { put: [blacklistedServicesRule(names.map((name) => readServiceKey(name, SERVICE_BLACKLIST)))] };
    },
    removed: () => ({ put: [], removed: [SERVICE_BLACKLIST] }),
  },
  [IP_BLACKLIST]: ofAddresses(IP_BLACKLIST, {
    shown: ({ hidden, held }) =>
      JSON.stringify({ FORBIDDEN_PUB: { IP_FULL: hidden }, FORBIDDEN_SUB_BY_PREFIX: { IP_FULL: held } }),
    read: (value) => readIpBlacklist(readJson(IP_BLACKLIST, value)),
  }),
  [CLIENT_OFF]: ofAddresses(CLIENT_OFF, {
    shown: ({ hidden, held }) => {
      const isHeld = new Set(held);
      return JSON.stringify(hidden.map((address) => ({ address, pub: true, sub: isHeld.has(address) })));
    },
    read: (value) => readOffList(CLIENT_OFF, value),
  }),
};

/** The switch of this name, if it is a rule. */
export function ruleSwitch(name: string): RuleSwitch | undefined {
  return Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : undefined;
}

/** The names of the switches that are rules. */
export const RULE_SWITCH_NAMES: readonly string[] = Object.keys(SWITCHES);

/** The epoch of the last change of a switch. */
export function switchEpoch({ ids }: Pick<RuleSwitch, "ids">, rules: RuleSet): bigint {
  return ids.reduce((newest, id) => {
    const { epoch } = rules.get(id) ?? { epoch: newest };
    return epoch > newest ? epoch : newest;
  }, 0n);
}

function ofAddresses(
  id: string,
  form: { readonly shown: (lists: AddressLists) => string; readonly read: (value: string) => AddressLists },
): RuleSwitch {
  const ids = [id, `${id}${HELD}`];
  return {
    ids,
    shown: (rules) =>
      ids.every((each) => rules.get(each) === undefined) ? undefined : form.shown(addressListsOf(id, rules)),
    written: (value) => ({ put: addressRules(id, form.read(value)) }),
    removed: () => ({ put: [], removed: ids }),
  };
}

/** Other addresses are excepted when pushes are stopped, whether they are or not. */
export function grayOpenRule(rules: RuleSet, open: readonly string[]): SwitchRule {
  return stopPushRule(rules, { isStopped: isPushStopped(rules), open });
}

/**
 * Reads a client-off list in SOFARegistry's form: an array of `{ address, pub, sub }`; an address alone stands for its
 * publications. As in SOFARegistry, an address in the list is off, whatever its `pub` says; `sub` holds its pushes.
 */
export function readOffList(field: string, value: string): AddressLists {
  const expected = 'an array of {"address":"10.0.0.1","pub":true,"sub":false} with pub or sub true';
  const wrong = () => fail("FIELD_INVALID", { field, value, expected });
  const hidden: string[] = [];
  const held: string[] = [];
  const entries = readJson(field, value);
  if (!Array.isArray(entries)) throw wrong();
  for (const entry of entries as unknown[]) {
    const { address, pub, sub, ...rest } = offEntry(entry);
    const isKnown = Object.keys(rest).every((name) => name === "version");
    if (typeof address !== "string" || typeof pub !== "boolean" || typeof sub !== "boolean") throw wrong();
    if (!isKnown || !(pub || sub)) throw wrong();
    hidden.push(address);
    if (sub) held.push(address);
  }
  return { hidden: readAddresses(hidden), held: readAddresses(held) };
}

function offEntry(entry: unknown): Record<string, unknown> {
  const given = typeof entry === "object" && entry !== null ? entry : { address: entry };
  return { pub: true, sub: false, ...given };
}

function readIpBlacklist(value: unknown): AddressLists {
  const expected = '{"FORBIDDEN_PUB":{"IP_FULL":["10.0.0.1"]},"FORBIDDEN_SUB_BY_PREFIX":{"IP_FULL":["10.0.0.1"]}}';
  const wrong = () => fail("FIELD_INVALID", { field: IP_BLACKLIST, value: JSON.stringify(value), expected });
  const types = ["FORBIDDEN_PUB", "FORBIDDEN_SUB_BY_PREFIX"] as const;
  const listOf = (type: (typeof types)[number]): string[] => {
    const list = fieldsOf(value, types, wrong)[type];
    if (list === undefined) return [];
    const { IP_FULL } = fieldsOf(list, ["IP_FULL"], wrong);
    return IP_FULL === undefined ? [] : readAddresses(readStrings(type, IP_FULL));
  };
  return { hidden: listOf("FORBIDDEN_PUB"), held: listOf("FORBIDDEN_SUB_BY_PREFIX") };
}

function readOpenAddresses(value: string): string[] {
  const expected = '{"ips":["10.0.0.1"]}';
  const wrong = () => fail("FIELD_INVALID", { field: GRAY_OPEN, value, expected });
  const { ips } = fieldsOf(readJson(GRAY_OPEN, value), ["ips"], wrong);
  return ips === undefined || ips === null ? [] : readAddresses(readStrings("ips", ips));
}

/** The fields of an object that has no others. */
export function fieldsOf<Name extends string>(
  value: unknown,
  names: readonly Name[],
  wrong: () => Error,
): Partial<Record<Name, unknown>> {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || Object.keys(value).some((key) => !names.some((name) => name === key))) throw wrong();
  return value;
}

/** Addresses and blocks of them in one form, each once. Throws FIELD_INVALID. */
export function readAddresses(texts: readonly string[]): string[] {
  const addresses = checkedAddresses(texts);
  if (Array.isArray(addresses)) return addresses;
  throw addresses;
}

/** Throws FIELD_INVALID. */
export function readStrings(field: string, value: unknown): string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw fail("FIELD_INVALID", { field, value: JSON.stringify(value), expected: "an array of texts" });
}

function readFlag(field: string, value: string): boolean {
  const word = value.toLowerCase();
  if (word === "true" || word === "false") return word === "true";
  throw fail("FIELD_INVALID", { field, value, expected: "true or false" });
}

/** The parsed value. Throws FIELD_INVALID. */
export function readJson(field: string, value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    throw fail("FIELD_INVALID", { field, value, expected: "JSON, as SOFARegistry has it" });
  }
}

function addressesOf(rule: Rule | undefined): readonly string[] {
  return (rule?.isInForce === true && rule.match.addresses) || [];
}
