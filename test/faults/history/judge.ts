// The rules, over a recorded history: nothing is lost, nothing dead is shown, no subscriber goes back, every list is
// one that the publishers can have made, nothing disappears but for a reason, and at the end all is as it should be.
// The judge knows nothing of the registry but what its clients saw.

import type { HistoryEvent } from "./event.ts";
import { Lists } from "./lists.ts";
import { Records } from "./records.ts";

export type Rule =
  | "lost registration"
  | "ghost"
  | "version went back"
  | "list not whole"
  | "removal seen"
  | "old content again"
  | "not converged";

/** One thing that must not happen, and did. */
export interface Finding {
  readonly rule: Rule;
  /** When, on the clock of the history; the end of the history for what never came. */
  readonly t: number;
  readonly text: string;
}

/** Between `fromMs` and `untilMs` these clients may be missing in lists: the scenario cut them off for long enough. */
export interface AllowedAbsence {
  readonly clients: ReadonlySet<string>;
  readonly fromMs: number;
  readonly untilMs: number;
}

// One fault can leave its trace in hundreds of lists; the first ones say everything.
const FINDINGS_MAX = 20;

/** Judges a whole history; at its end the cluster must be at rest. */
export function judge(events: readonly HistoryEvent[], absences: readonly AllowedAbsence[] = []): readonly Finding[] {
  const records = new Records();
  const lists = new Lists(records, absences);
  const findings: Finding[] = [];
  for (const event of events) {
    if (event.kind === "push") findings.push(...lists.pushed(event));
    records.see(event);
    if (event.kind === "converged") lists.converged(event.t);
    if (findings.length >= FINDINGS_MAX) return findings;
  }
  return [...findings, ...atTheEnd(records, events.at(-1)?.t ?? 0)].slice(0, FINDINGS_MAX);
}

/** Every living registration is shown to everybody, nothing else is, and every call was answered. */
function atTheEnd(records: Records, t: number): Finding[] {
  const findings: Finding[] = [];
  for (const registration of records.living()) {
    if (registration.acks.at(-1)?.version === registration.calls.at(-1)?.version) continue;
    const text = `${registration.name} of ${registration.client} was never acknowledged in its last version`;
    findings.push({ rule: "not converged", t, text });
  }
  for (const { name, client, service, shown } of records.subscriptions.values()) {
    if (records.deaths.has(client)) continue;
    const tokens = new Set(shown?.tokens);
    for (const registration of records.ofService(service)) {
      const token = registration.calls.at(-1)?.token ?? null;
      const isLiving = records.isLiving(registration);
      if (isLiving && token !== null && !tokens.delete(token)) {
        const text = `${name} of ${client} ends without ${token} of ${registration.client}: [${shown?.text ?? ""}]`;
        findings.push({ rule: "lost registration", t, text });
      }
    }
    for (const token of tokens) {
      findings.push({ rule: "ghost", t, text: `${name} of ${client} ends with ${token}: [${shown?.text ?? ""}]` });
    }
  }
  return findings;
}
