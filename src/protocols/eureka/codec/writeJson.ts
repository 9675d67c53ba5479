// Instances as JSON, field by field in the order and with the types of the real server's answers, which its clients
// rely on: some numbers are texts, ports are objects, and a map without entries names a Java class.

import { type DataCenterInfo, type EurekaInstance, type EurekaPort, URL_FIELDS } from "./instance.ts";

const EMPTY_MAP = { "@class": "java.util.Collections$EmptyMap" };

/** The class that the real server's clients are told of a data center. */
export function dataCenterClass({ name }: DataCenterInfo): string {
  return name === "Amazon"
    ? "com.netflix.appinfo.AmazonInfo"
    : "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo";
}

/** The JSON of an instance, without its envelope. `compact`: only what a client needs to call it. */
export function instanceJson(instance: EurekaInstance, isCompact = false): string {
  return JSON.stringify(isCompact ? compact(instance) : full(instance));
}

function full(instance: EurekaInstance): object {
  const { instanceId, hostName, app, ipAddr, sid, status, overriddenStatus, metadata } = instance;
  return {
    ...{ instanceId, hostName, app, ipAddr, sid, status, overriddenStatus },
    port: portJson(instance.port),
    securePort: portJson(instance.securePort),
    countryId: instance.countryId,
    dataCenterInfo: dataCenterJson(instance.dataCenterInfo),
    leaseInfo: instance.leaseInfo,
    metadata: metadata.size === 0 ? EMPTY_MAP : mapJson(metadata),
    appGroupName: instance.appGroupName,
    ...Object.fromEntries(URL_FIELDS.map((field) => [field, instance.urls.get(field)])),
    isCoordinatingDiscoveryServer: String(instance.isCoordinatingDiscoveryServer),
    lastUpdatedTimestamp: String(instance.lastUpdatedTimestamp),
    lastDirtyTimestamp: String(instance.lastDirtyTimestamp),
    actionType: instance.actionType,
    asgName: instance.asgName,
  };
}

function compact(instance: EurekaInstance): object {
  const { instanceId, app, ipAddr, urls, hostName, status, lastUpdatedTimestamp, actionType, asgName } = instance;
  return {
    ...{ instanceId, app, ipAddr },
    vipAddress: urls.get("vipAddress"),
    secureVipAddress: urls.get("secureVipAddress"),
    dataCenterInfo: dataCenterJson(instance.dataCenterInfo),
    ...{ hostName, status, lastUpdatedTimestamp, actionType, asgName },
    port: portJson(instance.port),
    securePort: portJson(instance.securePort),
  };
}

function portJson({ number, isEnabled }: EurekaPort): object {
  return { $: number, "@enabled": String(isEnabled) };
}

function dataCenterJson(info: DataCenterInfo): object {
  const named = { "@class": dataCenterClass(info), name: info.name };
  return info.name === "Amazon" ? { ...named, metadata: mapJson(info.metadata) } : named;
}

/** Without a prototype, so that `__proto__` is an entry. */
function mapJson(map: ReadonlyMap<string, string>): object {
  const object: Record<string, string> = Object.create(null);
  for (const [key, value] of map) object[key] = value;
  return object;
}
