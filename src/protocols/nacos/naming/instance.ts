// An instance in Nacos' words, and as all protocols know it.

import { fail } from "../../../base/errors.ts";
import type { Instance } from "../../../model/instance.ts";
import { checkedKeyPart } from "../../../model/serviceKey.ts";
import { checkedName } from "./names.ts";

/** The protocol's name in instances and bags. */
export const NACOS = "nacos";
/** The cluster of an instance that names none. */
export const DEFAULT_CLUSTER = "DEFAULT";

/** An instance as a client registers it. */
export interface NacosInstance {
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  readonly isHealthy: boolean;
  readonly isEnabled: boolean;
  readonly isEphemeral: boolean;
  /** Never empty. */
  readonly cluster: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** Empty: the server makes it. */
  readonly instanceId: string;
}

const IP_CHARS_MAX = 128;
const WEIGHT_MAX = 10_000;
const METADATA_ENTRIES_MAX = 1_000;
const ID_CHARS_MAX = 1_024;

export const LIMITS = {
  port: { min: 0, max: 65_535 },
  weight: { min: 0, max: WEIGHT_MAX },
  metadataEntries: METADATA_ENTRIES_MAX,
} as const;

/** Returns the instance if its fields may have their values. Throws FIELD_INVALID. */
export function checkedInstance(instance: NacosInstance, bytesMax: number): NacosInstance {
  const { ip, cluster, metadata, instanceId } = instance;
  if (ip === "" || ip.length > IP_CHARS_MAX || /[\u4E00-\u9FA5\s]/.test(ip)) {
    const expected = `a host of 1 to ${IP_CHARS_MAX} characters, without blanks`;
    throw fail("FIELD_INVALID", { field: "ip", value: ip.slice(0, 100), expected });
  }
  checkedKeyPart("ip", ip);
  checkedName("clusterName", cluster);
  if (instanceId.length > ID_CHARS_MAX) {
    const expected = `at most ${ID_CHARS_MAX} characters`;
    throw fail("FIELD_INVALID", { field: "instanceId", value: instanceId.slice(0, 100), expected });
  }
  if (instanceId !== "") checkedKeyPart("instanceId", instanceId);
  let chars = 0;
  for (const [key, value] of metadata) chars += key.length + value.length;
  if (chars > bytesMax) throw fail("REGISTRATION_TOO_LARGE", { field: "metadata", bytes: chars, bytesMax });
  return instance;
}

/**
 * The id of an instance's registration in the registry: the same for every client. As at the real server, the cluster
 * is no part of it: some clients name another one, or none, in their heartbeats.
 */
export function registIdOf({ ip, port }: Pick<NacosInstance, "ip" | "port">): string {
  return `${NACOS}:${ip}#${port}`;
}

/** The instance as all protocols know it. */
export function toInstance(instance: NacosInstance): Instance {
  const { ip, port, weight, isHealthy, isEnabled, isEphemeral, cluster, metadata, instanceId } = instance;
  return {
    host: ip,
    port,
    securePort: undefined,
    weight,
    isEnabled,
    isHealthy,
    isPersistent: !isEphemeral,
    zone: cluster === DEFAULT_CLUSTER ? "" : cluster,
    metadata,
    source: NACOS,
    bags: instanceId === "" ? new Map() : new Map([[NACOS, instanceId]]),
  };
}

/** The instance in Nacos' words. */
export function fromInstance({ host, port, weight, zone, bags, ...rest }: Instance): NacosInstance {
  return {
    ip: host,
    port,
    weight,
    isHealthy: rest.isHealthy,
    isEnabled: rest.isEnabled,
    isEphemeral: !rest.isPersistent,
    cluster: zone === "" ? DEFAULT_CLUSTER : zone,
    metadata: rest.metadata,
    instanceId: bags.get(NACOS) ?? "",
  };
}

const PRESERVED = {
  instanceHeartBeatInterval: { key: "preserved.heart.beat.interval", ms: 5_000 },
  instanceHeartBeatTimeOut: { key: "preserved.heart.beat.timeout", ms: 15_000 },
  ipDeleteTimeout: { key: "preserved.ip.delete.timeout", ms: 30_000 },
} as const;

/** A time that the metadata of an instance may set. */
export function preservedMs(name: keyof typeof PRESERVED, metadata: ReadonlyMap<string, string>): number {
  const { key, ms } = PRESERVED[name];
  const text = metadata.get(key) ?? "";
  return /^\d{1,9}$/.test(text) ? Number(text) : ms;
}

/** The instance as JSON shows it, in the field order of the real server. */
export function instanceJson(instance: NacosInstance, serviceName: string): Record<string, unknown> {
  const { ip, port, cluster, metadata, instanceId } = instance;
  return {
    instanceId: instanceId === "" ? `${ip}#${port}#${cluster}#${serviceName}` : instanceId,
    ip,
    port,
    weight: instance.weight,
    healthy: instance.isHealthy,
    enabled: instance.isEnabled,
    ephemeral: instance.isEphemeral,
    clusterName: cluster,
    serviceName,
    metadata: Object.fromEntries(metadata),
    instanceHeartBeatInterval: preservedMs("instanceHeartBeatInterval", metadata),
    instanceHeartBeatTimeOut: preservedMs("instanceHeartBeatTimeOut", metadata),
    ipDeleteTimeout: preservedMs("ipDeleteTimeout", metadata),
  };
}
