// Eureka's words as the registry's, and back. An application is the service of its name in lower case, as Spring names
// its services; a service of any other protocol is the application of its name in upper case. Fields that only
// Eureka knows travel in the instance's bag.

import type { ServiceKey } from "../../model/ids.ts";
import type { Instance } from "../../model/instance.ts";
import type { Lease } from "../../model/publication.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { LEASE_MS_MAX, LEASE_MS_MIN } from "../../registry/lease.ts";
import { fieldsOfJson } from "./codec/fields.ts";
import { DEFAULTS, type EurekaInstance, type EurekaPort, type Status, type UrlField } from "./codec/instance.ts";
import { readInstance } from "./codec/readInstance.ts";
import { instanceJson } from "./codec/writeJson.ts";

/** The protocol's name in instances and bags. */
export const EUREKA = "eureka";
/** The bag of what servers alone know, which no client may write. */
const LIFE = "eureka-life";

const WEIGHT_KEY = "weight";
const ZONE_KEY = "zone";
const WEIGHT = /^\d{1,9}(?:\.\d{1,9})?$/;
const ID_PREFIX = "eureka:";
const NO_METADATA: ReadonlyMap<string, string> = new Map();

/** The service of an application. Throws FIELD_INVALID for a name that can't be one. */
export function serviceKeyOf(app: string): ServiceKey {
  return makeServiceKey({ name: app.toLowerCase(), namespace: "", group: "" }, WORDS);
}

const WORDS = { name: "app", namespace: "namespace", group: "group" } as const;

/** The application of a service. */
export function appOf(serviceName: string): string {
  return serviceName.toUpperCase();
}

/** The id of an instance's registration in the registry. */
export function registIdOf(instanceId: string): string {
  return ID_PREFIX + instanceId;
}

/** The heartbeats that keep the instance. */
export function leaseOf({ leaseInfo }: Pick<EurekaInstance, "leaseInfo">): Lease {
  return { removedAfterMs: Math.min(Math.max(leaseInfo.durationInSecs * 1_000, LEASE_MS_MIN), LEASE_MS_MAX) };
}

/** The instance as all protocols know it. */
export function toInstance(instance: EurekaInstance): Instance {
  const { ipAddr, port, securePort, metadata, status, dataCenterInfo, life } = instance;
  const bag = instanceJson({ ...instance, metadata: NO_METADATA });
  return {
    host: ipAddr,
    port: isCallable(port) || !isCallable(securePort) ? port.number : securePort.number,
    securePort: securePort.isEnabled ? securePort.number : undefined,
    weight: weightOf(metadata),
    ...flagsOf(status),
    isPersistent: false,
    zone: metadata.get(ZONE_KEY) ?? dataCenterInfo.metadata.get("availability-zone") ?? "",
    metadata,
    source: EUREKA,
    bags: new Map([
      [EUREKA, bag],
      ...(life === undefined ? [] : [[LIFE, `${life.bornMs} ${life.operatorMs}`] as const]),
    ]),
  };
}

function isCallable({ isEnabled, number }: EurekaPort): boolean {
  return isEnabled && number > 0;
}

function weightOf(metadata: ReadonlyMap<string, string>): number {
  const text = metadata.get(WEIGHT_KEY) ?? "";
  return WEIGHT.test(text) && Number(text) > 0 ? Number(text) : 1;
}

function flagsOf(status: Status): Pick<Instance, "isEnabled" | "isHealthy"> {
  return { isEnabled: status !== "OUT_OF_SERVICE", isHealthy: status === "UP" || status === "OUT_OF_SERVICE" };
}

/** The status that says what the flags say. */
function statusOf({ isEnabled, isHealthy }: Pick<Instance, "isEnabled" | "isHealthy">): Status {
  if (!isEnabled) return "OUT_OF_SERVICE";
  return isHealthy ? "UP" : "DOWN";
}

