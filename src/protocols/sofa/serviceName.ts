// A service as SOFARegistry names it: dataId for the name, instanceId for the namespace.

import type { ServiceKey } from "../../model/ids.ts";
import { makeServiceKey, type PartWords, parseServiceKey } from "../../model/serviceKey.ts";

export interface ServiceName {
  readonly dataId: string;
  readonly instanceId: string;
  readonly group: string;
}

const WORDS: PartWords = { name: "dataId", namespace: "instanceId", group: "group" };

/** The registry's key; an empty instanceId or group stands for its default. Throws FIELD_INVALID. */
export function serviceKeyOf({ dataId, instanceId, group }: ServiceName): ServiceKey {
  return makeServiceKey({ name: dataId, namespace: instanceId, group }, WORDS);
}

export function serviceNameOf(key: ServiceKey): ServiceName {
  const { name, namespace, group } = parseServiceKey(key);
  return { dataId: name, instanceId: namespace, group };
}
