// The tools of a scenario: the cluster, its network and database, the clients, and the stopwatch.

import { setTimeout as sleep } from "node:timers/promises";
import type { Fleet } from "./clients/fleet.ts";
import type { Change, OwnRegistration, Workload } from "./clients/workload.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { Store } from "./cluster/store.ts";
import { monotonicMs } from "./history/event.ts";
import type { AllowedAbsence } from "./history/judge.ts";
import type { Network } from "./net/network.ts";
import type { Relays } from "./net/relays.ts";

export interface StageOptions {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly store: Store;
  readonly fleet: Fleet;
  readonly workload: Workload;
  /** For files of the scenario. */
  readonly dir: string;
  /** Long faults at their full length. */
  readonly isFull: boolean;
  readonly netemMissing: string | undefined;
  /** Delays connections where there is no netem; only if the scenario asks for it. */
  readonly relays: Relays | undefined;
}

/** The measurements of a scenario, in milliseconds; absent if one does not apply. */
export interface Times {
  /** Until the cluster, or the clients, knew. */
  detectionMs?: number;
  /** Until a change made right after the fault was shown to all its subscribers. */
  firstPushMs?: number;
  /** From the fault, or from its end if it was taken away, until everything was as it should be. */
  convergenceMs?: number;
}

export interface ChangesOptions {
  /** When the fault began. */
  readonly sinceMs: number;
  /** After so long it is a failure. */
  readonly limitMs: number;
  /** Whether the fault hits this service: how long its change took is the time of the first right push. */
  readonly isHarmed?: (service: string) => boolean;
  readonly mayChange?: (registration: OwnRegistration) => boolean;
  /** Whose subscriptions are waited for; everybody's if nothing is said. */
  readonly isAwaited?: (client: string) => boolean;
}

// Longer than the longest fault that is waited for.
const CHANGE_SHOWN_MS_MAX = 90_000;

export class Stage {
  readonly cluster: Cluster;
  readonly network: Network;
  readonly store: Store;
  readonly fleet: Fleet;
  readonly workload: Workload;
  readonly dir: string;
  readonly isFull: boolean;
  readonly netemMissing: string | undefined;
  readonly relays: Relays | undefined;
  readonly times: Times = {};
  readonly absences: AllowedAbsence[] = [];
  /** The scenario's own failures. */
  readonly failures: string[] = [];
  /** Printed after the findings if there are any. */
  readonly explanations: (() => readonly string[])[] = [];
  /** For the table. */
  readonly notes: string[] = [];
  /** The last time at which something was done to the cluster: faults and their ends. */
  lastActMs = 0;
  /** And the first one. */
  firstActMs = 0;
  /** When the fault was taken away, if it was one that can be. */
  healedMs: number | undefined;
  #stopChurn: (() => Promise<void>) | undefined;

  constructor(options: StageOptions) {
    this.cluster = options.cluster;
    this.network = options.network;
    this.store = options.store;
    this.fleet = options.fleet;
    this.workload = options.workload;
    this.dir = options.dir;
    this.isFull = options.isFull;
    this.netemMissing = options.netemMissing;
    this.relays = options.relays;
  }

  /** Does something to the cluster; its time is that of the beginning. */
  async act(what: string, action: () => void | Promise<void>): Promise<number> {
    this.lastActMs = monotonicMs();
    if (this.firstActMs === 0) this.firstActMs = this.lastActMs;
    this.fleet.record({ kind: "fault", t: this.lastActMs, what });
    const at = this.lastActMs;
    await action();
    return at;
  }

  /** Takes the fault away again, and changes something everywhere. Convergence is measured from here. */
  async heal(what: string, action: () => void | Promise<void>): Promise<void> {
    await this.stopChurn();
    this.healedMs = await this.act(what, action);
    this.workload.changeEverything();
  }

  startChurn(perSecond: number, mayChange?: (registration: OwnRegistration) => boolean): void {
    this.#stopChurn = this.workload.churn(perSecond, mayChange);
  }

  async stopChurn(): Promise<void> {
    await this.#stopChurn?.();
    this.#stopChurn = undefined;
  }

  /** Changes something in every service, right now, and waits until everybody shows it. Times count from the fault. */
  async changesAreShown({
    sinceMs,
    limitMs,
    isHarmed = () => true,
    mayChange,
    isAwaited,
  }: ChangesOptions): Promise<void> {
    const changes = this.workload.changeEverything(mayChange);
    const done = this.workload.guard(changes);
    const harmed = changes.filter(({ registration }) => isHarmed(registration.service));
    const firstPushMs = await this.#allShown(harmed, sinceMs, isAwaited);
    const convergenceMs = await this.#allShown(changes, sinceMs, isAwaited);
    done();
    if (firstPushMs === undefined || convergenceMs === undefined) return;
    Object.assign(this.times, { firstPushMs, convergenceMs });
    if (convergenceMs > limitMs) this.fail(`changes were shown after ${ms(convergenceMs)}, ${ms(limitMs)} allowed`);
  }

  /** Waits for what shows that the fault was noticed. */
  async noticed(sinceMs: number, limitMs: number, condition: () => Promise<boolean>): Promise<void> {
    const isNoticed = await this.cluster.until(limitMs, condition);
    if (isNoticed) this.times.detectionMs = monotonicMs() - sinceMs;
    else this.failures.push(`nobody noticed within ${ms(limitMs)}`);
  }

  /** How long that is ago. */
  sinceMs(atMs: number): number {
    return monotonicMs() - atMs;
  }

  /** Clients that are connected to this session now. */
  clientsOf(session: string): ReadonlySet<string> {
    const connected = [...this.fleet.records.connections].filter(([, to]) => to.session === session);
    return new Set(connected.map(([client]) => client));
  }

  pause(durationMs: number): Promise<void> {
    return sleep(durationMs);
  }

  /** Keeps what may explain a failure. */
  explain(explanation: () => readonly string[]): void {
    this.explanations.push(explanation);
  }

  fail(what: string): void {
    this.failures.push(what);
  }

  /** How long after `sinceMs` the last of the changes was shown by the last subscriber; undefined if one never was. */
  async #allShown(
    changes: readonly Change[],
    sinceMs: number,
    isAwaited: (client: string) => boolean = () => true,
  ): Promise<number | undefined> {
    const waiting = new Set(changes);
    let lastMs = sinceMs;
    const isOver = await this.fleet.until(() => {
      for (const change of waiting) {
        const atMs = this.workload.shownEverywhere(change, isAwaited);
        if (atMs === undefined) continue;
        lastMs = Math.max(lastMs, atMs);
        waiting.delete(change);
      }
      return waiting.size === 0;
    }, CHANGE_SHOWN_MS_MAX);
    if (isOver) return lastMs - sinceMs;
    for (const { registration, version } of waiting) {
      this.fail(`${registration.name}~${version} was not shown to all within ${ms(CHANGE_SHOWN_MS_MAX)}`);
    }
    return undefined;
  }
}

export function ms(durationMs: number): string {
  return `${Math.round(durationMs)} ms`;
}
