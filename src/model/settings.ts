// Settings that operators change for the whole cluster while it runs. Each is a value of a rule, as text, and is in
// force at the nodes that the rule is for; without such a rule, a node's own configuration holds.

import { camelCase } from "../base/keySpec.ts";
import { parseSetting } from "../base/parseSetting.ts";
import { DYNAMIC_KEYS, type DynamicKey, type DynamicValues, isDynamicKey } from "./dynamicKeys.ts";
import type { Rule } from "./rule.ts";

/** A node, as the conditions of a rule know it. */
export interface SettingsPlace {
  readonly zone: string;
  /** The node's name. */
  readonly name: string;
}

/**
 * The rules that give settings to this node, by setting. Where several rules name one, the rule that was changed last
 * decides; of those of one change, the one with the last id.
 */
export function settingRules(rules: Iterable<Rule>, { zone, name: node }: SettingsPlace): Map<DynamicKey, Rule> {
  const deciding = new Map<DynamicKey, Rule>();
  for (const rule of rules) {
    const { effect, isInForce, match, settings } = rule;
    if (effect !== "changeSettings" || !isInForce || settings === undefined) continue;
    if (match.zones?.includes(zone) === false || match.sessions?.includes(node) === false) continue;
    for (const name of settings.keys()) {
      if (!isDynamicKey(name)) continue;
      const other = deciding.get(name);
      if (other === undefined || isLater(rule, other)) deciding.set(name, rule);
    }
  }
  return deciding;
}

/** The values that rules give to this node. One that this release does not understand is left out. */
export function settingsIn(rules: Iterable<Rule>, place: SettingsPlace): Partial<DynamicValues> {
  const values: [string, unknown][] = [];
  for (const [name, { settings }] of settingRules(rules, place)) {
    const value = parseSetting(DYNAMIC_KEYS[name], settings?.get(name));
    if (value !== undefined) values.push([camelCase(name), value]);
  }
  // Each value was parsed by the row that the property's type is derived from.
  return Object.fromEntries(values) as Partial<DynamicValues>;
}

function isLater(rule: Rule, other: Rule): boolean {
  return rule.epoch === other.epoch ? rule.id > other.id : rule.epoch > other.epoch;
}
