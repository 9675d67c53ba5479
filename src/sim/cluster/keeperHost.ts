// The keeper of persistent registrations in a simulated process: on the store that all share, with a virtual network
// for its probes. It reads all of its records each time that it looks, as one that has been cut off would.

import { unlimitedBudget } from "../../base/budget.ts";
import { fail } from "../../base/errors.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { ProbeOutcome } from "../../base/probes.ts";
import { Stepper } from "../../base/stepper.ts";
import type { NodeId } from "../../model/ids.ts";
import type { RecordChange } from "../../persistent/copy.ts";
import { Keeper } from "../../persistent/keeper.ts";
import type { KeeperEvent, KeeperOutput } from "../../persistent/keeperPorts.ts";
import { PERSISTENT_PREFIX } from "../../persistent/recordForm.ts";
import { keysWith } from "../../records/keys.ts";
import type { CommitOutcome, RangePage, StoredRecord } from "../../records/records.ts";
import type { Registry } from "../../registry/registry.ts";
import { isTargetUp, SIM_KEEPER_TIMES } from "../keptServices.ts";
import { bug, type SimEnvironment } from "./environment.ts";
import type { SimProcess } from "./simProcess.ts";
import { pageIn, type Statement, type Store } from "./store.ts";

export interface KeeperHostEnvironment extends SimEnvironment {
  readonly store: Store;
}

interface Parts {
  readonly registry: Registry;
  readonly sessions: () => readonly NodeId[];
}

const LOOK_MS = 300;
const PROBE_MS = 100;
const REGISTRATIONS_MAX = 1_000;

export class KeeperHost {
  readonly keeper: Keeper;
  readonly #environment: KeeperHostEnvironment;
  readonly #process: SimProcess;
  readonly #parts: Parts;
  readonly #stepper: Stepper<KeeperEvent>;
  readonly #account = unlimitedBudget().open("10.9.0.2");
  #known = new Map<string, StoredRecord>();
  #sessions = "";
  #isClosed = false;

  constructor(environment: KeeperHostEnvironment, process: SimProcess, parts: Parts) {
    this.#environment = environment;
    this.#process = process;
    this.#parts = parts;
    const { id, time } = process;
    const options = { id, registrationsMax: REGISTRATIONS_MAX, times: SIM_KEEPER_TIMES };
    const random = environment.dice.fork();
    this.keeper = new Keeper(options, { output: this.#output(), random, metrics: noMetrics });
    this.#stepper = new Stepper<KeeperEvent>(this.keeper, { ...time, failed: (error) => bug(environment, id, error) });
    this.step({ kind: "woken" });
    this.#look();
  }

  step(event: KeeperEvent): void {
    this.#stepper.step(event);
  }

  close(): void {
    this.#isClosed = true;
    this.#stepper.close();
  }

  /** Looks at the store and at the members, again and again. */
  #look(): void {
    if (this.#isClosed) return;
    const { timers } = this.#process.time;
    timers.after(LOOK_MS, () => this.#look());
    const sessions = this.#parts.sessions();
    if (sessions.join() !== this.#sessions) {
      this.#sessions = sessions.join();
      this.step({ kind: "members", sessions });
    }
    this.#read();
  }

  #read(): void {
    const askedMs = this.#process.time.clock.nowMs();
    const read: Statement<RangePage | undefined> = ({ table }) => ({
      answer: pageIn(table, keysWith(PERSISTENT_PREFIX)),
    });
    this.#environment.store.ask(this.#process, read, (page) => {
      if (page === undefined || this.#isClosed) return;
      this.#take(page);
      this.step({ kind: "confirmed", atMs: askedMs });
    });
  }

  #take({ records, revision }: RangePage): void {
    const old = this.#known;
    this.#known = new Map(records.map((record) => [record.key, record]));
    const changes: RecordChange[] = [];
    for (const { key, revision: at, value } of records) {
      if (old.get(key)?.revision !== at) changes.push({ key, revision: at, value });
      old.delete(key);
    }
    for (const key of old.keys()) changes.push({ key, revision, value: undefined });
    if (changes.length > 0 || !this.keeper.isKnown) this.step({ kind: "changed", changes, revision });
  }

  #output(): KeeperOutput {
    const { scheduler, plan, store, record, dice } = this.#environment;
    const { gate, id, time } = this.#process;
    const answered = (take: (nowMs: number) => void) => {
      if (this.#isClosed) return;
      this.step({ kind: "answered", take });
    };
    const later = (afterMs: number, take: (nowMs: number) => void) =>
      scheduler.after(afterMs, () => gate.message(() => answered(take)));
    return {
      lease: (lease, { account = this.#account, untilMs }, done) => {
        const asker = {
          answer: (answer: Parameters<typeof done>[0]) => void later(0, (nowMs) => done(answer, nowMs)),
        };
        // A keeper is stepped by others' steps, and may not be in one of the session's.
        scheduler.after(0, () => {
          if (!this.#isClosed) this.#parts.registry.step({ ...lease, asker, account, untilMs }, time.clock.nowMs());
        });
      },
      commit: (commit, done) => {
        const write: Statement<CommitOutcome> = (state) => {
          const table = state.table.copy();
          const outcome = table.commit(commit, () => false);
          return { answer: outcome, state: { ...state, table } };
        };
        store.ask(this.#process, write, (outcome) => {
          answered((nowMs) => done(outcome ?? fail("STORE_OUTCOME_UNKNOWN", {}), nowMs));
          this.#read();
        });
      },
      probe: (probe, _, done) => {
        record({ kind: "keptProbed", node: id, port: probe.port });
        return later(1 + dice.below(PROBE_MS), (nowMs) => {
          const isUp = isTargetUp(probe.port, plan, scheduler.nowMs);
          const outcome: ProbeOutcome = { result: isUp ? "passing" : "critical", output: isUp ? "up" : "down" };
          done(outcome, nowMs);
        });
      },
      pass: (_session, _report, done) => void later(1, (nowMs) => done("unreachable", nowMs)),
    };
  }
}
