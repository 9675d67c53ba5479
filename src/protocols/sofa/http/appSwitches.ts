// SOFARegistry's switches of application-level discovery, which Roster has: they are configuration values of instance
// 9600 and group CONFIG, and are checked when they are set.

import { fail } from "../../../base/errors.ts";

type Check = (value: string) => boolean;

const isBoolean: Check = (value) => value === "true" || value === "false";

/**
 * The columns in which SOFARegistry writes the parameters of a revision's services. Roster has one form for them, so
 * the value has no effect; one that SOFARegistry's servers would fail on is refused, as there may be some beside.
 */
const isWriteSwitch: Check = (value) => {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== "object" || parsed === null) return false;
    const { serviceParams = true, serviceParamsLarge = false } = parsed as Record<string, unknown>;
    const areBooleans = typeof serviceParams === "boolean" && typeof serviceParamsLarge === "boolean";
    return areBooleans && (serviceParams || serviceParamsLarge);
  } catch {
    return false;
  }
};

const APP_SWITCHES: ReadonlyMap<string, { readonly check: Check; readonly expected: string }> = new Map([
  ["app_revision.cleaner.enabled", { check: isBoolean, expected: "true or false" }],
  ["interface_app.cleaner.enabled", { check: isBoolean, expected: "true or false" }],
  [
    "app_revision.write.switch",
    { check: isWriteSwitch, expected: "JSON with serviceParams or serviceParamsLarge true, as SOFARegistry has it" },
  ],
]);

/** Whether this is one of these switches. */
export function isAppSwitch(name: string): boolean {
  return APP_SWITCHES.has(name);
}

/** Returns the value if the switch may have it. Throws FIELD_INVALID. */
export function checkedSwitch(name: string, value: string): string {
  const known = APP_SWITCHES.get(name);
  if (known === undefined || known.check(value)) return value;
  throw fail("FIELD_INVALID", { field: name, value, expected: known.expected });
}
