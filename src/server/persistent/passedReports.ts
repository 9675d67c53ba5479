// Reports of checks as they travel from the session that a client has asked to the one that keeps the registration.

import { fail } from "../../base/errors.ts";
import { CHECK_STATUSES } from "../../model/check.ts";
import { brandServiceKey } from "../../model/ids.ts";
import type { PassedAnswer, PassedReport } from "../../persistent/keeperPorts.ts";

export function passedJson({ key, check, result }: PassedReport): unknown {
  return { ...key, check, ...result };
}

/** Throws FIELD_INVALID. */
export function readPassed(parameters: unknown): PassedReport {
  const { serviceKey, registId, check, status, output } = Object(parameters) as Readonly<Record<string, unknown>>;
  const known = CHECK_STATUSES.find((one) => one === status);
  if (known === undefined)
    throw fail("FIELD_INVALID", { field: "status", value: String(status), expected: "a status" });
  return {
    key: { serviceKey: brandServiceKey(text(serviceKey)), registId: text(registId) },
    check: text(check),
    result: { status: known, output: text(output) },
  };
}

/** The answer of a later release that this one does not know is none. */
export function passedAnswerIn(answer: unknown): PassedAnswer {
  const { answer: word } = Object(answer) as Readonly<Record<string, unknown>>;
  return word === "taken" || word === "unknown" ? word : "unreachable";
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw fail("FIELD_INVALID", { field: "report", value: String(value), expected: "a text" });
}
