// The checks of the registrations that this session keeps: when each is made, and how many at once. The first probe
// comes at a random moment soon, and so does each later one around its interval: checks that begin together, after a
// session was lost, do not stay together.

import { Deadlines } from "../base/deadlines.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Random } from "../base/ports.ts";
import type { ProbeOutcome } from "../base/probes.ts";
import type { Check, CheckResult, CheckStatus } from "../model/check.ts";
import { beginRun, type CheckRun, takeOutcome, takeStatus } from "./checkRun.ts";
import type { KeeperOutput } from "./keeperPorts.ts";
import type { RecordId, StoredStatus, StoredStatuses } from "./recordForm.ts";

// Each has a socket and lasts for its timeout at most. Further ones wait for these.
const PROBES_MAX = 256;
const FIRST_MS_MAX = 2_000;
/** The part of an interval by which it is longer or shorter. */
const JITTER = 0.1;
const TTL_OUTPUT = "the TTL is over: nothing was reported in time";

interface Parts {
  readonly output: Pick<KeeperOutput, "probe">;
  readonly random: Random;
  readonly metrics: Metrics;
  /** The status of a check is another one. */
  readonly changed: (id: RecordId, nowMs: number) => void;
  /** A check has been critical for as long as its registration may stay then. */
  readonly dead: (id: RecordId, nowMs: number) => void;
}

export class Checks {
  readonly #parts: Parts;
  readonly #runs = new Map<RecordId, CheckRun[]>();
  readonly #probes = new Deadlines<CheckRun>();
  /** The ends of TTLs. */
  readonly #ttls = new Deadlines<CheckRun>();
  /** The times at which registrations are removed. */
  readonly #ends = new Deadlines<CheckRun>();
  #underWay = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** The numbers of checks by their status. */
  counts(): Record<CheckStatus, number> {
    const counts = { passing: 0, warning: 0, critical: 0 };
    for (const runs of this.#runs.values()) for (const { status } of runs) counts[status]++;
    return counts;
  }

  /** The checks of a registration that this session keeps; undefined for any other. */
  of(id: RecordId): readonly CheckRun[] | undefined {
    return this.#runs.get(id);
  }

  /** Makes these checks from now on, and no other ones for the registration. Those that were made before go on. */
  begin(id: RecordId, checks: readonly Check[], stored: StoredStatuses, nowMs: number): void {
    const before = this.#runs.get(id) ?? [];
    const runs = checks.map((check) => {
      const fresh = beginRun(id, check, stored, nowMs);
      const run = before.find(({ digest }) => digest === fresh.digest);
      if (run === undefined) return this.#schedule(fresh, nowMs);
      // Another session took itself for the keeper, and has stored what it knew.
      if (stored.has(check.id) && fresh.status !== run.status) this.#changed(run, nowMs);
      return run;
    });
    for (const run of before) if (!runs.includes(run)) this.#end(run);
    this.#runs.set(id, runs);
  }

  /** Another session makes the checks, or none. */
  end(id: RecordId): void {
    for (const run of this.#runs.get(id) ?? []) this.#end(run);
    this.#runs.delete(id);
  }

  /** A client reports the status of a check with a TTL. False: there is none of this id. */
  report(id: RecordId, check: string, { status, output }: CheckResult, nowMs: number): boolean {
    const run = this.#find(id, check);
    if (run === undefined || run.check.probe !== undefined) return false;
    this.#setTtl(run, nowMs);
    if (takeStatus(run, status, output, nowMs)) this.#changed(run, nowMs);
    return true;
  }

  /** The records have statuses that clients have told at any node, or at a session that kept the registration. */
  stored(id: RecordId, statuses: StoredStatuses, nowMs: number): void {
    for (const run of this.#runs.get(id) ?? []) {
      const told = statuses.get(run.check.id);
      if (told === undefined || told.digest !== run.digest || !isTold(run, told)) continue;
      this.#setTtl(run, nowMs);
      if (takeStatus(run, told.status, told.output, nowMs)) this.#changed(run, nowMs);
    }
  }

  nextMs(): number {
    const probeMs = this.#underWay < PROBES_MAX ? this.#probes.nextMs() : Number.POSITIVE_INFINITY;
    return Math.min(probeMs, this.#ttls.nextMs(), this.#ends.nextMs());
  }

  wake(nowMs: number): void {
    while (this.#underWay < PROBES_MAX) {
      const run = this.#probes.take(nowMs);
      if (run === undefined) break;
      this.#probe(run, nowMs);
    }
    for (let run = this.#ttls.take(nowMs); run !== undefined; run = this.#ttls.take(nowMs)) {
      if (takeStatus(run, "critical", TTL_OUTPUT, nowMs)) this.#changed(run, nowMs);
    }
    for (let run = this.#ends.take(nowMs); run !== undefined; run = this.#ends.take(nowMs)) {
      this.#setEnd(run, nowMs);
      this.#parts.dead(run.id, nowMs);
    }
  }

  /** The process stood still: clients' reports from that time may still be unread. */
  resumed(lateMs: number, nowMs: number): void {
    for (const run of this.#ttls.keys()) {
      const dueMs = this.#ttls.get(run) ?? nowMs;
      this.#ttls.set(run, dueMs + lateMs);
    }
  }

  #find(id: RecordId, check: string): CheckRun | undefined {
    return this.#runs.get(id)?.find((run) => run.check.id === check);
  }

  #schedule(run: CheckRun, nowMs: number): CheckRun {
    const { probe, intervalMs } = run.check;
    const firstMs = Math.min(intervalMs, FIRST_MS_MAX) * this.#parts.random.next();
    if (probe !== undefined) this.#probes.set(run, nowMs + firstMs);
    this.#setTtl(run, nowMs);
    this.#setEnd(run, nowMs);
    return run;
  }

  #setTtl(run: CheckRun, nowMs: number): void {
    const { probe, ttlMs } = run.check;
    if (probe === undefined && ttlMs !== undefined) this.#ttls.set(run, nowMs + ttlMs);
  }

