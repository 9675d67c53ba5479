// Reads an instance from the fields of a body. Missing ones get the values that the real server gives them.

import { eurekaError } from "../errorTable.ts";
import {
  booleanField,
  type Fields,
  type FieldValue,
  fieldsOf,
  optionalFields,
  textField,
  wholeField,
} from "./fields.ts";
import {
  ACTION_TYPES,
  DATA_CENTERS,
  type DataCenterInfo,
  DEFAULTS,
  type EurekaInstance,
  type EurekaPort,
  isStatus,
  type LeaseInfo,
  type Status,
  URL_FIELDS,
  type UrlField,
} from "./instance.ts";

const PORT_MAX = 0xffff;
// Java's int and its largest time that is a whole number here.
const INT_MAX = 0x7fff_ffff;
const TIME_MAX = Number.MAX_SAFE_INTEGER;
// Real ones have some ten. Each is in every answer to every client.
export const METADATA_ENTRIES_MAX = 1_000;

/** A field that must not be missing, in the real server's words. */
export interface MissingField {
  readonly missing: string;
}

/**
 * Reads an instance at `nowMs`, or returns the field that is missing. Throws EUREKA_BODY_INVALID.
 */
export function readInstance(value: FieldValue, nowMs: number): EurekaInstance | MissingField {
  const fields = fieldsOf(value, "instance");
  const metadata = readMetadata(fields.get("metadata"), "metadata");
  const dataCenterInfo = readDataCenter(fields.get("dataCenterInfo"));
  const named = (field: string) => textField(fields, field) || undefined;
  const [hostName, ipAddr] = [named("hostName"), named("ipAddr")];
  const app = named("app")?.toUpperCase();
  const amazonId = dataCenterInfo?.metadata.get("instance-id");
  const instanceId = named("instanceId") ?? amazonId ?? hostName;
  if (instanceId === undefined) return { missing: "instanceId" };
  if (hostName === undefined) return { missing: "hostname" };
  if (ipAddr === undefined) return { missing: "ip address" };
  if (app === undefined) return { missing: "appName" };
  if (dataCenterInfo === undefined) return { missing: "dataCenterInfo" };
  const time = (field: string) => wholeField(fields, field, TIME_MAX) || nowMs;
  return {
    ...{ instanceId, hostName, app, ipAddr, dataCenterInfo, metadata },
    appGroupName: named("appGroupName")?.toUpperCase(),
    sid: sidOf(named("sid")),
    status: readStatus(fields, "status") ?? "UP",
    overriddenStatus: readStatus(fields, "overriddenStatus") ?? readStatus(fields, "overriddenstatus") ?? "UNKNOWN",
    port: readPort(fields, "port", { number: DEFAULTS.port, isEnabled: true }),
    securePort: readPort(fields, "securePort", { number: DEFAULTS.securePort, isEnabled: false }),
    countryId: wholeField(fields, "countryId", INT_MAX) ?? DEFAULTS.countryId,
    leaseInfo: readLease(optionalFields(fields.get("leaseInfo"), "leaseInfo")),
    urls: readUrls(fields),
    isCoordinatingDiscoveryServer: booleanField(fields, "isCoordinatingDiscoveryServer") ?? false,
    lastUpdatedTimestamp: time("lastUpdatedTimestamp"),
    lastDirtyTimestamp: time("lastDirtyTimestamp"),
    actionType: ACTION_TYPES.find((known) => known === textField(fields, "actionType")) ?? "ADDED",
    asgName: named("asgName"),
  };
}

function sidOf(sid: string | undefined): string | undefined {
  return sid === "na" || sid === "unknown" ? undefined : sid;
}

/** Statuses of later releases are unknown ones to the real server, too. */
function readStatus(fields: Fields, field: string): Status | undefined {
  const text = textField(fields, field)?.trim();
  if (text === undefined || text === "") return undefined;
  return isStatus(text) ? text : "UNKNOWN";
}

/** Some clients write a bare number. */
function readPort(fields: Fields, field: string, defaults: EurekaPort): EurekaPort {
  const value = fields.get(field);
  if (!(value instanceof Map)) return { ...defaults, number: wholeField(fields, field, PORT_MAX) ?? defaults.number };
  return {
    number: wholeField(value, "$", PORT_MAX) ?? defaults.number,
    isEnabled: booleanField(value, "@enabled") ?? defaults.isEnabled,
  };
}

/** Undefined: missing. */
function readDataCenter(value: FieldValue | undefined): DataCenterInfo | undefined {
  const fields = optionalFields(value, "dataCenterInfo");
  if (fields.size === 0) return undefined;
  const given = textField(fields, "name")?.trim() ?? "";
  const name = DATA_CENTERS.find((known) => known.toLowerCase() === given.toLowerCase());
  if (name === undefined) {
    const expected = DATA_CENTERS.join(", ");
    throw eurekaError("EUREKA_BODY_INVALID", { field: "dataCenterInfo.name", value: given.slice(0, 100), expected });
  }
  const metadata = name === "Amazon" ? readMetadata(fields.get("metadata"), "dataCenterInfo.metadata") : new Map();
  return { name, metadata };
}

function readLease(fields: Fields): LeaseInfo {
  const seconds = (field: string, byDefault: number) => wholeField(fields, field, INT_MAX) || byDefault;
  const time = (field: string) => wholeField(fields, field, TIME_MAX) ?? 0;
  return {
    renewalIntervalInSecs: seconds("renewalIntervalInSecs", DEFAULTS.renewalIntervalInSecs),
    durationInSecs: seconds("durationInSecs", DEFAULTS.durationInSecs),
    registrationTimestamp: time("registrationTimestamp"),
    lastRenewalTimestamp: time("lastRenewalTimestamp"),
    evictionTimestamp: time("evictionTimestamp"),
    serviceUpTimestamp: time("serviceUpTimestamp"),
  };
}

function readUrls(fields: Fields): Map<UrlField, string> {
  const urls = new Map<UrlField, string>();
  for (const field of URL_FIELDS) {
    const url = textField(fields, field);
    if (url !== undefined && url !== "") urls.set(field, url);
  }
  return urls;
}

/** `@class` is XStream's and no entry. A value of null is none. Throws EUREKA_BODY_INVALID. */
function readMetadata(value: FieldValue | undefined, field: string): Map<string, string> {
  const fields = optionalFields(value, field);
  if (fields.size > METADATA_ENTRIES_MAX) {
    throw eurekaError("EUREKA_BODY_INVALID", { field, entries: fields.size, entriesMax: METADATA_ENTRIES_MAX });
  }
  const metadata = new Map<string, string>();
  for (const key of fields.keys()) {
    const text = key === "@class" ? undefined : textOrWritten(fields, key);
    if (text !== undefined) metadata.set(key, text);
  }
  return metadata;
}

/** The text of an entry; an object or a list, which some clients send, as JSON. */
function textOrWritten(fields: Fields, key: string): string | undefined {
  const value = fields.get(key);
  return typeof value === "object" && value !== null ? JSON.stringify(jsonOf(value)) : textField(fields, key);
}

function jsonOf(value: FieldValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, jsonOf(item)]));
  return Array.isArray(value) ? value.map(jsonOf) : value;
}
