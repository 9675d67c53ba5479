// Translates SOFARegistry's terms into the registry's. A missing value gets SOFARegistry's default; a wrong value is
// refused with its name and value.

import { fail, RegistryError } from "../../base/errors.ts";
import { packBoxes } from "../../model/payload.ts";
import { isScope, type Scope } from "../../model/scope.ts";
import { checkedKeyPart } from "../../model/serviceKey.ts";
import type { PublishRequest, RegistrationKey, SubscribeRequest } from "../../registry/registry.ts";
import { withoutProof } from "./clientProof.ts";
import type { PublisherRegister, Register, SubscriberRegister, WireForm } from "./codec/messages.ts";
import type { SofaConfig } from "./environment.ts";
import { withRevisions } from "./namedRevisions.ts";
import { serviceKeyOf } from "./serviceName.ts";
import { variantWord, wishedCompressions } from "./variant.ts";

// No client counts so far or uses such a time; the numbers above stay free, so that a newer version always exists.
const VERSION_MAX = 1n << 62n;
/** The zone name that the Java client sends when none is configured. */
const UNSET_ZONE = "DEFAULT_ZONE";

/** The fields of every registration. Throws FIELD_INVALID. */
export function registrationKeyOf(register: Register): RegistrationKey {
  const { dataId, group, version, processId } = register;
  const serviceKey = serviceKeyOf({ dataId, group, instanceId: register.instanceId ?? "" });
  const registId = checkedKeyPart("registId", register.registId);
  const key = { serviceKey, registId, version: checkedVersion(version) };
  // The Java client sends none, MOSN's a random one.
  return processId === null || processId === "" ? key : { ...key, processId: checkedKeyPart("processId", processId) };
}

/**
 * The number of bytes that will be packed. Hessian can refer to a box again and again: a small frame must not become a
 * large payload. Throws REGISTRATION_TOO_LARGE.
 */
export function payloadBytesOf({ dataList }: PublisherRegister, { registrationBytesMax }: SofaConfig): number {
  let bytes = 0;
  for (const box of dataList) bytes += box?.utf8.length ?? 0;
  if (bytes <= registrationBytesMax) return bytes;
  throw fail("REGISTRATION_TOO_LARGE", { field: "dataList", bytes, bytesMax: registrationBytesMax });
}

/** A publication; `config.zone` replaces a zone that the client did not choose. Throws FIELD_INVALID. */
export function publishRequest(register: PublisherRegister, config: SofaConfig): PublishRequest {
  return {
    ...registrationKeyOf(register),
    zone: zoneOf(register.zone, config),
    appName: optionalName("appName", register.appName),
    attributes: withoutProof(withRevisions(register)),
    payload: packBoxes(register.dataList),
  };
}

/** A subscription in its original form. Throws FIELD_INVALID. */
export function subscribeRequest(register: SubscriberRegister, form: WireForm, config: SofaConfig): SubscribeRequest {
  const scope = checkedScope(register.scope);
  const compressions = wishedCompressions(form, register.acceptEncoding);
  const variant = variantWord({ form, compressions, isMulti: register.acceptMulti });
  const appName = shownName(register.appName);
  return { ...registrationKeyOf(register), appName, scope, zone: zoneOf(register.zone, config), variant };
}

/**
 * In SOFARegistry a session serves one zone, and a client's zone decides which session it goes to; so the session's
 * zone is the client's. One Roster node may serve clients of many zones: a client is in the zone that it names, and a
 * client that names none is in the node's zone.
 */
function zoneOf(zone: string | null, config: SofaConfig): string {
  if (zone === null || zone === "" || zone === UNSET_ZONE) return config.zone;
  return checkedKeyPart("zone", zone);
}

function checkedScope(scope: string | null): Scope {
  // The real server takes a missing scope for the widest one inside the data center.
  if (scope === null || scope === "") return "dataCenter";
  if (!isScope(scope))
    throw fail("FIELD_INVALID", { field: "scope", value: scope, expected: "zone, dataCenter or global" });
  return scope;
}

function checkedVersion(version: bigint): bigint {
  if (version >= 0n && version <= VERSION_MAX) return version;
  throw fail("FIELD_INVALID", { field: "version", value: version, expected: `0 to ${VERSION_MAX}` });
}

function optionalName(field: string, value: string | null): string {
  return value === null || value === "" ? "" : checkedKeyPart(field, value);
}

/** As `optionalName`, for a name that operators see and nothing depends on: one that can't be shown is left out. */
function shownName(value: string | null): string {
  try {
    return optionalName("appName", value);
  } catch (error) {
    if (error instanceof RegistryError) return "";
    throw error;
  }
}
