// The list of clients that are off, in SOFARegistry's shape.

import type { RuleSet } from "../../../model/ruleSet.ts";
import { generic, longJson } from "./answers.ts";
import { addressListsOf, CLIENT_OFF } from "./ruleSwitches.ts";

/** The answer to a question for it, in JSON. */
export function offListText(rules: RuleSet): string {
  const { hidden, held } = addressListsOf(CLIENT_OFF, rules);
  const isHeld = new Set(held);
  const { setMs: version = 0 } = rules.get(CLIENT_OFF) ?? {};
  const entries = hidden.map((address) => [address, { version, address, pub: true, sub: isHeld.has(address) }]);
  return longJson(generic({ version: rules.epoch, clientOffAddress: Object.fromEntries(entries), reduces: [] }));
}
