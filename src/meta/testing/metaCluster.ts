// Meta nodes, the members that talk to them, and their store, on virtual time. Members act like real ones: they send
// everything to every meta node, each second and at once after a change, and follow the newest table and list.

import { assert, defined } from "../../base/assert.ts";
import type { RegistryError } from "../../base/errors.ts";
import type { Stepper } from "../../base/stepper.ts";
import { testStepper } from "../../base/testing/testStepper.ts";
import { compareMembers, type Member, type Members, type MetaToMember } from "../../cluster/messages/membership.ts";
import { nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import { Meta } from "../meta.ts";
import type { MetaEvent, MetaOptions } from "../metaPorts.ts";
import { FakeStore } from "./fakeStore.ts";

export const OPTIONS: Omit<MetaOptions, "id"> = {
  slotCount: 16,
  memberLeaseMs: 20_000,
  memberGoneMs: 1_000,
  leaderLeaseMs: 5_000,
  slotReplicas: 2,
  slotMovesMax: 4,
  dataNodesMin: 0,
  configValuesMax: 1_000,
  configValueBytesMax: 1024 * 1024,
  configBytesMax: 64 * 1024 * 1024,
  firstTableDelayMs: 500,
};

const START_MS = 1_700_000_000_000;
export const LINK_MS = 1;
// A process that was stopped reads the members' messages after the store's answers.
const READ_MS = 50;

export class MetaCluster {
  readonly store = new FakeStore();
  readonly metas = new Map<string, MetaNode>();
  readonly members: TestMember[] = [];
  readonly refusedVersions: string[] = [];
  readonly answers = new Map<number, RegistryError | undefined>();
  readonly options: typeof OPTIONS;
  nowMs = START_MS;
  /** The time of a statement to the store, and of its answer. */
  storeMs = 5;
  #queue: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor(options: Partial<typeof OPTIONS> = {}) {
    this.options = { ...OPTIONS, ...options };
  }

  after(delayMs: number, run: () => void): void {
    this.#queue.push({ atMs: this.nowMs + delayMs, run });
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    for (;;) {
      const due = this.#queue.reduce((first, each) => Math.min(first, each.atMs), Number.POSITIVE_INFINITY);
      const wakeMs = Math.min(...[...this.metas.values()].map((meta) => meta.wakeMs));
      const nextMs = Math.min(due, wakeMs);
      if (nextMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      const at = this.#queue.findIndex(({ atMs }) => atMs === due);
      if (due <= wakeMs) this.#queue.splice(at, 1)[0]?.run();
      else for (const meta of this.metas.values()) if (meta.wakeMs <= nextMs) meta.step({ kind: "woken" });
    }
    this.nowMs = endMs;
  }

  startMeta(name: string): MetaNode {
    const meta = new MetaNode(this, name);
    this.metas.set(name, meta);
    meta.step({ kind: "woken" });
    for (const member of this.members) member.linkTo(meta);
    return meta;
  }

  start(role: Member["role"], ...ids: string[]): TestMember[] {
    return ids.map((id) => {
      const member = new TestMember(this, { role, id: nodeId(id) });
      this.members.push(member);
      for (const meta of this.metas.values()) member.linkTo(meta);
      return member;
    });
  }

  member(id: string): TestMember {
    return defined(
      this.members.find(({ member }) => member.id === id),
      `${id} was started`,
    );
  }

  /** The meta node that leads; there may be at most one. A stopped process does nothing, whatever it believes. */
  get leader(): MetaNode | undefined {
    const running = [...this.metas.values()].filter(({ isRunning, isPaused }) => isRunning && !isPaused);
    const leading = running.filter(({ meta }) => meta.isLeading);
    assert(leading.length <= 1, "at most one leads");
    return leading[0];
  }

  /** The leader of each slot by the stored table. */
  get slotLeaders(): string[] {
    return (this.store.state.slotTable?.slots ?? []).map(({ leader }) => leader);
  }
}

export class MetaNode {
  readonly meta: Meta;
  readonly name: string;
  isRunning = true;
  isPaused = false;
  #isReading = true;
  readonly #stepper: Stepper<MetaEvent>;
  readonly #cluster: MetaCluster;
  #held: MetaEvent[] = [];
  readonly #linked = new Set<TestMember>();

  constructor(cluster: MetaCluster, name: string) {
    this.#cluster = cluster;
    this.name = name;
    const { store, options } = cluster;
    const id = nodeId(name);
    this.meta = new Meta(
      { ...options, id },
      {
        send: (to, message) => this.#send(to, message),
        versionRefused: ({ what }) => cluster.refusedVersions.push(what),
        acquireLease: () => {
          const askedMs = cluster.nowMs;
          const ask = () => store.acquireLease(id, options.leaderLeaseMs, cluster.nowMs);
          this.#ask(ask, (lease) => ({ kind: "leaseAnswered", lease, askedMs }));
        },
        releaseLease: (epoch) => cluster.after(cluster.storeMs, () => store.releaseLease(epoch)),
        load: () =>
          this.#ask(
            () => store.read(),
            (range) => ({ kind: "loaded", range }),
          ),
        readRecords: (request, query) =>
          this.#ask(
            () => store.range(query),
            (page) => ({ kind: "recordsRead", request, page }),
          ),
        commit: (number, commit) =>
          this.#ask(
            () => store.commit(commit, cluster.nowMs),
            (outcome) => ({ kind: "committed", number, result: outcome ?? { kind: "unknown" } }),
          ),
        answer: (request, error) => cluster.answers.set(request, error),
      },
    );
    this.#stepper = testStepper<MetaEvent>(this.meta);
  }

  get wakeMs(): number {
    return this.isRunning && !this.isPaused ? this.meta.nextWakeMs() : Number.POSITIVE_INFINITY;
  }

  step(event: MetaEvent): void {
    if (!this.isRunning) return;
    const isFromMember = event.kind === "received" || event.kind === "memberUp" || event.kind === "memberDown";
    if (this.isPaused || (isFromMember && !this.#isReading)) this.#held.push(event);
    else this.#stepper.step(event, this.#cluster.nowMs);
  }

  /** Stops the process, and resumes it later: timers first, then the waiting input. */
  pause(durationMs: number): void {
    this.isPaused = true;
    this.#cluster.after(durationMs, () => {
      this.isPaused = false;
      this.#isReading = false;
      this.step({ kind: "woken" });
      this.#cluster.after(READ_MS, () => {
        this.#isReading = true;
        for (const event of this.#held.splice(0)) this.step(event);
      });
    });
  }

  kill(): void {
    this.isRunning = false;
  }

  linked(member: TestMember): void {
    this.#linked.add(member);
    this.step({ kind: "memberUp", member: member.member });
  }

  unlinked(member: TestMember): void {
    if (this.#linked.delete(member)) this.step({ kind: "memberDown", member: member.member });
  }

  isLinked(member: TestMember): boolean {
    return this.#linked.has(member);
  }

  #send(to: Member, message: MetaToMember): void {
    const member = [...this.#linked].find((each) => each.member.id === to.id && each.member.role === to.role);
    if (member !== undefined) this.#cluster.after(LINK_MS, () => member.hear(message));
  }

  #ask<Answer>(statement: () => Answer, toEvent: (answer: Answer | undefined) => MetaEvent): void {
    const { storeMs } = this.#cluster;
    this.#cluster.after(storeMs, () => {
      const { fault } = this.#cluster.store;
      const answer = fault === "away" ? undefined : statement();
      this.#cluster.after(storeMs, () => this.step(toEvent(fault === "none" ? answer : undefined)));
    });
  }
}

