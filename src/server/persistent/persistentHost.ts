// The keeper of persistent registrations in its process, with its way to the store, the registry, the network and the
// other sessions, and the registrations as the protocols see them.

import type { Budget } from "../../base/budget.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Cancel, Log, Random } from "../../base/ports.ts";
import type { Probes } from "../../base/probes.ts";
import { Stepper, type StepperEnvironment } from "../../base/stepper.ts";
import type { NodeId } from "../../model/ids.ts";
import { Keeper } from "../../persistent/keeper.ts";
import { KEEPER_TIMES, type KeeperEvent, type KeeperOutput, type PassedReport } from "../../persistent/keeperPorts.ts";
import type { ProbeRules } from "../../persistent/probeRules.ts";
import { PERSISTENT_PREFIX } from "../../persistent/recordForm.ts";
import type { AnswerNode, OtherNodes } from "../../protocols/kit/gateway.ts";
import type { GatewayRecords } from "../../records/gatewayRecords.ts";
import { type CopyChange, RecordCopy } from "../../records/recordCopy.ts";
import type { PersistentRegistrations } from "../../registry/persistent.ts";
import type { Registry } from "../../registry/registry.ts";
import { passedAnswerIn, passedJson, readPassed } from "./passedReports.ts";

export interface PersistentHostEnvironment extends StepperEnvironment {
  readonly id: NodeId;
  readonly registrationsMax: number;
  readonly registry: Registry;
  readonly records: GatewayRecords;
  /** The sessions that are members of the cluster, as this node has heard last. */
  readonly sessions: () => readonly NodeId[];
  readonly others: OtherNodes;
  readonly budget: Budget;
  readonly probes: Probes;
  readonly rules: ProbeRules;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Persistent registrations at a node with the role session. */
export interface PersistentHost {
  readonly registrations: PersistentRegistrations;
  readonly keeper: Keeper;
  /** Answers the sessions to which reports have come. */
  readonly answer: AnswerNode;
  begin(): void;
  /** May be called twice. */
  close(): void;
}

// A look at a list of a few nodes.
const CHECK_MS = 500;
const CONFIRM_MS = 10_000;
const PASS_MS = 3_000;
// Some 5 µs each.
const READ_AT_ONCE = 1_000;
// Each registration may have a record of its statuses, and a mark stays for a while.
const RECORDS_PER_REGISTRATION = 3;

export function openPersistentHost(environment: PersistentHostEnvironment): PersistentHost {
  const { id, registrationsMax, records, random, metrics, log, clock, timers, failed, rules } = environment;
  const copy = new RecordCopy({
    records,
    prefix: PERSISTENT_PREFIX,
    recordsMax: registrationsMax * RECORDS_PER_REGISTRATION + 10_000,
    unread: (error) => log.warn("persistent registrations can't be read from the store", { reason: error.message }),
    failed,
  });
  const step = (event: KeeperEvent) => stepper.step(event);
  const options = { id, registrationsMax, times: KEEPER_TIMES };
  const keeper = new Keeper(options, { output: outputOf(environment, copy, step), random, metrics });
  const stepper = new Stepper<KeeperEvent>(keeper, { clock, timers, failed });
  let isClosed = false;
  // Events of the records in order, one in each turn of the event loop while several wait.
  const inOrder: (() => void)[] = [];
  const takeNext = () => {
    if (isClosed) return;
    inOrder[0]?.();
    inOrder.shift();
    if (inOrder.length > 0) timers.after(0, takeNext);
  };
  const stepInOrder = (event: () => KeeperEvent) => {
    if (inOrder.push(() => step(event())) === 1) takeNext();
  };
  let isRead = false;
  copy.listen((changes) => {
    const { revision } = copy;
    const rest = changes.map(changeOf);
    while (!isRead && rest.length > READ_AT_ONCE) {
      const part = rest.splice(0, READ_AT_ONCE);
      stepInOrder(() => ({ kind: "read", changes: part }));
    }
    isRead = true;
    stepInOrder(() => ({ kind: "changed", changes: rest, revision }));
  });
  let cancel: Cancel = () => undefined;
  let sessions = "";
  let confirmMs = 0;
  const check = (nowMs: number) => {
    if (isClosed) return;
    cancel = timers.after(CHECK_MS, check);
    copy.check(nowMs);
    const members = environment.sessions();
    if (members.join() !== sessions) {
      sessions = members.join();
      step({ kind: "members", sessions: members });
    }
    if (nowMs < confirmMs) return;
    confirmMs = nowMs + CONFIRM_MS;
    confirm(nowMs).catch(failed);
  };
  /** The copy has everything that was stored when it was asked. */
  const confirm = async (atMs: number) => {
    try {
      const revision = await copy.catchUp();
      // An empty store has no changes to tell.
      if (!isRead) stepInOrder(() => ({ kind: "changed", changes: [], revision }));
      isRead = true;
      stepInOrder(() => ({ kind: "confirmed", atMs }));
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      // The store is away: the next time comes.
      confirmMs = atMs + CHECK_MS;
    }
  };
  return {
    keeper,
    registrations: registrationsOf(keeper, rules, step),
    answer: ({ parameters }) => {
      const { promise, resolve } = Promise.withResolvers<unknown>();
      step({ kind: "passed", report: readPassed(parameters), done: (answer) => resolve({ answer }) });
      return promise;
    },
    begin() {
      step({ kind: "woken" });
      check(clock.nowMs());
    },
    close() {
      isClosed = true;
      cancel();
      copy.close();
      stepper.close();
    },
  };
}

function changeOf({ key, revision, after }: CopyChange) {
  return { key, revision, value: after?.value };
}

function registrationsOf(
  keeper: Keeper,
  rules: ProbeRules,
  step: (event: KeeperEvent) => void,
): PersistentRegistrations {
  // An answer may come within the step that asked.
  const later = <Request extends { readonly done: (answer: never) => void }>(request: Request): Request => {
    return { ...request, done: (answer: never) => void setImmediate(() => request.done(answer)) };
  };
  return {
    get isKnown() {
      return keeper.isKnown;
    },
    find: (key) => keeper.find(key),
    list: (serviceKey) => keeper.list(serviceKey),
    put: (request) => step({ kind: "put", request: later(request) }),
    remove: (request) => step({ kind: "remove", request: later(request) }),
    report: (request) => step({ kind: "report", request: later(request) }),
    onChange: (listener) => keeper.listen(listener),
    checkRefusal({ probe }) {
      const denial = probe && rules.denial(probe);
      if (denial === undefined) return undefined;
      return denial === "off" ? fail("ACTIVE_CHECKS_OFF", {}) : fail("ADDRESS_DENIED", { host: probe?.host ?? "" });
    },
  };
}

function outputOf(
  { registry, budget, clock, probes, others, failed }: PersistentHostEnvironment,
  copy: RecordCopy,
  step: (event: KeeperEvent) => void,
): KeeperOutput {
  const answered = (take: (nowMs: number) => void) => step({ kind: "answered", take });
  // The work of the keeper itself is counted like that of a client on this machine.
  const own = budget.open("keeper");
  return {
    lease(lease, { account = own, untilMs }, done) {
      // The registry may answer within its step, and this is a step of the keeper.
      const asker = {
        answer: (answer: Parameters<typeof done>[0]) =>
          void setImmediate(() => answered((nowMs) => done(answer, nowMs))),
      };
      registry.step({ ...lease, asker, account, untilMs }, clock.nowMs());
    },
    commit(commit, done) {
      copy.commit(commit).then(
        (outcome) => answered((nowMs) => done(outcome, nowMs)),
        (error: unknown) => {
          if (error instanceof RegistryError) answered((nowMs) => done(error, nowMs));
          else failed(error);
        },
      );
    },
    probe: (probe, timeoutMs, done) =>
      probes.probe(probe, timeoutMs, (outcome) => answered((nowMs) => done(outcome, nowMs))),
    pass(session, report: PassedReport, done) {
      others.askSession(session, { name: "report", parameters: passedJson(report), waitMs: PASS_MS }).then(
        (answer) => answered((nowMs) => done(passedAnswerIn(answer), nowMs)),
        () => answered((nowMs) => done("unreachable", nowMs)),
      );
    },
  };
}
