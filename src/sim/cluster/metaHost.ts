// The meta role in a simulated process, on the store that all meta nodes share.

import { Stepper } from "../../base/stepper.ts";
import type { MetaLinkEvent } from "../../cluster/links/roleEvents.ts";
import { Meta } from "../../meta/meta.ts";
import type { MetaEvent, MetaOutput } from "../../meta/metaPorts.ts";
import { saveOutcome } from "../../meta/saveOutcome.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import { bug, type MemberEnvironment } from "./environment.ts";
import type { SimProcess } from "./simProcess.ts";
import { acquireLease, fenced, releaseLease, type Statement, type Store, type StoreState } from "./store.ts";

export interface MetaEnvironment extends MemberEnvironment {
  readonly store: Store;
}

export class MetaHost {
  readonly #environment: MetaEnvironment;
  readonly #process: SimProcess;
  readonly #meta: Meta;
  readonly #stepper: Stepper<MetaEvent>;
  // The facts to record when values are set, by request.
  readonly #puts = new Map<number, Fact>();
  #requests = 0;

  constructor(environment: MetaEnvironment, process: SimProcess) {
    this.#environment = environment;
    this.#process = process;
    const { plan, record } = environment;
    const { id, time } = process;
    record({ kind: "started", node: id, role: "meta", machine: process.machine });
    this.#meta = new Meta({ ...plan.meta, id }, this.#output());
    const failed = (error: unknown) => bug(environment, id, error);
    this.#stepper = new Stepper<MetaEvent>(this.#meta, { ...time, failed });
  }

  /** By its own belief. */
  get isLeading(): boolean {
    return this.#meta.isLeading;
  }

  unfinished(): Iterable<string> {
    return this.#meta.unfinished();
  }

  leftovers(): Iterable<string> {
    return this.#meta.leftovers();
  }

  step(event: MetaEvent): void {
    this.#stepper.step(event);
  }

  /** Steps the role with an event of the process's links. */
  heard(event: MetaLinkEvent): void {
    if (event.kind === "received" && event.message.kind === "heartbeat") {
      const { from, message } = event;
      this.#environment.record({ kind: "reported", to: this.#process.id, from, message });
    }
    this.step(event);
  }

  /** An operator sets a value, or removes it. */
  putConfig(serviceKey: ServiceKey, data: string | null): void {
    const request = ++this.#requests;
    this.#puts.set(request, { kind: "configSet", service: serviceKey, data });
    this.#environment.record({ kind: "configAsked", service: serviceKey, data });
    this.step({ kind: "putConfig", request, serviceKey, data });
  }

  close(): void {
    this.#stepper.close();
    this.#environment.record({ kind: "stopped", node: this.#process.id, role: "meta" });
  }

  #output(): MetaOutput {
    const { record, links } = this.#environment;
    const { id } = this.#process;
    return {
      send: (to, message) => {
        if (!this.#process.isRunning) return;
        if (message.kind !== "config") record({ kind: "ruled", from: id, to, message });
        links.toMember(to, message);
      },
      ...this.#leaseOutput(),
      versionRefused: ({ what, version }) => bug(this.#environment, id, `${what}: ${version} was not believed`),
      load: () =>
        this.#ask<StoreState>(
          (state) => ({ answer: state }),
          (state) => ({ kind: "loaded", state }),
        ),
      saveSlotTable: (table, { tableEpoch, leaseEpoch }) =>
        this.#save(
          { what: "slot table", leaseEpoch, table },
          (state) => (state.slotTable?.epoch === tableEpoch ? { ...state, slotTable: table } : undefined),
          (answer) => ({ kind: "slotTableSaved", table, outcome: saveOutcome(answer) }),
        ),
      saveConfig: (value, leaseEpoch) =>
        this.#save(
          { what: "configuration", leaseEpoch, table: undefined },
          (state) => {
            const known = state.configs.get(value.serviceKey);
            if (known !== undefined && known.version >= value.version) return undefined;
            return { ...state, configs: new Map(state.configs).set(value.serviceKey, value) };
          },
          (answer) => ({ kind: "configSaved", value, outcome: saveOutcome(answer) }),
        ),
      saveNodeBlocked: (node, isBlocked, leaseEpoch) =>
        this.#save(
          { what: "blocked nodes", leaseEpoch, table: undefined },
          (state) => ({ ...state, blockedNodes: withNode(state.blockedNodes, node, isBlocked) }),
          (answer) => ({ kind: "nodeBlocked", node, isBlocked, outcome: saveOutcome(answer) }),
        ),
      answer: (request, error) => {
        const put = this.#puts.get(request);
        this.#puts.delete(request);
        if (put !== undefined && error === undefined) record(put);
      },
    };
  }

  #leaseOutput(): Pick<MetaOutput, "acquireLease" | "releaseLease"> {
    const { plan, record } = this.#environment;
    const { id, machine, time } = this.#process;
    return {
      acquireLease: () => {
        const askedMs = time.clock.nowMs();
        const acquire = acquireLease({ holder: id, address: `${machine}:9611` }, plan.meta.leaderLeaseMs);
        const statement: typeof acquire = (state, nowMs) => {
          const done = acquire(state, nowMs);
          if (done.state !== undefined && done.state.lease.epoch !== state.lease.epoch) {
            record({ kind: "leads", node: id, leaseEpoch: done.state.lease.epoch });
          }
          return done;
        };
        this.#ask(statement, (lease) => ({ kind: "leaseAnswered", lease, askedMs }));
      },
      releaseLease: (epoch) => this.#environment.store.ask(this.#process, releaseLease(epoch), () => undefined),
    };
  }

  #save(
    what: { what: string; leaseEpoch: bigint; table: SlotTable | undefined },
    change: (state: StoreState) => StoreState | undefined,
    answer: (isSaved: boolean | undefined) => MetaEvent,
  ): void {
    const statement = fenced(what.leaseEpoch, change);
    const { nowMs: askedMs } = this.#environment.scheduler;
    this.#ask((state, nowMs) => {
      const done = statement(state, nowMs);
      const before = what.table === undefined ? undefined : state.slotTable;
      if (done.answer) this.#environment.record({ kind: "saved", by: this.#process.id, ...what, askedMs, before });
      return done;
    }, answer);
  }

  #ask<Answer>(statement: Statement<Answer>, answered: (answer: Answer | undefined) => MetaEvent): void {
    this.#environment.store.ask(this.#process, statement, (answer) => this.step(answered(answer)));
  }
}

function withNode(nodes: ReadonlySet<string>, node: string, isBlocked: boolean): ReadonlySet<string> {
  const changed = new Set(nodes);
  if (isBlocked) changed.add(node);
  else changed.delete(node);
  return changed;
}
