// Keeps persistent registrations, in every session: each is a record of the store, and one session registers it as if
// it were a client that never dies, with a long lease, and makes its checks. Every session knows all records by a copy
// of its own and finds out by itself which of them it keeps (keeperOf.ts). Two sessions that keep one registration for
// a while do no harm: they register the same version of it. docs/internals/persistent.md has the whole idea.

import { Deadlines } from "../base/deadlines.ts";
import { fail } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Random } from "../base/ports.ts";
import type { SteppedRole } from "../base/stepper.ts";
import type { Check, CheckState } from "../model/check.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { KeptRegistration, PersistentKey, ReportRequest } from "../registry/persistent.ts";
import { type CheckRun, stateOf, storedState } from "./checkRun.ts";
import { Checks } from "./checks.ts";
import { ClientChanges } from "./clientChanges.ts";
import { Copy, type Entry, isRegistered, type RecordChange, type Taken } from "./copy.ts";
import { type Keepers, keeperOf, keepersOf, secondKeeperOf } from "./keeperOf.ts";
import type { KeeperEvent, KeeperOutput, KeeperTimes, PassedAnswer, PassedReport } from "./keeperPorts.ts";
import { endOf, KeptLeases } from "./keptLeases.ts";
import { Presence } from "./presence.ts";
import {
  checkDigest,
  type RecordId,
  recordIdOf,
  registrationRecord,
  statusRecord,
  takenBackBytes,
} from "./recordForm.ts";
import { StatusWriter } from "./statusWriter.ts";
import { Waiting } from "./waiting.ts";

export interface KeeperOptions {
  readonly id: NodeId;
  /** The most registrations of the cluster. */
  readonly registrationsMax: number;
  readonly times: KeeperTimes;
}

export interface KeeperEnvironment {
  readonly output: KeeperOutput;
  readonly random: Random;
  readonly metrics: Metrics;
}

type Asked = Extract<KeeperEvent, { kind: "put" | "remove" | "report" }>;

// The end of a lease whose record is gone is told once.
const END_MS = 10_000;
const MEASURE_MS = 5_000;
// Some 3 µs each. All registrations are looked at when a session comes or goes.
const PLACED_AT_ONCE = 2_000;

export class Keeper implements SteppedRole<KeeperEvent> {
  readonly #options: KeeperOptions;
  readonly #environment: KeeperEnvironment;
  readonly #copy = new Copy();
  readonly #presence: Presence;
  readonly #leases: KeptLeases;
  readonly #checks: Checks;
  readonly #statuses: StatusWriter;
  readonly #waiting = new Waiting();
  readonly #changes: ClientChanges;
  /** When marks of registrations that were taken back are removed. */
  readonly #marks = new Deadlines<Entry>();
  readonly #listeners = new Set<(key: PersistentKey) => void>();
  #keepers: Keepers = [];
  /** The registrations that were not looked at since the sessions have changed, and when the next ones are. */
  #unplaced: Iterator<Entry> = NONE.values();
  #placeMs = Number.POSITIVE_INFINITY;
  #isKnown = false;
  #confirmedMs = Number.NEGATIVE_INFINITY;
  #measureMs = 0;

