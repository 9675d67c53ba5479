// The meta role in a simulated process, on the store that all meta nodes share.

import { assert } from "../../base/assert.ts";
import { RegistryError } from "../../base/errors.ts";
import { Stepper } from "../../base/stepper.ts";
import type { MetaLinkEvent } from "../../cluster/links/roleEvents.ts";
import { APPS_PREFIX } from "../../meta/appRecords.ts";
import { Meta } from "../../meta/meta.ts";
import type { MetaEvent, MetaOutput } from "../../meta/metaPorts.ts";
import { CONFIG_RECORDS, decodeRecord, SLOT_PAUSE_RECORD, SLOT_TABLE_RECORD } from "../../meta/metaRecords.ts";
import { rulesIn } from "../../meta/operatorRules.ts";
import { RULES_EPOCH_RECORD } from "../../meta/ruleRecords.ts";
import type { SlotPause } from "../../meta/slotPause.ts";
import { leftovers, unfinished } from "../../meta/unfinished.ts";
import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { RuleEdit } from "../../model/rule.ts";
import type { RuleSet } from "../../model/ruleSet.ts";
import type { WholeRange } from "../../records/readAll.ts";
import type { Commit, CommitOutcome, RangePage } from "../../records/records.ts";
import { Witness } from "../../records/witness.ts";
import type { Fact } from "../facts.ts";
import { bug, type MemberEnvironment } from "./environment.ts";
import type { SimProcess } from "./simProcess.ts";
import { acquireLease, leads, pageIn, recordsIn, releaseLease, type Statement, type Store } from "./store.ts";

export interface MetaEnvironment extends MemberEnvironment {
  readonly store: Store;
}

export class MetaHost {
  /** As every backend of records has for its process. */
  readonly witness = new Witness();
  readonly #environment: MetaEnvironment;
  readonly #process: SimProcess;
  readonly #meta: Meta;
  readonly #stepper: Stepper<MetaEvent>;
  // The facts to record when values are set, by request.
  readonly #puts = new Map<number, Fact>();
  #requests = 0;
  /** The newest revision of an answer, for the checkers. */
  #newest = 0n;
  #leaseEpoch = 0n;

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

  /** The leading meta node, as this one knows it. */
  get leader(): NodeId | undefined {
    return this.#meta.leader?.holder;
  }

  /** By its own belief. */
  get isLeading(): boolean {
    return this.#meta.isLeading;
  }

