// Changes of SOFARegistry's switches that are rules. A change is made from the rules as they are, and only if they
// still are: of two operators at once, the second change is made from the rules that the first one has left.

import { RegistryError } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { Rule, RuleMatch } from "../../../model/rule.ts";
import { AddressList, withoutAddresses } from "../../../model/ruleAddresses.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import type { MetaNodeView } from "../../kit/gateway.ts";
import { sofaError } from "../errorTable.ts";
import {
  addressRules,
  blacklistedServicesOf,
  blacklistedServicesRule,
  CLIENT_OFF,
  SERVICE_BLACKLIST,
  type SwitchEdit,
  type SwitchRule,
} from "./ruleSwitches.ts";

/** The leading meta node as changes need it. */
export type RulesNode = Pick<MetaNodeView, "rules" | "changeRules">;

/** The origin of a change, as the rule names it. */
export interface ChangeOrigin {
  /** The address of the caller. */
  readonly from: string;
  /** The request: `POST /api/clientManager/clientOff`. */
  readonly request: string;
}

// Each failure is another operator's change that was made.
const ATTEMPTS_MAX = 10;

/**
 * Makes a change. Returns the epoch of the rules that have it. Rejects with RULE_CHANGED if others were always faster,
 * with what `edit` throws, and as `changeRules`.
 */
export async function changeSwitch(
  node: RulesNode,
  { from, request }: ChangeOrigin,
  edit: (rules: RuleSet) => SwitchEdit,
): Promise<bigint> {
  for (let attempt = 1; ; attempt++) {
    const rules = node.rules();
    const { put, removed = [] } = edit(rules);
    if (put.length === 0 && removed.length === 0) return rules.epoch;
    const ids = [...put.map(({ id }) => id), ...removed];
    const expected = new Map(ids.map((id) => [id, rules.get(id)?.epoch]));
    const origin = { setBy: `SOFARegistry's HTTP paths, from ${from}`, reason: request };
    try {
      await node.changeRules({ put: put.map((rule) => ({ ...rule, ...origin })), removed, expected });
      return node.rules().epoch;
    } catch (error) {
      const isOvertaken = error instanceof RegistryError && error.code === "RULE_CHANGED";
      if (!isOvertaken || attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

/** Takes addresses off, or replaces what is said of them. `held`: those whose pushes are held too. */
export function clientsOff(
  rules: RuleSet,
  { hidden, held }: { readonly hidden: readonly string[]; readonly held: readonly string[] },
): SwitchEdit {
  return changedLists(rules, {
    hidden: (match) => withAddresses(match, hidden),
    held: (match) => withAddresses(without(match, hidden), held),
  });
}

/** Brings addresses back, also some of a block. */
export function clientsOpen(rules: RuleSet, addresses: readonly string[]): SwitchEdit {
  const opened = (match: RuleMatch) => without(match, addresses);
  return changedLists(rules, { hidden: opened, held: opened });
}

type MatchChange = (match: RuleMatch) => RuleMatch;

function changedLists(rules: RuleSet, changes: Readonly<Record<"hidden" | "held", MatchChange>>): SwitchEdit {
  const [hide, hold] = addressRules(CLIENT_OFF, { hidden: [], held: [] });
  const put = (
    [
      [hide, changes.hidden],
      [hold, changes.held],
    ] as const
  ).flatMap(([rule, change]) => {
    if (rule === undefined) return [];
    const known = rules.get(rule.id);
    checkPlain(known, "addresses");
    return [{ ...rule, match: change(known?.isInForce === true ? known.match : rule.match) }];
  });
  return changed(rules, put);
}

function withAddresses({ addresses = [], exceptAddresses = [] }: RuleMatch, added: readonly string[]): RuleMatch {
  const isAdded = new AddressList(added);
  const exceptions = exceptAddresses.filter((address) => !isAdded.contains(address));
  return {
    addresses: [...new Set([...addresses, ...added])],
    ...(exceptions.length > 0 && { exceptAddresses: exceptions }),
  };
}

function without(match: RuleMatch, taken: readonly string[]): RuleMatch {
  const left = withoutAddresses(match, new AddressList(taken));
  return left === "same" ? match : (left.match ?? { addresses: [] });
}

/** Adds a service to those whose publications are hidden, or takes it out. */
export function serviceBlacklisted(
  rules: RuleSet,
  { serviceKey, isListed }: { readonly serviceKey: ServiceKey; readonly isListed: boolean },
): SwitchEdit {
  checkPlain(rules.get(SERVICE_BLACKLIST), "services");
  const services = new Set(blacklistedServicesOf(rules));
  if (isListed) services.add(serviceKey);
  else services.delete(serviceKey);
  return changed(rules, [blacklistedServicesRule(services)]);
}

/** Throws SWITCH_HAS_CONDITIONS if an entry more in the list would not mean what SOFARegistry means by it. */
export function checkPlain(rule: Rule | undefined, list: "addresses" | "services"): void {
  if (rule?.isInForce !== true) return;
  // Exceptions are within the list: an address of a block that has been opened.
  const { [list]: _, exceptAddresses: __, ...conditions } = rule.match;
  const others = Object.entries({ ...conditions, untilMs: rule.untilMs }).filter(([, value]) => value !== undefined);
  if (others.length === 0) return;
  throw sofaError("SWITCH_HAS_CONDITIONS", { rule: rule.id, conditions: others.map(([name]) => name) });
}

/** The rules that are not yet so. */
function changed(rules: RuleSet, put: readonly SwitchRule[]): SwitchEdit {
  return { put: put.filter((rule) => !isSame(rule, rules.get(rule.id))) };
}

function isSame({ match, isInForce, effect }: SwitchRule, known: Rule | undefined): boolean {
  if (known === undefined) return (match.addresses ?? match.services)?.length === 0;
  const text = (one: Pick<SwitchRule, "match">) => JSON.stringify(one.match);
  return known.isInForce === isInForce && known.effect === effect && text({ match }) === text(known);
}
