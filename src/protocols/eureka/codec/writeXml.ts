// Instances as XML, in the order and form of the real server's answers.

import { encodeXmlName, writeXml, type XmlNode } from "../../../encoding/xml/writer.ts";
import { type DataCenterInfo, type EurekaInstance, type EurekaPort, type LeaseInfo, URL_FIELDS } from "./instance.ts";
import { dataCenterClass } from "./writeJson.ts";

/** The XML of an instance, from `depth` on. `compact`: only what a client needs to call it. */
export function instanceXml(instance: EurekaInstance, { depth = 0, isCompact = false } = {}): string {
  return writeXml({ name: "instance", children: isCompact ? compact(instance) : full(instance) }, depth);
}

/** An element with a text; none without one. */
function optional(name: string, text: string | undefined): XmlNode[] {
  return text === undefined ? [] : [{ name, text }];
}

function full(instance: EurekaInstance): XmlNode[] {
  const { port, securePort, metadata, leaseInfo, urls } = instance;
  return [
    { name: "instanceId", text: instance.instanceId },
    { name: "hostName", text: instance.hostName },
    { name: "app", text: instance.app },
    { name: "ipAddr", text: instance.ipAddr },
    ...optional("sid", instance.sid),
    { name: "status", text: instance.status },
    { name: "overriddenstatus", text: instance.overriddenStatus },
    portNode("port", port),
    portNode("securePort", securePort),
    { name: "countryId", text: String(instance.countryId) },
    dataCenterNode(instance.dataCenterInfo),
    { name: "leaseInfo", children: leaseNodes(leaseInfo) },
    mapNode(metadata),
    ...optional("appGroupName", instance.appGroupName),
    ...URL_FIELDS.flatMap((field) => optional(field, urls.get(field))),
    { name: "isCoordinatingDiscoveryServer", text: String(instance.isCoordinatingDiscoveryServer) },
    { name: "lastUpdatedTimestamp", text: String(instance.lastUpdatedTimestamp) },
    { name: "lastDirtyTimestamp", text: String(instance.lastDirtyTimestamp) },
    { name: "actionType", text: instance.actionType },
    ...optional("asgName", instance.asgName),
  ];
}

function compact(instance: EurekaInstance): XmlNode[] {
  return [
    { name: "instanceId", text: instance.instanceId },
    { name: "app", text: instance.app },
    { name: "ipAddr", text: instance.ipAddr },
    ...optional("vipAddress", instance.urls.get("vipAddress")),
    ...optional("secureVipAddress", instance.urls.get("secureVipAddress")),
    dataCenterNode(instance.dataCenterInfo),
    { name: "hostName", text: instance.hostName },
    { name: "status", text: instance.status },
    { name: "lastUpdatedTimestamp", text: String(instance.lastUpdatedTimestamp) },
    { name: "actionType", text: instance.actionType },
    ...optional("asgName", instance.asgName),
    portNode("port", instance.port),
    portNode("securePort", instance.securePort),
  ];
}

function portNode(name: string, { number, isEnabled }: EurekaPort): XmlNode {
  return { name, attributes: [["enabled", String(isEnabled)]], text: String(number) };
}

function dataCenterNode(info: DataCenterInfo): XmlNode {
  const name = { name: "name", text: info.name };
  return {
    name: "dataCenterInfo",
    attributes: [["class", dataCenterClass(info)]],
    children: info.name === "Amazon" ? [name, mapNode(info.metadata)] : [name],
  };
}

function leaseNodes(lease: LeaseInfo): XmlNode[] {
  const { renewalIntervalInSecs, durationInSecs, registrationTimestamp, lastRenewalTimestamp } = lease;
  const { evictionTimestamp, serviceUpTimestamp } = lease;
  const durations = { renewalIntervalInSecs, durationInSecs };
  const times = { registrationTimestamp, lastRenewalTimestamp, evictionTimestamp, serviceUpTimestamp };
  return Object.entries({ ...durations, ...times }).map(([name, value]) => ({ name, text: String(value) }));
}

function mapNode(map: ReadonlyMap<string, string>): XmlNode {
  if (map.size === 0) return { name: "metadata", attributes: [["class", "java.util.Collections$EmptyMap"]] };
  return { name: "metadata", children: [...map].map(([key, text]) => ({ name: encodeXmlName(key), text })) };
}
