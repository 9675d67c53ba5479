// SOFARegistry's list of addresses whose pushes an operator has stopped, with a switch for the whole list: a rule that
// holds pushes. A second list, "overflow", is kept beside it; SOFARegistry 6.6 does nothing with it, nor does Roster.

import { fail } from "../../../base/errors.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import { fieldsOf, type RuleSwitch, readAddresses, readJson, readStrings, type SwitchRule } from "./ruleSwitches.ts";

/** The name of the switch, which is the id of the rule. */
export const CIRCUIT_BREAKER = "registry.circuit.breaker";

const OVERFLOW = `${CIRCUIT_BREAKER}:overflow`;

/** The lists by the options of SOFARegistry, in small letters. */
const LISTS: ReadonlyMap<string, string> = new Map([
  ["stoppush", CIRCUIT_BREAKER],
  ["overflow", OVERFLOW],
]);

/** The id of the rule that has an option's list; undefined for an option that SOFARegistry does not know. */
export function breakerListOf(option: string): string | undefined {
  return LISTS.get(option.trim().toLowerCase());
}

/** SOFARegistry's CircuitBreakerData. */
export function breakerState(rules: RuleSet): object {
  const rule = rules.get(CIRCUIT_BREAKER);
  return {
    ...(rule && { addressSwitch: rule.isInForce }),
    overflowAddress: addressesIn(rules, OVERFLOW),
    address: addressesIn(rules, CIRCUIT_BREAKER),
  };
}

/** The addresses of a list, whether it is switched on or not. */
export function addressesIn(rules: RuleSet, id: string): readonly string[] {
  return rules.get(id)?.match.addresses ?? [];
}

/** The rule of a list with these addresses, switched on or off as it is. */
export function breakerRule(
  rules: RuleSet,
  id: string,
  changes: { readonly addresses?: readonly string[]; readonly isInForce?: boolean },
): SwitchRule {
  const { addresses = addressesIn(rules, id), isInForce = rules.get(id)?.isInForce ?? false } = changes;
  return { id, effect: "holdPushes", match: { addresses }, isInForce };
}

export const BREAKER_SWITCH: RuleSwitch = {
  ids: [CIRCUIT_BREAKER, OVERFLOW],
  shown: (rules) =>
    (rules.get(CIRCUIT_BREAKER) ?? rules.get(OVERFLOW)) ? JSON.stringify(breakerState(rules)) : undefined,
  written(value, rules) {
    const expected = '{"addressSwitch":true,"overflowAddress":[],"address":["10.0.0.1"]}';
    const wrong = () => fail("FIELD_INVALID", { field: CIRCUIT_BREAKER, value, expected });
    const names = ["addressSwitch", "overflowAddress", "address"] as const;
    const { addressSwitch, overflowAddress, address } = fieldsOf(readJson(CIRCUIT_BREAKER, value), names, wrong);
    const isInForce = addressSwitch ?? false;
    if (typeof isInForce !== "boolean") throw wrong();
    const listOf = (name: string, list: unknown) => readAddresses(readStrings(name, list ?? []));
    return {
      put: [
        breakerRule(rules, CIRCUIT_BREAKER, { addresses: listOf("address", address), isInForce }),
        breakerRule(rules, OVERFLOW, { addresses: listOf("overflowAddress", overflowAddress), isInForce: false }),
      ],
    };
  },
  removed: () => ({ put: [], removed: [CIRCUIT_BREAKER, OVERFLOW] }),
};