  unfinished(): Iterable<string> {
    return unfinished(this.#meta.parts);
  }

  leftovers(): Iterable<string> {
    return leftovers(this.#meta.parts);
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

  /** An operator pauses the arrangement of slots, or ends the pause (undefined). */
  pauseSlots(pause: Omit<SlotPause, "sinceMs"> | undefined): void {
    const request = ++this.#requests;
    this.#puts.set(request, { kind: "slotsPaused", isPaused: pause !== undefined });
    this.step({ kind: "pauseSlots", request, pause });
  }

  /** An operator wants slots to be arranged now. */
  arrangeSlots(): void {
    this.#environment.record({ kind: "arrangeAsked" });
    this.step({ kind: "arrangeSlots", request: ++this.#requests });
  }

  /** An operator wants another node to lead. */
  stepDown(): void {
    if (this.isLeading) this.#environment.record({ kind: "steppedDown", node: this.#process.id });
    this.step({ kind: "stepDown" });
  }

  /** The rules as of its lead. */
  get rules(): RuleSet {
    return this.#meta.rules;
  }

  /** An operator puts rules, or removes them. */
  changeRules(edit: RuleEdit): void {
    const request = ++this.#requests;
    this.#puts.set(request, { kind: "rulesSet" });
    this.#environment.record({ kind: "rulesAsked", edit });
    this.step({ kind: "changeRules", request, edit });
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
        this.#askRecords(
          ({ table }) => ({ answer: { revision: table.revision, records: recordsIn(table) } }),
          (range) => ({ kind: "loaded", range }),
        ),
      readRecords: (request, query) =>
        this.#askRecords<RangePage | undefined>(
          ({ table }) => ({ answer: pageIn(table, query) }),
          (page) => ({ kind: "recordsRead", request, page }),
        ),
      commit: (number, commit) =>
        this.#askRecords(this.#committing(commit), (outcome) => ({
          kind: "committed",
          number,
          result: outcome ?? { kind: "unknown" },
        })),
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
        const known = { revision: this.witness.revision, leaseEpoch: this.#leaseEpoch };
        const candidate = { holder: id, address: `${machine}:9611` };
        const acquire = acquireLease(candidate, plan.meta.leaderLeaseMs, known);
        const statement: typeof acquire = (state, nowMs) => {
          const done = acquire(state, nowMs);
          if (done.state !== undefined && done.answer.holder === id && done.state.lease.epoch !== state.lease.epoch) {
            record({ kind: "leads", node: id, leaseEpoch: done.state.lease.epoch });
          }
          return done;
        };
        this.#ask(statement, (lease) => {
          if (lease?.holder === id) this.#leaseEpoch = lease.epoch;
          return { kind: "leaseAnswered", lease, askedMs };
        });
      },
      releaseLease: (epoch) => this.#environment.store.ask(this.#process, releaseLease(epoch), () => undefined),
    };
  }

  #committing(commit: Commit): Statement<CommitOutcome> {
    const { id } = this.#process;
    const { record, scheduler } = this.#environment;
    const { nowMs: askedMs } = scheduler;
    return (state, nowMs) => {
      const table = state.table.copy();
      const outcome = table.commit(commit, (epoch) => leads(state, id, { epoch, nowMs }));
      if (outcome.kind === "refused") return { answer: outcome };
      const saved = saveOf(commit);
      const before = saved.table === undefined ? undefined : this.#environment.store.state.slotTable;
      record({ kind: "saved", by: id, ...saved, askedMs, before });
      if (saved.what === "rules") record({ kind: "rulesSaved", rules: rulesIn(recordsIn(table)) });
      return { answer: outcome, state: { ...state, table } };
    };
  }

  /** A statement about records: a copy of the store that lacks what was seen does not answer it. */
  #askRecords<Answer extends WholeRange | RangePage | CommitOutcome | undefined>(
    statement: Statement<Answer>,
    answered: (answer: Answer | undefined) => MetaEvent,
  ): void {
    const seen = this.witness.revision;
    const before = this.#newest;
    const answering = (answer: Answer | undefined) => {
      if (answer !== undefined && "revision" in answer) this.#answered(answer.revision, before);
      return answered(answer);
    };
    this.#ask<Answer | undefined>((state, nowMs) => {
      try {
        this.witness.check(state.table.revision, seen);
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        return { answer: undefined };
      }
      return statement(state, nowMs);
    }, answering);
  }

  #answered(revision: bigint, before: bigint): void {
    this.witness.note(revision);
    if (revision > this.#newest) this.#newest = revision;
    this.#environment.record({ kind: "readRecords", node: this.#process.id, revision, before });
  }

  #ask<Answer>(statement: Statement<Answer>, answered: (answer: Answer | undefined) => MetaEvent): void {
    this.#environment.store.ask(this.#process, statement, (answer) => this.step(answered(answer)));
  }
}

/** The change that a commit of the role saves, for the checkers. */
function saveOf({ conditions, operations }: Commit) {
  const [operation] = operations;
  const leading = conditions.find((condition) => condition.kind === "leads");
  assert(operation !== undefined && leading !== undefined, "a leader's commit has its lease and a change");
  const leaseEpoch = leading.epoch;
  const { key } = operation;
  if (key === SLOT_TABLE_RECORD.prefix && operation.kind === "put") {
    const record = { key, value: operation.value, revision: 0n, createdRevision: 0n };
    return { what: "slot table", leaseEpoch, table: decodeRecord(SLOT_TABLE_RECORD, record) };
  }
  if (key.startsWith(APPS_PREFIX)) return { what: "applications", leaseEpoch, table: undefined };
  if (key === RULES_EPOCH_RECORD.prefix) return { what: "rules", leaseEpoch, table: undefined };
  if (key === SLOT_PAUSE_RECORD.prefix) {
    const what = operation.kind === "put" ? "slot pause" : "end of the slot pause";
    return { what, leaseEpoch, table: undefined };
  }
  const what = key.startsWith(CONFIG_RECORDS.prefix) ? "configuration" : "blocked nodes";
  return { what, leaseEpoch, table: undefined };
}
