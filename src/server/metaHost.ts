// The role meta in its process: its saves and questions go to the store, and come back to it as events. A call that the
// store did not answer comes back as "unknown", never as "no".

import { fail, RegistryError } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log, LogFields } from "../base/ports.ts";
import { Stepper, type StepperEnvironment } from "../base/stepper.ts";
import type { Member, MetaToMember } from "../cluster/messages/membership.ts";
import { Meta } from "../meta/meta.ts";
import type { MetaEvent, MetaOptions, MetaOutput } from "../meta/metaPorts.ts";
import type { CommitResult } from "../meta/saveOutcome.ts";
import type { SlotPause } from "../meta/slotPause.ts";
import { nodeNameOf, type ServiceKey } from "../model/ids.ts";
import type { RuleEdit } from "../model/rule.ts";
import type { SlotTable } from "../model/slot.ts";
import type { CommitOutcome } from "../records/records.ts";
import { measureMeta } from "./measureMeta.ts";
import type { RunningStore } from "./openMetaStore.ts";
import { PendingAnswers } from "./pendingAnswers.ts";
import { versionRefused } from "./versionRefused.ts";

export interface MetaHostEnvironment extends StepperEnvironment {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly store: RunningStore;
  readonly send: (to: Member, message: MetaToMember) => void;
  /** The HTTP address of this node for operators: `host:port`. */
  readonly httpAddress: () => string;
  /** Whether another meta node can be reached. */
  readonly hasOtherMeta: () => boolean;
}

export class MetaHost {
  readonly meta: Meta;
  readonly #options: MetaOptions;
  readonly #environment: MetaHostEnvironment;
  readonly #stepper: Stepper<MetaEvent>;
  readonly #answers = new PendingAnswers();
  readonly #underWay = new Set<Promise<unknown>>();
  #isStoreReachable = true;
  #wasLeading = false;
  #shownTable: SlotTable | undefined;
  #shownBlocked: number | undefined;

