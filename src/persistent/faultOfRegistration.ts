import { fail, type RegistryError } from "../base/errors.ts";
import { faultOfCheck } from "../model/check.ts";
import type { PersistentRegistration } from "../registry/persistent.ts";

// Consul's agents have one or two for a service.
const CHECKS_MAX = 16;
const REGIST_ID_CHARS_MAX = 1_600;
/** As JSON. Each node holds all registrations in memory. */
const BYTES_MAX = 64 * 1_024;

/** The reason why there is no such registration (FIELD_INVALID, PERSISTENT_EXHAUSTED). `bytes`: of its record. */
export function faultOfRegistration(registration: PersistentRegistration, bytes: number): RegistryError | undefined {
  const { registId, instance, checks } = registration;
  if (registId === "" || registId.length > REGIST_ID_CHARS_MAX) {
    const expected = `1 to ${REGIST_ID_CHARS_MAX} characters`;
    return fail("FIELD_INVALID", { field: "registId", value: `${registId.length} characters`, expected });
  }
  if (!Number.isFinite(instance.weight)) {
    return fail("FIELD_INVALID", { field: "weight", value: instance.weight, expected: "a number" });
  }
  if (checks.length > CHECKS_MAX) {
    return fail("PERSISTENT_EXHAUSTED", { registId, checks: checks.length, checksMax: CHECKS_MAX });
  }
  const ids = new Set<string>();
  for (const check of checks) {
    const fault = faultOfCheck(check);
    if (fault !== undefined) return fault;
    if (ids.has(check.id))
      return fail("FIELD_INVALID", { field: "check.id", value: check.id, expected: "no id twice" });
    ids.add(check.id);
  }
  return bytes > BYTES_MAX ? fail("PERSISTENT_EXHAUSTED", { registId, bytes, bytesMax: BYTES_MAX }) : undefined;
}