/** An instance of a service, registered by whatever protocol. */
export interface ServiceInstance {
  readonly serviceName: string;
  readonly instance: Instance;
  /** The time of its registration. */
  readonly registeredMs: number;
}

/** The instance in Eureka's words. */
export function fromInstance(shown: ServiceInstance): EurekaInstance {
  return ownInstance(shown) ?? foreignInstance(shown);
}

/** The instance as its Eureka client registered it; undefined if another protocol's client did. */
function ownInstance({ serviceName, instance }: ServiceInstance): EurekaInstance | undefined {
  const bag = instance.bags.get(EUREKA);
  const own = bag === undefined ? undefined : readBag(bag);
  if (own === undefined || own.app !== appOf(serviceName)) return undefined;
  const flags = flagsOf(own.status);
  const isAsRegistered = flags.isEnabled === instance.isEnabled && flags.isHealthy === instance.isHealthy;
  const status = isAsRegistered ? own.status : statusOf(instance);
  const isTakenOut = !isAsRegistered && status === "OUT_OF_SERVICE";
  const overriddenStatus = isTakenOut ? status : own.overriddenStatus;
  const { metadata, weight } = instance;
  const isUsual = weight === weightOf(metadata);
  return {
    ...own,
    ...{ status, overriddenStatus },
    metadata: isUsual ? metadata : new Map([...metadata, [WEIGHT_KEY, String(weight)]]),
    ...lifeOf(instance.bags.get(LIFE) ?? ""),
  };
}

function lifeOf(bag: string): Pick<EurekaInstance, "life"> {
  const [, bornMs, operatorMs] = /^(\d{1,15}) (\d{1,15})$/.exec(bag) ?? [];
  return bornMs === undefined ? {} : { life: { bornMs: Number(bornMs), operatorMs: Number(operatorMs) } };
}

/** A bag may come from a node of a later release. */
function readBag(bag: string): EurekaInstance | undefined {
  try {
    const read = readInstance(fieldsOfJson(JSON.parse(bag)), 0);
    return "missing" in read ? undefined : read;
  } catch {
    return undefined;
  }
}

function foreignInstance({ serviceName, instance, registeredMs }: ServiceInstance): EurekaInstance {
  const { host, port, securePort, weight, zone } = instance;
  const status = statusOf(instance);
  const metadata = new Map(instance.metadata);
  if (weight !== 1) metadata.set(WEIGHT_KEY, String(weight));
  if (zone !== "" && !metadata.has(ZONE_KEY)) metadata.set(ZONE_KEY, zone);
  const urls = new Map<UrlField, string>([["vipAddress", serviceName]]);
  if (securePort !== undefined) urls.set("secureVipAddress", serviceName);
  return {
    instanceId: `${host}:${serviceName}:${port}`,
    hostName: host.includes(":") ? `[${host}]` : host,
    app: appOf(serviceName),
    appGroupName: undefined,
    ipAddr: host,
    sid: undefined,
    status,
    overriddenStatus: status === "OUT_OF_SERVICE" ? status : "UNKNOWN",
    port: { number: port, isEnabled: true },
    securePort: { number: securePort ?? DEFAULTS.securePort, isEnabled: securePort !== undefined },
    countryId: DEFAULTS.countryId,
    dataCenterInfo: { name: "MyOwn", metadata: NO_METADATA },
    leaseInfo: {
      renewalIntervalInSecs: DEFAULTS.renewalIntervalInSecs,
      durationInSecs: DEFAULTS.durationInSecs,
      registrationTimestamp: registeredMs,
      lastRenewalTimestamp: registeredMs,
      evictionTimestamp: 0,
      serviceUpTimestamp: status === "UP" ? registeredMs : 0,
    },
    metadata,
    urls,
    isCoordinatingDiscoveryServer: false,
    lastUpdatedTimestamp: registeredMs,
    lastDirtyTimestamp: registeredMs,
    actionType: "ADDED",
    asgName: undefined,
  };
}
