import { CLIENT_SCENARIOS } from "./clients.ts";
import { DATA_SCENARIOS } from "./data.ts";
import { META_SCENARIOS } from "./meta.ts";
import { NETWORK_SCENARIOS } from "./network.ts";
import { NODE_SCENARIOS } from "./node.ts";
import { OPERATOR_SCENARIOS } from "./operators.ts";
import { PROTOCOL_SCENARIOS } from "./protocols.ts";
import { RULE_SCENARIOS } from "./rules.ts";
import type { Scenario } from "./scenario.ts";
import { SESSION_SCENARIOS } from "./session.ts";
import { SWITCH_SCENARIOS } from "./switches.ts";
import { TREE_SCENARIOS } from "./tree.ts";

export type { Scenario };

/** In the order of the table. */
export const SCENARIOS: readonly Scenario[] = [
  ...DATA_SCENARIOS,
  ...SESSION_SCENARIOS,
  ...META_SCENARIOS,
  ...NETWORK_SCENARIOS,
  ...CLIENT_SCENARIOS,
  ...NODE_SCENARIOS,
  ...RULE_SCENARIOS,
  ...SWITCH_SCENARIOS,
  ...OPERATOR_SCENARIOS,
  ...TREE_SCENARIOS,
  ...PROTOCOL_SCENARIOS,
];

export function findScenario(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`there is no scenario ${name}`);
  return found;
}
