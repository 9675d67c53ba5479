// Settings that differ from the value in force: the program chooses, other settings bound it, or the machine does.

import { machine, memoryBytes } from "../budgetLimits.ts";
import { connectionLimits, descriptorLimit } from "../descriptors.ts";
import { dataHttpPortOf, nodePortOf } from "./nodeRoles.ts";
import type { Config, ConfigKey } from "./table.ts";

/** The values in force on this machine, for the keys where they differ. */
export function settingsInForce(config: Config): ReadonlyMap<ConfigKey, number | string> {
  const hasNodePort = nodePortOf(config) !== undefined;
  const { clients } = connectionLimits(descriptorLimit(), { clientsWanted: config.clientConnectionsMax, hasNodePort });
  const all = [
    ["memory-bytes-max", config.memoryBytesMax, Math.floor(memoryBytes(config, machine()))],
    ["client-connections-max", config.clientConnectionsMax, clients],
    ["client-probe-ms", config.clientProbeMs, Math.min(config.clientProbeMs, config.clientIdleMs / 4)],
    ["client-mute-idle-ms", config.clientMuteIdleMs, Math.max(config.clientMuteIdleMs, config.clientIdleMs)],
    ["node-port", config.nodePort, nodePortOf(config) ?? "none"],
    ["data-http-port", config.dataHttpPort, dataHttpPortOf(config) ?? "none"],
  ] as const;
  return new Map(all.flatMap(([key, value, inForce]) => (value === inForce ? [] : [[key, inForce]])));
}
