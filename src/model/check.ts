// A health check of a registration, as data: the probe or the reports that decide its status, and when they do.

import { fail, type RegistryError } from "../base/errors.ts";
import type { Probe } from "../base/probes.ts";

/** The statuses of a check, as Consul has them. A registration is healthy unless one of its checks is critical. */
export const CHECK_STATUSES = ["passing", "warning", "critical"] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

/**
 * A check. With `probe` the cluster looks by itself; with `ttlMs` the status is what was reported last, and critical
 * when nothing was reported for that long; with neither it is what was reported last.
 */
export interface Check {
  /** Unique among the checks of the registration. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  readonly notes: string;
  readonly probe?: Probe;
  readonly ttlMs?: number;
  /** The time from one probe to the next. */
  readonly intervalMs: number;
  /** The time after which a probe has failed; not above `intervalMs`. */
  readonly timeoutMs: number;
  /** The probes in a row that must pass before a check is passing, after it was not. */
  readonly successesBeforePassing: number;
  /** The probes in a row that must fail before a check is a warning, and before it is critical. */
  readonly failuresBeforeWarning: number;
  readonly failuresBeforeCritical: number;
  /** The status before the first outcome. */
  readonly initial: CheckStatus;
  /** A registration that was critical for so long is removed; undefined: it stays. */
  readonly deregisterAfterMs?: number;
  /** A protocol's own words for it, which it wants back unchanged. */
  readonly bag: string;
}

/** A status, and the text that came with it. */
export interface CheckResult {
  readonly status: CheckStatus;
  readonly output: string;
}

/** A check with its present status. */
export interface CheckState extends CheckResult {
  readonly check: Check;
  /** The time at which it got this status. */
  readonly sinceMs: number;
}

/** A check without anything special; at least an id must be given. */
export function checkOf(given: Partial<Check> & Pick<Check, "id">): Check {
  return {
    name: given.id,
    notes: "",
    intervalMs: INTERVAL_MS,
    timeoutMs: Math.min(TIMEOUT_MS, given.intervalMs ?? INTERVAL_MS),
    successesBeforePassing: 1,
    failuresBeforeWarning: given.failuresBeforeCritical ?? 1,
    failuresBeforeCritical: 1,
    initial: "critical",
    bag: "",
    ...given,
  };
}

const INTERVAL_MS = 10_000;
const TIMEOUT_MS = 5_000;

/** The bounds of a check. */
export const CHECK_BOUNDS = {
  intervalMs: { min: 1_000, max: 86_400_000 },
  timeoutMs: { min: 100, max: 60_000 },
  ttlMs: { min: 1_000, max: 86_400_000 },
  deregisterAfterMs: { min: 1_000, max: 30 * 86_400_000 },
  successesBeforePassing: { min: 1, max: 100 },
  failuresBeforeWarning: { min: 1, max: 100 },
  failuresBeforeCritical: { min: 1, max: 100 },
} as const;

/** The longest names and outputs, in characters. An output that is longer is cut. */
export const CHECK_ID_CHARS_MAX = 256;
export const CHECK_NOTES_CHARS_MAX = 1_024;
export const CHECK_OUTPUT_CHARS_MAX = 512;
const BAG_CHARS_MAX = 8_192;

/** The reason why a check is none; FIELD_INVALID. */
export function faultOfCheck(check: Check): RegistryError | undefined {
  for (const [field, { min, max }] of Object.entries(CHECK_BOUNDS)) {
    const value = check[field as keyof typeof CHECK_BOUNDS];
    if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) continue;
    return invalid(`check.${field}`, value, `a whole number from ${min} to ${max}`);
  }
  const texts = { id: CHECK_ID_CHARS_MAX, name: CHECK_ID_CHARS_MAX, notes: CHECK_NOTES_CHARS_MAX, bag: BAG_CHARS_MAX };
  for (const [field, max] of Object.entries(texts)) {
    const { length } = check[field as keyof typeof texts];
    if (length > max) return invalid(`check.${field}`, `${length} characters`, `${max} at most`);
  }
  if (check.id === "") return invalid("check.id", "", "a name");
  const { probe, ttlMs, timeoutMs, intervalMs } = check;
  if (probe === undefined) return undefined;
  if (ttlMs !== undefined) return invalid("check", check.id, "a probe, or a ttl, and not both");
  if (timeoutMs > intervalMs) return invalid("check.timeoutMs", timeoutMs, `the interval, ${intervalMs}, at most`);
  return faultOfProbe(probe);
}

const HOST = /^[A-Za-z0-9._:%-]{1,253}$/;
const PATH_CHARS_MAX = 2_048;
const PATH = /^\/[\x21-\x7e]*$/;
const HEADERS_MAX = 16;
const HEADER_CHARS_MAX = 1_024;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]{1,64}$/;
const HEADER_VALUE = /^[\x20-\x7e]*$/;
/**
 * A probe proves nothing about its sender, and can't change how the message is framed. Credentials are among them: a
 * node does not carry a user's secrets to an address that the user names.
 */
const HEADERS_REFUSED: ReadonlySet<string> = new Set([
  ...["authorization", "proxy-authorization", "cookie", "connection", "proxy-connection", "keep-alive"],
  ...["content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect", "http2-settings"],
  // Headers by which the metadata services of clouds tell wanted requests from tricked ones.
  ...["metadata", "metadata-flavor", "x-aws-ec2-metadata-token", "x-aws-ec2-metadata-token-ttl-seconds"],
]);

function faultOfProbe(probe: Probe): RegistryError | undefined {
  const { host, port } = probe;
  if (!HOST.test(host)) return invalid("probe.host", host, "a name or an IP address");
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return invalid("probe.port", port, "1 to 65535");
  if (probe.kind === "grpc" && probe.service.length > CHECK_ID_CHARS_MAX) {
    return invalid("probe.service", `${probe.service.length} characters`, `${CHECK_ID_CHARS_MAX} at most`);
  }
  if (probe.kind !== "http") return undefined;
  const { path, headers } = probe;
  if (path.length > PATH_CHARS_MAX || !PATH.test(path)) {
    return invalid("probe.path", path, "a path that begins with a slash, in ASCII, without blanks");
  }
  if (headers.size > HEADERS_MAX) return invalid("probe.headers", headers.size, `${HEADERS_MAX} at most`);
  for (const [name, value] of headers) {
    if (!HEADER_NAME.test(name) || HEADERS_REFUSED.has(name)) {
      return invalid("probe.headers", name, "names in lower case, none of credentials or of the framing");
    }
    if (value.length > HEADER_CHARS_MAX || !HEADER_VALUE.test(value)) {
      return invalid(`probe.headers.${name}`, value, "printable ASCII");
    }
  }
  return undefined;
}

function invalid(field: string, value: string | number, expected: string): RegistryError {
  return fail("FIELD_INVALID", { field, value, expected });
}