export class TestMember {
  readonly member: Member;
  table: SlotTable | undefined;
  list: Members | undefined;
  readonly heard: MetaToMember[] = [];
  refusal: string | undefined;
  isLeaving = false;
  /** Data nodes: the highest version that it knows. */
  newestVersion = 0n;
  /** Sessions: clients that are connected. */
  clients: number | undefined = 0;
  /** Its report on the slots that it leads and follows; undefined: all is well. */
  reports: { serving: boolean; inSync: boolean } = { serving: true, inSync: true };
  isRunning = true;
  isSilent = false;
  readonly #cluster: MetaCluster;

  constructor(cluster: MetaCluster, member: Member) {
    this.#cluster = cluster;
    this.member = member;
    this.#beat();
  }

  linkTo(meta: MetaNode): void {
    if (!this.isRunning) return;
    meta.linked(this);
    this.#sayTo(meta);
  }

  /** The links to a meta node are cut. */
  cutFrom(meta: MetaNode): void {
    meta.unlinked(this);
  }

  /** The process dies; its links are closed. */
  kill(): void {
    this.isRunning = false;
    for (const meta of this.#cluster.metas.values()) meta.unlinked(this);
  }

  say(): void {
    for (const meta of this.#cluster.metas.values()) this.#sayTo(meta);
  }

  hear(message: MetaToMember): void {
    if (!this.isRunning) return;
    this.heard.push(message);
    if (message.kind === "refused") this.refusal = message.reason;
    if (message.kind === "slotTable" && message.table.epoch > (this.table?.epoch ?? 0n)) {
      this.table = message.table;
      this.say();
    }
    const { list } = this;
    if (message.kind === "members" && (list === undefined || compareMembers(message.members, list) > 0)) {
      this.list = message.members;
    }
  }

  get knownIds(): string[] {
    return (this.list?.list ?? []).map(({ id }) => id).sort();
  }

  #beat(): void {
    if (!this.isRunning) return;
    this.say();
    this.#cluster.after(1_000, () => this.#beat());
  }

  #sayTo(meta: MetaNode): void {
    if (!this.isRunning || this.isSilent || !meta.isLinked(this)) return;
    const { role, id } = this.member;
    const slots = [...(this.table?.slots ?? []).entries()];
    const serving = slots.filter(([, { leader }]) => leader === id && this.reports.serving).map(([slot]) => slot);
    const inSync = slots.filter(([, owner]) => owner.followers.includes(id) && this.reports.inSync);
    const message = {
      kind: "heartbeat",
      role,
      address: `${id}:9620`,
      tableEpoch: this.table?.epoch ?? 0n,
      members: this.list ?? { epoch: 0n, serial: 0 },
      isLeaving: this.isLeaving,
      ...(role === "data" && { slots: { serving, held: [], inSync: inSync.map(([slot]) => slot) } }),
      ...(role === "data" && { newestVersion: this.newestVersion }),
      ...(role === "session" && this.clients !== undefined && { clients: this.clients }),
    } as const;
    this.#cluster.after(LINK_MS, () => {
      if (meta.isLinked(this)) meta.step({ kind: "received", from: this.member, message });
    });
  }
}
