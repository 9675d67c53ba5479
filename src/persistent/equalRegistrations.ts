import { packInstance } from "../model/instance.ts";
import { equalPayloads } from "../model/payload.ts";
import type { PersistentRegistration } from "../registry/persistent.ts";
import { checkDigest } from "./recordForm.ts";

/** Whether two registrations of one key say the same, in whatever order their metadata came. */
export function equalRegistrations(one: PersistentRegistration, other: PersistentRegistration): boolean {
  const { holder, zone, appName, checks } = one;
  if (holder !== other.holder || zone !== other.zone || appName !== other.appName) return false;
  if (!equalPayloads(packInstance(one.instance), packInstance(other.instance))) return false;
  return checks.length === other.checks.length && checks.every((check, at) => isSame(check, other.checks[at]));
}

type Check = PersistentRegistration["checks"][number];

function isSame(one: Check, other: Check | undefined): boolean {
  return other !== undefined && checkDigest(one) === checkDigest(other);
}
