// The audit trail: an entry for each change that an operator has made, and for each operation that was refused: who,
// from where, what, before and after. Entries are bounded, and no secret is in one.

import { fieldsOf } from "../access/accessJson.ts";
import type { LogFields } from "../base/ports.ts";
import { visible } from "../base/visible.ts";
import { isoTime } from "./isoTime.ts";
import type { Json } from "./schema.ts";

/** One entry. All texts are bounded and printable. */
export interface AuditEntry {
  readonly atMs: number;
  /** `refused`: nothing was changed. */
  readonly outcome: "made" | "refused";
  readonly operation: string;
  /** The principal; empty for credentials that prove nothing. */
  readonly by: string;
  readonly kind: string;
  /** The address that the request came from. */
  readonly from: string;
  /** The node that has made or refused it. */
  readonly node: string;
  /** As of HTTP. */
  readonly status: number;
  /** The code of a refusal; empty for a change that was made. */
  readonly code: string;
  /** In JSON, cut. */
  readonly parameters: string;
  /** The state of what was changed, in JSON, cut; empty where it is not known. */
  readonly before: string;
  readonly after: string;
}

export type AuditOutcome = AuditEntry["outcome"];

/** The part that keeps entries. */
export type Audit = (entry: Omit<AuditEntry, "atMs" | "node">) => void;

/** A question for entries; all given conditions must hold. */
export interface AuditQuery {
  readonly outcome: AuditOutcome;
  readonly by: string | undefined;
  readonly operation: string | undefined;
  readonly sinceMs: number | undefined;
  readonly untilMs: number | undefined;
  readonly limit: number;
  /** The `next` of the page before; empty for the first. */
  readonly after: string;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Undefined on the last page. */
  readonly next: string | undefined;
}

// A rule may have a mebibyte of addresses; what it is about is in its first ones.
const TEXT_CHARS_MAX = 2_000;

const TEXTS = ["operation", "by", "kind", "from", "node", "code", "parameters", "before", "after"] as const;

/** A text of an entry: bounded, and printable. */
export function cut(text: string): string {
  return visible(text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)}…` : text);
}

/** The fields of an entry for a line of the log. */
export function auditFields({ atMs: _, outcome: __, node: ___, ...fields }: AuditEntry): LogFields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));
}

/** An entry as answers show it. */
export function auditRow({ atMs, ...entry }: AuditEntry): Json {
  return { at: isoTime(atMs), ...entry };
}

/** Undefined for what is no entry. */
export function readAuditEntry(json: unknown): AuditEntry | undefined {
  const { atMs, outcome, status, ...texts } = fieldsOf(json);
  if (typeof atMs !== "number" || !Number.isSafeInteger(atMs) || atMs < 0 || typeof status !== "number")
    return undefined;
  if (outcome !== "made" && outcome !== "refused") return undefined;
  const read = TEXTS.map((name) => [name, texts[name]] as const);
  if (!read.every(([, text]) => typeof text === "string")) return undefined;
  const bounded = Object.fromEntries(read.map(([name, text]) => [name, cut(String(text))]));
  return { atMs, outcome, status, ...bounded } as unknown as AuditEntry;
}
