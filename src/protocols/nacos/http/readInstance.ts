// Services and instances in the parameters of requests by HTTP.

import { fail, RegistryError } from "../../../base/errors.ts";
import {
  fieldsOf,
  type JsonFields,
  numberField,
  parseJson,
  textField,
  textsField,
  wholeField,
} from "../../../encoding/json/fields.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { checkedInstance, DEFAULT_CLUSTER, LIMITS, type NacosInstance } from "../naming/instance.ts";
import { serviceKeyOf } from "../naming/names.ts";
import type { Params } from "../params.ts";

/** The service that a request names. Throws FIELD_INVALID. */
export function readService(params: Params): ServiceKey {
  return serviceKeyOf({
    namespace: params.text("namespaceId"),
    group: params.text("groupName"),
    name: params.needed("serviceName"),
  });
}

/** The address of an instance that a request names. Throws FIELD_INVALID. */
export function readAddress(params: Params): Pick<NacosInstance, "ip" | "port" | "cluster"> {
  const cluster = params.text("clusterName") || params.text("cluster");
  return {
    ip: params.needed("ip"),
    port: params.whole("port", LIMITS.port) ?? missingPort(),
    cluster: cluster === "" ? DEFAULT_CLUSTER : cluster,
  };
}

function missingPort(): never {
  throw fail("FIELD_INVALID", { field: "port", expected: "a value; it is missing" });
}

/** The instance that a request registers. Throws FIELD_INVALID or REGISTRATION_TOO_LARGE. */
export function readInstance(params: Params, bytesMax: number): NacosInstance {
  const instance: NacosInstance = {
    ...readAddress(params),
    weight: params.number("weight", LIMITS.weight) ?? 1,
    isHealthy: params.flag("healthy") ?? true,
    isEnabled: params.flag("enabled", "enable") ?? true,
    isEphemeral: params.flag("ephemeral") ?? true,
    metadata: readMetadata(params.text("metadata")),
    instanceId: "",
  };
  return checkedInstance(instance, bytesMax);
}

/** Metadata as JSON, or as `key=value,…`. Throws FIELD_INVALID. */
export function readMetadata(text: string): ReadonlyMap<string, string> {
  if (text === "") return new Map();
  if (text.trimStart().startsWith("{")) return metadataOfJson(text);
  const entries = new Map<string, string>();
  for (const pair of text.split(",", LIMITS.metadataEntries + 1)) {
    const at = pair.indexOf("=");
    if (at < 1)
      throw fail("FIELD_INVALID", { field: "metadata", value: text.slice(0, 100), expected: "JSON, or key=value,…" });
    entries.set(pair.slice(0, at), pair.slice(at + 1));
  }
  return entries;
}

function metadataOfJson(text: string): ReadonlyMap<string, string> {
  return read("metadata", () => {
    const fields: JsonFields = new Map([["metadata", parseJson(text)]]);
    return textsField(fields, "metadata", LIMITS.metadataEntries) ?? new Map();
  });
}

/** The instance in the JSON of a heartbeat, by which it can be registered anew. Throws FIELD_INVALID. */
export function readBeat(text: string, bytesMax: number): NacosInstance {
  return read("beat", () => {
    const fields = withNumbers(fieldsOf(parseJson(text), "beat"));
    const cluster = textField(fields, "cluster") ?? "";
    const instance: NacosInstance = {
      ip: textField(fields, "ip") ?? "",
      port: wholeField(fields, "port", LIMITS.port) ?? 0,
      cluster: cluster === "" ? DEFAULT_CLUSTER : cluster,
      weight: numberField(fields, "weight", LIMITS.weight) ?? 1,
      metadata: textsField(fields, "metadata", LIMITS.metadataEntries) ?? new Map(),
      isHealthy: true,
      isEnabled: true,
      isEphemeral: true,
      instanceId: "",
    };
    return checkedInstance(instance, bytesMax);
  });
}

/** Clients for Python write numbers as the texts that they were given. */
function withNumbers(fields: JsonFields): JsonFields {
  const numbers = ["port", "weight"].flatMap((field) => {
    const value = fields.get(field);
    return typeof value === "string" && /^\d{1,9}(?:\.\d{1,9})?$/.test(value) ? [[field, Number(value)] as const] : [];
  });
  return new Map([...fields, ...numbers]);
}

/** A fault of the JSON in a parameter is a fault of the parameter. */
function read<T>(field: string, reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    if (!(error instanceof RegistryError) || !error.code.startsWith("JSON_")) throw error;
    throw fail("FIELD_INVALID", { field, value: error.message, expected: "JSON" });
  }
}
