// Removes revisions that were not renewed for a day, and, if operators want it, services that no revision of their
// application offers any more. Silence counts only while a leader could hear: after a time without one, or with
// everything at a standstill, every revision has an hour.

import { keyAfter, keysWith } from "../records/keys.ts";
import type { RangePage, RangeQuery } from "../records/records.ts";
import type { AppIndex } from "./appIndex.ts";
import { CONTENTS_PREFIX, type OfferedServices, readContent } from "./appRecords.ts";

/** Silence after which a revision is removed. */
export const SILENCE_MS = 24 * 3_600_000;
/** The time that every revision has from the beginning of a lead: six heartbeats. */
export const LEAD_MS = 3_600_000;
const ROUND_MS = 60_000;
// Some milliseconds of a round; the next step continues.
const HEADS_PER_STEP = 20_000;
/** As in SOFARegistry. */
const REMOVED_PER_ROUND_MAX = 2_000;
const COMPARE_MS = 180 * 60_000;

/** The operators' switches. */
export interface CleanerSwitches {
  /** Silent revisions are removed. */
  readonly revisions: boolean;
  /** Services that no revision offers are removed. */
  readonly services: boolean;
}

/** The next records to remove. */
export interface Removals {
  readonly ids: readonly string[];
  /** An application, with the services that it keeps. */
  readonly services: { readonly application: string; readonly services: OfferedServices } | undefined;
}

/** A comparison of the services of all applications with the revisions in the store. */
interface Comparison {
  readonly offered: Map<string, Set<string>>;
  /** The question under way; 0: none. */
  request: number;
  from: string;
  at: bigint | undefined;
}

export class AppCleaner {
  readonly #index: AppIndex;
  /** The last time at which this leader has seen a revision. */
  readonly #seen = new Map<string, number>();
  #beganMs = 0;
  #roundMs = 0;
  #compareMs = 0;
  #heads: Iterator<readonly [string, { readonly seenMs: number }]> | undefined;
  #leftInRound = 0;
  readonly #silent = new Set<string>();
  #comparison: Comparison | undefined;
  /** Applications with services that no revision offered when they were compared. */
  readonly #unoffered = new Map<string, ReadonlySet<string>>();

  constructor(index: AppIndex) {
    this.#index = index;
  }

  /** A lead begins. */
  begin(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#roundMs = nowMs + ROUND_MS;
    this.#compareMs = nowMs + COMPARE_MS;
    this.#seen.clear();
    this.#silent.clear();
    this.#unoffered.clear();
    this.#heads = undefined;
    this.#comparison = undefined;
  }

  seen(id: string, nowMs: number): void {
    this.#seen.set(id, nowMs);
    this.#silent.delete(id);
  }

  removed(id: string): void {
    this.#seen.delete(id);
  }

  /** Compares services with revisions in the next step. */
  compareSoon(nowMs: number): void {
    this.#compareMs = nowMs;
  }

  nextMs(): number {
    const soonestMs = Math.min(this.#roundMs, this.#compareMs);
    return this.#heads === undefined ? soonestMs : Number.NEGATIVE_INFINITY;
  }

  work({ revisions, services }: CleanerSwitches, nowMs: number, read: (query: RangeQuery) => number): void {
    if (nowMs >= this.#roundMs) {
      this.#roundMs = nowMs + ROUND_MS;
      this.#heads = revisions && nowMs >= this.#beganMs + LEAD_MS ? this.#index.heads.entries() : undefined;
      this.#leftInRound = REMOVED_PER_ROUND_MAX;
    }
    if (this.#heads !== undefined) this.#lookForSilent(nowMs);
    if (nowMs >= this.#compareMs) {
      this.#compareMs = nowMs + COMPARE_MS;
      if (services) this.#comparison = { offered: new Map(), request: 0, from: CONTENTS_PREFIX, at: undefined };
    }
    const comparison = this.#comparison;
    if (comparison === undefined || comparison.request !== 0) return;
    const { to } = keysWith(CONTENTS_PREFIX);
    const { from, at } = comparison;
    comparison.request = read({ from, to, ...(at !== undefined && { at }) });
  }

  /** The next removals, with so many records at most. */
  takeRemovals(recordsMax: number, nowMs: number): Removals {
    const ids: string[] = [];
    for (const id of this.#silent) {
      // Its head and its content.
      if (2 * (ids.length + 1) >= recordsMax) break;
      this.#silent.delete(id);
      ids.push(id);
    }
    if (ids.length > 0) return { ids, services: undefined };
    for (const [application, unoffered] of this.#unoffered) {
      this.#unoffered.delete(application);
      const services = this.#index.servicesOf(application);
      // A revision may have been registered since.
      const kept = [...services].filter(([service, seenMs]) => !unoffered.has(service) || isRecent(seenMs, nowMs));
      if (kept.length < services.size) return { ids, services: { application, services: new Map(kept) } };
    }
    return { ids, services: undefined };
  }

  /** Whether the page answers a question of a comparison. */
  takesPage(request: number): boolean {
    return this.#comparison?.request === request;
  }

  pageRead(page: RangePage | undefined): void {
    const comparison = this.#comparison;
    if (comparison === undefined) return;
    comparison.request = 0;
    // Another time.
    if (page === undefined) this.#comparison = undefined;
    if (page === undefined) return;
    for (const record of page.records) {
      const { application, services } = readContent(record);
      const offered = comparison.offered.get(application) ?? new Set();
      comparison.offered.set(application, offered);
      for (const service of services) offered.add(service);
    }
    const last = page.records.at(-1);
    if (page.isLast || last === undefined) return this.#compared(comparison);
    comparison.from = keyAfter(last.key);
    comparison.at = page.revision;
  }

  #lookForSilent(nowMs: number): void {
    for (let left = HEADS_PER_STEP; left > 0 && this.#leftInRound > 0; left--) {
      const next = this.#heads?.next();
      if (next === undefined || next.done === true) {
        this.#heads = undefined;
        return;
      }
      const [id, head] = next.value;
      const seenMs = Math.max(head.seenMs, this.#seen.get(id) ?? 0);
      if (nowMs - seenMs < SILENCE_MS) continue;
      this.#silent.add(id);
      this.#leftInRound--;
    }
    if (this.#leftInRound === 0) this.#heads = undefined;
  }

  #compared({ offered }: Comparison): void {
    this.#comparison = undefined;
    for (const application of this.#index.applications()) {
      const ofApplication = offered.get(application);
      const names = [...this.#index.servicesOf(application).keys()];
      const unoffered = names.filter((service) => ofApplication?.has(service) !== true);
      if (unoffered.length > 0) this.#unoffered.set(application, new Set(unoffered));
    }
  }
}

/** As a revision, a service is kept for a day after it was registered last. */
function isRecent(seenMs: number, nowMs: number): boolean {
  return nowMs - seenMs < SILENCE_MS;
}
