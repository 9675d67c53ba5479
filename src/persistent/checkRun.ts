// One check at the session that makes it: its status, and how it follows from outcomes and reports.

import type { Cancel } from "../base/ports.ts";
import type { ProbeOutcome } from "../base/probes.ts";
import { CHECK_OUTPUT_CHARS_MAX, type Check, type CheckState, type CheckStatus } from "../model/check.ts";
import { checkDigest, type RecordId, type StoredStatuses } from "./recordForm.ts";

export interface CheckRun {
  readonly id: RecordId;
  readonly check: Check;
  readonly digest: number;
  status: CheckStatus;
  output: string;
  /** The time since which it has this status. */
  sinceMs: number;
  /** The time since which it has been critical as this session has seen it; undefined while it is not. */
  criticalMs: number | undefined;
  /** Outcomes of one kind in a row. */
  successes: number;
  failures: number;
  /** This session has seen for itself that the status is so. */
  isSure: boolean;
  /** Ends the probe that is under way. */
  cancel: Cancel | undefined;
}

/** A check that this session makes from now on, with the status that it had. */
export function beginRun(id: RecordId, check: Check, stored: StoredStatuses, nowMs: number): CheckRun {
  const digest = checkDigest(check);
  const { status, output, sinceMs } = storedStatus(check, stored, digest) ?? {
    status: check.initial,
    output: "",
    sinceMs: nowMs,
  };
  return {
    ...{ id, check, digest, status, output, sinceMs },
    criticalMs: status === "critical" ? nowMs : undefined,
    successes: 0,
    failures: 0,
    isSure: check.probe === undefined,
    cancel: undefined,
  };
}

/** The state of a check by its record, for nodes that do not make it. */
export function storedState(check: Check, stored: StoredStatuses): CheckState {
  const known = storedStatus(check, stored, checkDigest(check));
  const { status, output, sinceMs } = known ?? { status: check.initial, output: "", sinceMs: 0 };
  return { check, status, output, sinceMs };
}

/** A status of a check that was defined otherwise says nothing. */
function storedStatus(check: Check, stored: StoredStatuses, digest: number) {
  const known = stored.get(check.id);
  return known?.digest === digest ? known : undefined;
}

export function stateOf({ check, status, output, sinceMs }: CheckRun): CheckState {
  return { check, status, output, sinceMs };
}

/** A probe has ended. Returns whether the status is another one now. */
export function takeOutcome(run: CheckRun, { result, output }: ProbeOutcome, nowMs: number): boolean {
  run.isSure = true;
  run.output = cutOutput(output);
  if (result === "denied") return false;
  const { successesBeforePassing, failuresBeforeWarning, failuresBeforeCritical } = run.check;
  if (result !== "critical") {
    run.failures = 0;
    run.successes++;
    return run.successes >= successesBeforePassing && setStatus(run, result, nowMs);
  }
  run.successes = 0;
  run.failures++;
  if (run.failures >= failuresBeforeCritical) return setStatus(run, "critical", nowMs);
  return run.status === "passing" && run.failures >= failuresBeforeWarning && setStatus(run, "warning", nowMs);
}

/** Somebody has reported the status, or its time is over. Returns whether it is another one now. */
export function takeStatus(run: CheckRun, status: CheckStatus, output: string, nowMs: number): boolean {
  run.output = cutOutput(output);
  return setStatus(run, status, nowMs);
}

function setStatus(run: CheckRun, status: CheckStatus, nowMs: number): boolean {
  if (run.status === status) return false;
  run.status = status;
  run.sinceMs = Math.floor(nowMs);
  run.criticalMs = status === "critical" ? nowMs : undefined;
  return true;
}

/** An output is for people: what is too long for a line or two is cut. */
export function cutOutput(output: string): string {
  return output.length > CHECK_OUTPUT_CHARS_MAX ? `${output.slice(0, CHECK_OUTPUT_CHARS_MAX - 1)}…` : output;
}
