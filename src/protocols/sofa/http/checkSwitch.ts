// SOFARegistry keeps its own switches among the configuration values, and operators write them there. Roster has some
// of them as values (valueSwitches.ts) and most as rules (ruleSwitches.ts, settingSwitches.ts, breakerSwitch.ts); a
// value of another one that is stored without effect would seem to be in force.

import { fail, RegistryError } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { sofaError } from "../errorTable.ts";
import { type ServiceName, serviceNameOf } from "../serviceName.ts";
import { BREAKER_SWITCH, CIRCUIT_BREAKER } from "./breakerSwitch.ts";
import { type RuleSwitch, ruleSwitch } from "./ruleSwitches.ts";
import { settingSwitchOf } from "./settingSwitches.ts";
import { checkedSwitch, isValueSwitch } from "./valueSwitches.ts";

/** The instance under which SOFARegistry looks for its switches. */
const SWITCH_INSTANCE_ID = "9600";
const SWITCH_GROUP = "CONFIG";

/** Its switches, as of 6.6.3, that Roster does not have, with Roster's replacement, if there is one. */
const SWITCHES: Readonly<Record<string, string>> = {
  "admin.api.token": "`roster token create`, whose tokens are taken in x-apiauth-token too",
  "registry.data.capacity.interceptor.disable": "",
  "registry.meta.leader.interceptor.disable": "",
  "registry.node.quit.interceptor.disable": "",
  "registry.node.server.operating.data": "`roster block`",
  "registry.server.black.list": "`roster block`",
  "registry.session.capacity.interceptor.disable": "",
};

/** The names of these switches. */
export const SWITCH_NAMES: readonly string[] = Object.keys(SWITCHES);

/** As `checkSwitch`, for the key of a value; undefined for a value that may be set. */
export function switchRefusal(serviceKey: ServiceKey, data: string): RegistryError | undefined {
  try {
    checkSwitch(serviceNameOf(serviceKey), data);
    return undefined;
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}

/** The switch of this name that is a rule, and no value; under another instance or group it is no switch. */
export function ruleSwitchOf({ dataId, instanceId, group }: ServiceName): RuleSwitch | undefined {
  return instanceId === SWITCH_INSTANCE_ID && group === SWITCH_GROUP ? anyRuleSwitch(dataId) : undefined;
}

/** The switch of this name, if it is a rule of any effect. */
export function anyRuleSwitch(name: string): RuleSwitch | undefined {
  return name === CIRCUIT_BREAKER ? BREAKER_SWITCH : (ruleSwitch(name) ?? settingSwitchOf(name));
}

/**
 * Throws SWITCH_IS_RULE for a switch that is a rule, and SWITCH_NOT_SERVED for another switch of SOFARegistry, by its
 * name alone: under another instance or group it would have no effect in SOFARegistry either. Throws FIELD_INVALID for
 * a name that only resembles a switch.
 */
export function checkSwitch({ dataId, instanceId, group }: ServiceName, value: string): void {
  const isOfSwitches = instanceId === SWITCH_INSTANCE_ID && group === SWITCH_GROUP;
  if (isOfSwitches && isValueSwitch(dataId)) return void checkedSwitch(dataId, value);
  if (isOfSwitches && anyRuleSwitch(dataId) !== undefined) throw sofaError("SWITCH_IS_RULE", { dataId });
  const name = dataId.trim().toLowerCase();
  const instead = Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : undefined;
  if (instead !== undefined) {
    throw sofaError("SWITCH_NOT_SERVED", { dataId, ...(instead === "" ? {} : { instead }) });
  }
  if (isValueSwitch(name) || anyRuleSwitch(name) !== undefined) {
    const expected = `${name}, instanceId ${SWITCH_INSTANCE_ID} and group ${SWITCH_GROUP}`;
    throw fail("FIELD_INVALID", { field: "dataId", value: dataId, instanceId, group, expected });
  }
  if (!isOfSwitches) return;
  const expected = "another instanceId or group: with these SOFARegistry keeps its switches";
  throw fail("FIELD_INVALID", { field: "dataId", value: dataId, instanceId, group, expected });
}