  constructor(options: KeeperOptions, environment: KeeperEnvironment) {
    const { output, random, metrics } = environment;
    const { id, times, registrationsMax } = options;
    this.#options = options;
    this.#environment = environment;
    this.#presence = new Presence({ id, output, times });
    this.#leases = new KeptLeases({
      ...{ output, random, times },
      health: (entry) => this.#healthOf(entry),
      isConfirmed: (nowMs) => nowMs < this.#confirmedMs + times.unconfirmedMs,
    });
    this.#checks = new Checks({
      ...{ output, random, metrics },
      changed: (record, nowMs) => this.#statusChanged(record, nowMs),
      dead: (record, nowMs) => this.#removeDead(record, nowMs),
    });
    this.#statuses = new StatusWriter({
      output,
      entry: (record) => this.#copy.get(record),
      runs: (record) => this.#checks.of(record),
    });
    this.#changes = new ClientChanges({
      ...{ output, times, registrationsMax },
      copy: this.#copy,
      waiting: this.#waiting,
      isHealthy: (record, checks) => this.#isHealthy(record, checks),
    });
  }

  /** The records have been read. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  find(key: PersistentKey): KeptRegistration | undefined {
    const entry = this.#copy.get(recordIdOf(key));
    return entry !== undefined && isRegistered(entry) ? this.#kept(entry) : undefined;
  }

  *list(serviceKey?: ServiceKey): Generator<KeptRegistration> {
    for (const entry of this.#copy.registered(serviceKey)) yield this.#kept(entry);
  }

  /** Tells of changes from now on. */
  listen(listener: (key: PersistentKey) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The registrations that this session keeps. */
  *keptHere(): Generator<KeptRegistration> {
    for (const entry of this.#copy.registered()) if (this.#leases.has(entry.id)) yield this.#kept(entry);
  }

  /** The numbers of requests that wait, for checks that nothing is forgotten. */
  get unfinished(): { readonly requests: number; readonly statuses: number } {
    return { requests: this.#waiting.size, statuses: this.#statuses.waiting };
  }

  step(event: KeeperEvent, nowMs: number): void {
    switch (event.kind) {
      case "read":
        for (const change of event.changes) this.#copy.take(change);
        break;
      case "changed":
        this.#changed(event.changes, event.revision, nowMs);
        break;
      case "confirmed":
        this.#confirmedMs = Math.max(this.#confirmedMs, event.atMs);
        this.#leases.confirmed(nowMs);
        break;
      case "members":
        this.#presence.membersChanged(event.sessions);
        this.#keepersChanged(nowMs);
        break;
      case "put":
      case "remove":
      case "report":
        this.#asked(event, nowMs);
        break;
      case "passed":
        event.done(this.#take(event.report, nowMs));
        break;
      case "answered":
        event.take(nowMs);
        break;
      case "woken":
    }
    this.#wake(nowMs);
  }

  resumed(lateMs: number, nowMs: number): void {
    this.#checks.resumed(lateMs, nowMs);
  }

  nextWakeMs(): number {
    const parts = [this.#presence, this.#leases, this.#checks, this.#statuses, this.#waiting, this.#changes];
    const ownMs = Math.min(this.#measureMs, this.#marks.nextMs(), this.#placeMs);
    return Math.min(...parts.map((part) => part.nextMs()), this.#isKnown ? ownMs : Number.POSITIVE_INFINITY);
  }

  #wake(nowMs: number): void {
    if (!this.#isKnown) return this.#waiting.wake(nowMs);
    this.#placeNext(nowMs);
    for (const part of [this.#presence, this.#checks, this.#leases, this.#statuses, this.#changes, this.#waiting]) {
      part.wake(nowMs);
    }
    this.#forget(nowMs);
    if (nowMs >= this.#measureMs) this.#measure(nowMs);
  }

  #changed(changes: readonly RecordChange[], revision: bigint, nowMs: number): void {
    const isFirst = !this.#isKnown;
    this.#isKnown = true;
    let hasKeepers = isFirst;
    for (const change of changes) {
      const taken = this.#copy.take(change);
      if (taken?.kind === "keepers") hasKeepers = true;
      else if (taken !== undefined && !isFirst) this.#entryChanged(taken, change.revision, nowMs);
    }
    if (hasKeepers) {
      this.#presence.known(this.#copy.keepers, nowMs);
      this.#keepersChanged(nowMs);
    }
    this.#waiting.reached(revision);
  }

  #entryChanged({ kind, entry, lost }: Exclude<Taken, { kind: "keepers" }>, revision: bigint, nowMs: number): void {
    if (lost !== undefined && this.#leases.has(entry.id)) {
      this.#environment.output.lease(endOf(lost, revision), { untilMs: nowMs + END_MS }, () => undefined);
    }
    if (kind === "registration") this.#place(entry, true, nowMs);
    else this.#checks.stored(entry.id, entry.statuses, nowMs);
    const key = entry.registration ?? entry.takenBack ?? lost;
    if (key !== undefined) for (const listener of this.#listeners) listener(key);
  }

  /** Sessions that keep registrations have come or gone. */
  #keepersChanged(nowMs: number): void {
    this.#keepers = keepersOf(this.#presence.sessions);
    this.#unplaced = this.#copy.entries();
    this.#placeMs = nowMs;
  }

  /** Looks at the next registrations, part by part: the node has other things to do. */
  #placeNext(nowMs: number): void {
    if (this.#placeMs === Number.POSITIVE_INFINITY) return;
    this.#placeMs = nowMs;
    for (let count = 0; count < PLACED_AT_ONCE; count++) {
      const { value: entry, done = false } = this.#unplaced.next();
      if (!done) this.#place(entry, false, nowMs);
      else {
        this.#placeMs = Number.POSITIVE_INFINITY;
        return;
      }
    }
  }

  /** This session begins to keep the registration, goes on with that, or ends it. `isNew`: its record has changed. */
  #place(entry: Entry, isNew: boolean, nowMs: number): void {
    const { id, registration, takenBack, statuses } = entry;
    const { id: own } = this.#options;
    const isHere = keeperOf(id, this.#keepers) === own;
    const isEnded = takenBack !== undefined && (isHere || secondKeeperOf(id, this.#keepers) === own);
    const isKept = (isHere && registration !== undefined) || isEnded;
    if (isHere && registration !== undefined) this.#checks.begin(id, registration.checks, statuses, nowMs);
    else this.#checks.end(id);
    if (isKept) this.#leases.keep(entry, isNew, nowMs);
    else this.#leases.drop(id);
    if (isEnded) this.#marks.set(entry, takenBack.atMs + this.#options.times.takenBackMs);
    else this.#marks.delete(entry);
  }

  /** Forgets registrations that were taken back long ago: no session registers them any more. */
  #forget(nowMs: number): void {
    const { output } = this.#environment;
    for (let entry = this.#marks.take(nowMs); entry !== undefined; entry = this.#marks.take(nowMs)) {
      const key = registrationRecord(entry.id);
      const conditions = [{ kind: "revision", key, revision: entry.revision }] as const;
      this.#marks.set(entry, nowMs + this.#options.times.endAgainMs);
      output.commit({ conditions, operations: [{ kind: "delete", key }] }, () => undefined);
    }
  }

  #asked(event: Asked, nowMs: number): void {
    if (!this.#isKnown) {
      const error = fail("STORE_UNAVAILABLE", { reason: "the records have not been read yet" });
      return event.request.done({ kind: "failed", error });
    }
    if (event.kind === "put") this.#changes.put(event.request, nowMs);
    else if (event.kind === "remove") this.#changes.remove(event.request, nowMs);
    else this.#report(event.request, nowMs);
  }

  #report(request: ReportRequest, nowMs: number): void {
    const { key, check, result, account } = request;
    const entry = this.#copy.get(recordIdOf(key));
    const definition = entry?.registration?.checks.find(({ id }) => id === check);
    if (definition !== undefined && definition.probe === undefined && definition.ttlMs === undefined) {
      return this.#changes.tell(request, nowMs);
    }
    const refusal = this.#waiting.refusal() ?? account.work(nowMs, REPORT_WORK);
    if (refusal !== undefined) return request.done({ kind: "failed", error: refusal });
    this.#waiting.add(request);
    this.#pass(request, { key, check, result }, entry, nowMs);
  }

  /** The session that keeps the registration hears of the report. */
  #pass(request: ReportRequest, report: PassedReport, entry: Entry | undefined, nowMs: number): void {
    const keeper = entry && keeperOf(entry.id, this.#keepers);
    const answer = (passed: PassedAnswer) => {
      if (passed === "unknown") return this.#waiting.end(request, { kind: "unknown" });
      const { registId } = report.key;
      const error = fail("KEEPER_UNREACHABLE", { registId, keeper: keeper ?? "none" });
      if (passed === "unreachable") return this.#waiting.end(request, { kind: "failed", error });
      this.#waiting.end(request, { kind: "done", revision: entry?.revision ?? 0n, isHeard: true });
    };
    if (entry?.registration === undefined) return answer("unknown");
    if (keeper === undefined) return answer("unreachable");
    if (keeper === this.#options.id) return answer(this.#take(report, nowMs));
    this.#environment.output.pass(keeper, report, answer);
  }

  #take({ key, check, result }: PassedReport, nowMs: number): PassedAnswer {
    const id = recordIdOf(key);
    const entry = this.#copy.get(id);
    // Its turn may not have come yet.
    if (entry !== undefined && this.#checks.of(id) === undefined) this.#place(entry, false, nowMs);
    if (this.#checks.of(id) === undefined) return "unreachable";
    return this.#checks.report(id, check, result, nowMs) ? "taken" : "unknown";
  }

  #statusChanged(id: RecordId, nowMs: number): void {
    this.#leases.soon(id, nowMs);
    this.#statuses.changed(id, nowMs);
    const registration = this.#copy.get(id)?.registration;
    if (registration !== undefined) for (const listener of this.#listeners) listener(registration);
  }

  /** A check has been critical for as long as the registration may stay then. */
  #removeDead(id: RecordId, nowMs: number): void {
    const entry = this.#copy.get(id);
    if (entry?.registration === undefined) return;
    const { serviceKey, registId, holder } = entry.registration;
    const key = registrationRecord(id);
    const value = takenBackBytes({ serviceKey, registId, holder, atMs: Math.floor(nowMs) });
    const conditions = [{ kind: "revision", key, revision: entry.revision }] as const;
    const operations = [
      { kind: "put", key, value },
      { kind: "delete", key: statusRecord(id) },
    ] as const;
    this.#environment.metrics.add("roster_persistent_removed_total", 1);
    this.#environment.output.commit({ conditions, operations }, () => undefined);
  }

  #healthOf(entry: Entry) {
    const runs = this.#checks.of(entry.id) ?? [];
    const isHealthy = runs.every(({ status }) => status !== "critical");
    const isSure = runs.every((run) => run.isSure);
    const known = isHealthy ? ("healthy" as const) : ("unhealthy" as const);
    return { known: isSure ? known : ("unsure" as const), isHealthy };
  }

  #isHealthy(id: RecordId, checks: readonly Check[]): boolean {
    return statesOf(checks, this.#checks.of(id), this.#copy.get(id)).every(({ status }) => status !== "critical");
  }

  #kept(entry: Entry & { readonly registration: KeptRegistration["registration"] }): KeptRegistration {
    const { id, registration, revision } = entry;
    const checks = statesOf(registration.checks, this.#checks.of(id), entry);
    const isHealthy = checks.every(({ status }) => status !== "critical");
    return { registration, revision, keeper: keeperOf(id, this.#keepers), checks, isHealthy };
  }

  #measure(nowMs: number): void {
    this.#measureMs = nowMs + MEASURE_MS;
    const { metrics } = this.#environment;
    metrics.set("roster_persistent_registrations", this.#copy.registrations);
    metrics.set("roster_persistent_kept", this.#leases.size);
    metrics.set("roster_checks_running", this.#checks.underWay);
    for (const [status, count] of Object.entries(this.#checks.counts()))
      metrics.set("roster_checks", count, { status });
    metrics.set("roster_check_statuses_waiting", this.#statuses.waiting);
  }
}

const NONE: readonly Entry[] = [];

// As a heartbeat: a look at a table, and a message to another session at most.
const REPORT_WORK = 1 / 20;

/** The checks with their statuses: those that are made here as they are, others as they are stored. */
function statesOf(
  checks: readonly Check[],
  runs: readonly CheckRun[] | undefined,
  entry: Entry | undefined,
): CheckState[] {
  return checks.map((check) => {
    const stored = storedState(check, entry?.statuses ?? new Map());
    const run = runs?.find((one) => one.check.id === check.id);
    return run !== undefined && run.digest === checkDigest(check) ? { ...stateOf(run), check } : stored;
  });
}
