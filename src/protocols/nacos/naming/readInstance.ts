// The fields of naming requests by gRPC.

import {
  flagField,
  type JsonFields,
  numberField,
  textField,
  textsField,
  wholeField,
} from "../../../encoding/json/fields.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { checkedInstance, DEFAULT_CLUSTER, LIMITS, type NacosInstance } from "./instance.ts";
import { serviceKeyOf } from "./names.ts";

/** The service of a request. Throws FIELD_INVALID or JSON_FIELD_INVALID. */
export function readService(fields: JsonFields): ServiceKey {
  return serviceKeyOf({
    namespace: textField(fields, "namespace") ?? "",
    group: textField(fields, "groupName") ?? "",
    name: textField(fields, "serviceName") ?? "",
  });
}

/** An instance in JSON. Throws FIELD_INVALID, JSON_FIELD_INVALID or REGISTRATION_TOO_LARGE. */
export function readInstance(fields: JsonFields, isEphemeral: boolean, bytesMax: number): NacosInstance {
  const cluster = textField(fields, "clusterName") ?? "";
  const instance: NacosInstance = {
    ip: textField(fields, "ip") ?? "",
    port: wholeField(fields, "port", LIMITS.port) ?? 0,
    weight: numberField(fields, "weight", LIMITS.weight) ?? 1,
    isHealthy: flagField(fields, "healthy") ?? true,
    isEnabled: flagField(fields, "enabled") ?? true,
    isEphemeral,
    cluster: cluster === "" ? DEFAULT_CLUSTER : cluster,
    metadata: textsField(fields, "metadata", LIMITS.metadataEntries) ?? new Map(),
    instanceId: textField(fields, "instanceId") ?? "",
  };
  return checkedInstance(instance, bytesMax);
}