  constructor(options: MetaOptions, environment: MetaHostEnvironment) {
    this.#options = options;
    this.#environment = environment;
    this.meta = new Meta(options, this.#output());
    this.#stepper = new Stepper<MetaEvent>(this.meta, environment);
  }

  step(event: MetaEvent): void {
    this.#stepper.step(event);
    if (this.meta.isLeading !== this.#wasLeading) this.#leadChanged();
    if (this.meta.slotTable !== this.#shownTable) this.#tableChanged();
    const blocked = this.meta.isLeading ? this.meta.blockedNodes.size : 0;
    if (blocked !== this.#shownBlocked) this.#environment.metrics.set("roster_nodes_blocked", blocked);
    this.#shownBlocked = blocked;
  }

  /** Whether the last call to the store was answered. */
  get isStoreReachable(): boolean {
    return this.#isStoreReachable;
  }

  /** Sets the gauges that are not set when something changes. */
  measure(): void {
    const { metrics } = this.#environment;
    measureMeta(this.meta, metrics);
    metrics.set("roster_meta_leader", this.meta.isLeading ? 1 : 0);
    metrics.set("roster_store_reachable", this.#isStoreReachable ? 1 : 0);
    metrics.set("roster_queue_length", this.#underWay.size, { queue: "store" });
  }

  /**
   * Stores a value, or removes it with null; with `ifVersion` only if the value has this version (0: there is none).
   */
  putConfig(serviceKey: ServiceKey, data: string | null, ifVersion?: bigint): Promise<void> {
    const condition = ifVersion === undefined ? {} : { ifVersion };
    return this.#answers.ask((request) => this.step({ kind: "putConfig", request, serviceKey, data, ...condition }));
  }

  /** The reason why a node would not be blocked or unblocked; undefined if it would. */
  blockRefusal(node: string, isBlocked: boolean): RegistryError | undefined {
    const isOwn = node === nodeNameOf(this.#options.id);
    // A blocked process with a session ends, and only a meta node could unblock it.
    if (isBlocked && isOwn && !this.#environment.hasOtherMeta()) return fail("NODE_NEEDED", { node, role: "meta" });
    return this.meta.blockRefusal({ node, isBlocked });
  }

  async blockNode(node: string, isBlocked: boolean): Promise<void> {
    const refusal = this.blockRefusal(node, isBlocked);
    if (refusal !== undefined) throw refusal;
    await this.#answers.ask((request) => this.step({ kind: "blockNode", request, node, isBlocked }));
    if (isBlocked) this.#environment.log.warn("a node was blocked", { node, toUnblock: `roster unblock ${node}` });
    else this.#environment.log.info("a node was unblocked", { node });
  }

  /** Puts and removes rules at once, or none of them. Rejects with RULE_CHANGED, FIELD_INVALID or RULES_EXHAUSTED. */
  changeRules(edit: RuleEdit): Promise<void> {
    return this.#answers.ask((request) => this.step({ kind: "changeRules", request, edit }));
  }

  /** Pauses the arrangement of slots, or ends the pause (undefined). Rejects with a RegistryError. */
  async pauseSlots(pause: Omit<SlotPause, "sinceMs"> | undefined): Promise<void> {
    await this.#answers.ask((request) => this.step({ kind: "pauseSlots", request, pause }));
    const { log } = this.#environment;
    if (pause === undefined) log.info("slots are arranged again");
    else log.warn("the arrangement of slots is paused", { ...pause, toResume: "roster slots resume" });
  }

  /** Arranges slots now, in a pause, too. Resolves when the table is saved, or right. Rejects with SLOTS_FROZEN. */
  arrangeSlots(): Promise<void> {
    return this.#answers.ask((request) => this.step({ kind: "arrangeSlots", request }));
  }

  /** The reason why this node would not give the lead up; undefined if it would. */
  stepDownRefusal(): RegistryError | undefined {
    if (!this.meta.isLeading) return fail("NOT_META_LEADER", { leader: this.meta.leader?.address ?? "unknown" });
    // With no other node the cluster would have no leader until this one takes the lead again.
    const node = nodeNameOf(this.#options.id);
    return this.#environment.hasOtherMeta() ? undefined : fail("NODE_NEEDED", { node, role: "meta" });
  }

  /** Gives the lead to another meta node; resolves when the store knows. */
  async stepDown(): Promise<void> {
    const refusal = this.stepDownRefusal();
    if (refusal !== undefined) throw refusal;
    this.#environment.log.info("this meta node gives the lead up, as an operator has asked");
    this.step({ kind: "stepDown" });
    await Promise.allSettled([...this.#underWay]);
  }

  /** Releases the lead, so that another meta node has it at once; resolves when the store knows. */
  async resign(): Promise<void> {
    this.step({ kind: "resign" });
    await Promise.allSettled([...this.#underWay]);
  }

  close(): void {
    this.#stepper.close();
  }

  #output(): MetaOutput {
    const { store, send, clock, httpAddress, log, metrics } = this.#environment;
    const { id, leaderLeaseMs } = this.#options;
    return {
      send,
      versionRefused: (claim) => versionRefused(claim, { log, metrics }),
      acquireLease: () => {
        const askedMs = clock.nowMs();
        const candidate = { holder: id, address: httpAddress() };
        this.#ask(store.acquireLease(candidate, leaderLeaseMs), (lease) => ({ kind: "leaseAnswered", lease, askedMs }));
      },
      releaseLease: (epoch) => this.#ask(store.releaseLease(epoch), () => undefined),
      load: () => this.#ask(store.load(), (range) => ({ kind: "loaded", range })),
      readRecords: (request, query) =>
        this.#ask(store.range(query), (page) => ({
          kind: "recordsRead",
          request,
          page: page?.kind === "page" ? page : undefined,
        })),
      commit: (number, commit) =>
        this.#ask(resultOf(store.commit(commit)), (result) => ({
          kind: "committed",
          number,
          result: result ?? { kind: "unknown" },
        })),
      answer: (request, error) => this.#answers.answer(request, error),
    };
  }

  /** Steps the role with the result of a call, if it wants it: undefined if the store failed. */
  #ask<Answer>(call: Promise<Answer>, toEvent: (answer: Answer | undefined) => MetaEvent | undefined): void {
    const answered = (answer: Answer | undefined) => {
      const event = toEvent(answer);
      if (event !== undefined) this.step(event);
    };
    const done = call.then(
      (answer) => {
        this.#storeAnswered();
        answered(answer);
      },
      (error: unknown) => {
        this.#storeFailed(error);
        answered(undefined);
      },
    );
    this.#underWay.add(done);
    void done.finally(() => this.#underWay.delete(done));
  }

  #leadChanged(): void {
    const { log, metrics } = this.#environment;
    this.#wasLeading = this.meta.isLeading;
    metrics.set("roster_meta_leader", this.#wasLeading ? 1 : 0);
    log.info(this.#wasLeading ? "this meta node leads" : "this meta node no longer leads");
  }

  /** One line for each node and reason: the number of slots that it has begun or ceased to lead or follow. */
  #tableChanged(): void {
    this.#shownTable = this.meta.slotTable;
    if (this.#shownTable === undefined || !this.meta.isLeading) return;
    const { epoch } = this.#shownTable;
    const counts = new Map<string, LogFields & { readonly slots: number }>();
    for (const { node, change, reason } of this.meta.slotChanges) {
      const key = `${node} ${change} ${reason}`;
      counts.set(key, { epoch, node, change, reason, slots: (counts.get(key)?.slots ?? 0) + 1 });
    }
    for (const fields of counts.values()) this.#environment.log.info("slots have changed", fields);
  }

  #storeAnswered(): void {
    const { log, metrics } = this.#environment;
    if (!this.#isStoreReachable) log.info("the store answers again");
    this.#isStoreReachable = true;
    metrics.set("roster_store_reachable", 1);
  }

  #storeFailed(error: unknown): void {
    const { log, metrics, failed } = this.#environment;
    if (!(error instanceof RegistryError)) return failed(error);
    if (this.#isStoreReachable) {
      log.error("the store does not answer; members and slots stay as they are until it does", {
        reason: error.message,
      });
    }
    this.#isStoreReachable = false;
    metrics.set("roster_store_reachable", 0);
  }
}

/** A commit that is too large was certainly not made; its operator hears the reason. */
async function resultOf(outcome: Promise<CommitOutcome>): Promise<CommitResult> {
  try {
    return await outcome;
  } catch (error) {
    if (error instanceof RegistryError && error.code === "RECORD_TOO_LARGE") return { kind: "failed", error };
    throw error;
  }
}
