// SOFARegistry's switches that are configuration values in Roster, too, of instance 9600 and group CONFIG. They are
// checked when they are set: those of application-level discovery, and two that can only be off. Roster has no use for
// these, and a value that says so is as true as in SOFARegistry.

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

/** A value with `enabled` true would seem to be in force. */
const isOff: Check = (value) => {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return false;
    const { enabled = false } = parsed as Record<string, unknown>;
    return enabled === false;
  } catch {
    return false;
  }
};

/** Lists between data nodes and sessions. */
export const COMPRESS_DATUM = "compress.datum.switch";
/** Refusals of clients' switching off and on, by the load of sessions. */
export const FLOW_THROTTLING = "registry.flow.operation.throttling.config";

const VALUE_SWITCHES: ReadonlyMap<string, { readonly check: Check; readonly expected: string }> = new Map([
  ["app_revision.cleaner.enabled", { check: isBoolean, expected: "true or false" }],
  ["interface_app.cleaner.enabled", { check: isBoolean, expected: "true or false" }],
  [
    "app_revision.write.switch",
    { check: isWriteSwitch, expected: "JSON with serviceParams or serviceParamsLarge true, as SOFARegistry has it" },
  ],
  [
    COMPRESS_DATUM,
    {
      check: isOff,
      expected: "JSON with enabled false: nodes send each other changes, and names once, instead of compressed lists",
    },
  ],
  [
    FLOW_THROTTLING,
    {
      check: isOff,
      expected: "JSON with enabled false: taking clients off and on is one rule, whatever the load of sessions",
    },
  ],
]);

/** Whether this is one of these switches. */
export function isValueSwitch(name: string): boolean {
  return VALUE_SWITCHES.has(name);
}

/** Returns the value if the switch may have it. Throws FIELD_INVALID. */
export function checkedSwitch(name: string, value: string): string {
  const known = VALUE_SWITCHES.get(name);
  if (known === undefined || known.check(value)) return value;
  throw fail("FIELD_INVALID", { field: name, value, expected: known.expected });
}