  /** Another session that takes over begins to count anew: no clock of another node can remove a registration. */
  #setEnd(run: CheckRun, nowMs: number): void {
    const { deregisterAfterMs } = run.check;
    const { criticalMs } = run;
    if (deregisterAfterMs === undefined || criticalMs === undefined) return this.#ends.delete(run);
    // One that could not be removed is tried again.
    this.#ends.set(run, Math.max(criticalMs + deregisterAfterMs, nowMs + END_AGAIN_MS));
  }

  #probe(run: CheckRun, nowMs: number): void {
    const { probe, timeoutMs } = run.check;
    if (probe === undefined) return;
    this.#underWay++;
    run.cancel = this.#parts.output.probe(probe, timeoutMs, (outcome, endMs) => {
      run.cancel = undefined;
      this.#underWay--;
      this.#probed(run, outcome, { beganMs: nowMs, nowMs: endMs });
    });
  }

  #probed(run: CheckRun, outcome: ProbeOutcome, { beganMs, nowMs }: { beganMs: number; nowMs: number }): void {
    const { random, metrics } = this.#parts;
    const { check } = run;
    const kind = check.probe?.kind ?? "tcp";
    metrics.add("roster_checks_total", 1, { kind, result: outcome.result });
    const intervalMs = check.intervalMs * (1 + (random.next() * 2 - 1) * JITTER);
    this.#probes.set(run, Math.max(nowMs, beganMs + intervalMs));
    if (takeOutcome(run, outcome, nowMs)) this.#changed(run, nowMs);
  }

  #changed(run: CheckRun, nowMs: number): void {
    this.#setEnd(run, nowMs);
    this.#parts.changed(run.id, nowMs);
  }

  #end(run: CheckRun): void {
    for (const deadlines of [this.#probes, this.#ttls, this.#ends]) deadlines.delete(run);
    if (run.cancel === undefined) return;
    run.cancel();
    run.cancel = undefined;
    this.#underWay--;
  }
}

const END_AGAIN_MS = 1_000;

/**
 * Whether a stored status is a client's word that this session has not heard. While sessions do not agree yet which of
 * them keeps a registration, the report of its client may come to the other one. That a TTL was over there says nothing
 * here, and a status of this session's own that comes back is no news.
 */
function isTold({ check, status, sinceMs }: CheckRun, stored: StoredStatus): boolean {
  if (check.probe !== undefined) return false;
  if (check.ttlMs === undefined) return true;
  return stored.status !== status && stored.output !== TTL_OUTPUT && stored.sinceMs > sinceMs;
}
