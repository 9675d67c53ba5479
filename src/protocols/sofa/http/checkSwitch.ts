// SOFARegistry keeps its own switches among the configuration values, and operators write them there. Roster has some
// of them as values (appSwitches.ts) and some as rules (ruleSwitches.ts); a value of another one that is stored without
// effect would seem to be in force.

import { fail, RegistryError } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { sofaError } from "../errorTable.ts";
import { type ServiceName, serviceNameOf } from "../serviceName.ts";
import { checkedSwitch, isAppSwitch } from "./appSwitches.ts";
import { ruleSwitch } from "./ruleSwitches.ts";

/** The instance under which SOFARegistry looks for its switches. */
const SWITCH_INSTANCE_ID = "9600";
const SWITCH_GROUP = "CONFIG";

/** Its switches, as of 6.6.3, that Roster does not have, with Roster's replacement, if there is one. */
const SWITCHES: Readonly<Record<string, string>> = {
  "admin.api.token": "",
  "change_push_task.delay.config": "push-window-max-ms",
  "compress.datum.switch": "",
  "compress.push.switch": "push-compress, push-compress-bytes-min",
  "data.datum.sync.session.interval.sec": "digest-interval-ms",
  "data.session.lease.sec": "session-lease-ms",
  "registry.circuit.breaker": "",
  "registry.data.capacity.interceptor.disable": "",
  "registry.flow.operation.throttling.config": "",
  "registry.meta.leader.interceptor.disable": "",
  "registry.node.quit.interceptor.disable": "",
  "registry.node.server.operating.data": "",
  "registry.server.black.list": "`roster block`",
  "registry.session.capacity.interceptor.disable": "",
  "session.shutdown.switch": "`roster drain`",
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
export function ruleSwitchOf({ dataId, instanceId, group }: ServiceName): ReturnType<typeof ruleSwitch> {
  return instanceId === SWITCH_INSTANCE_ID && group === SWITCH_GROUP ? ruleSwitch(dataId) : undefined;
}

/**
 * Throws SWITCH_IS_RULE for a switch that is a rule, and SWITCH_NOT_SERVED for another switch of SOFARegistry, by its
 * name alone: under another instance or group it would have no effect in SOFARegistry either. Throws FIELD_INVALID for
 * a name that only resembles a switch.
 */
export function checkSwitch({ dataId, instanceId, group }: ServiceName, value: string): void {
  const isOfSwitches = instanceId === SWITCH_INSTANCE_ID && group === SWITCH_GROUP;
  if (isOfSwitches && isAppSwitch(dataId)) return void checkedSwitch(dataId, value);
  if (isOfSwitches && ruleSwitch(dataId) !== undefined) throw sofaError("SWITCH_IS_RULE", { dataId });
  const name = dataId.trim().toLowerCase();
  const instead = Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : undefined;
  if (instead !== undefined) {
    throw sofaError("SWITCH_NOT_SERVED", { dataId, ...(instead === "" ? {} : { instead }) });
  }
  if (isAppSwitch(name) || ruleSwitch(name) !== undefined) {
    const expected = `${name}, instanceId ${SWITCH_INSTANCE_ID} and group ${SWITCH_GROUP}`;
    throw fail("FIELD_INVALID", { field: "dataId", value: dataId, instanceId, group, expected });
  }
  if (!isOfSwitches) return;
  const expected = "another instanceId or group: with these SOFARegistry keeps its switches";
  throw fail("FIELD_INVALID", { field: "dataId", value: dataId, instanceId, group, expected });
}
