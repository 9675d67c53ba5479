// A meta node whose store and members are played by the test; its requests and messages are kept in arrays.

import { assert } from "../../base/assert.ts";
import { fail, type RegistryError } from "../../base/errors.ts";
import type { Stepper } from "../../base/stepper.ts";
import { testStepper } from "../../base/testing/testStepper.ts";
import type { ConfigValue, Heartbeat, Member, MetaToMember } from "../../cluster/messages/membership.ts";
import { nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { Commit } from "../../records/records.ts";
import { Meta } from "../meta.ts";
import type { MetaEvent, MetaOptions } from "../metaPorts.ts";
import type { MetaState } from "../metaRecords.ts";
import type { SaveOutcome } from "../saveOutcome.ts";
import { OPTIONS } from "./metaCluster.ts";
import { EMPTY, readWhole, type Saved, savedBy, tableWith } from "./storedState.ts";

export const SELF = nodeId("m1.a");
export const OTHER = nodeId("m2.a");

/** A commit on its way to the store. */
interface Pending {
  readonly number: number;
  readonly saved: Saved;
}

export class LoneMeta {
  readonly meta: Meta;
  readonly sent: { to: Member; message: MetaToMember }[] = [];
  /** The requests to the store, in order: acquire, release, load, table, config, block. */
  readonly asked: string[] = [];
  readonly tables: SlotTable[] = [];
  readonly configs: ConfigValue[] = [];
  readonly answers = new Map<number, RegistryError | undefined>();
  nowMs = 1_700_000_000_000;
  readonly #pending: Pending[] = [];
  #revision = 100n;
  readonly #stepper: Stepper<MetaEvent>;

  constructor(options: Partial<MetaOptions> = {}) {
    this.meta = new Meta(
      { ...OPTIONS, firstTableDelayMs: 0, id: SELF, ...options },
      {
        send: (to, message) => void this.sent.push({ to, message }),
        versionRefused: () => undefined,
        acquireLease: () => void this.asked.push("acquire"),
        releaseLease: (epoch) => void this.asked.push(`release ${epoch}`),
        load: () => void this.asked.push("load"),
        readRecords: () => undefined,
        commit: (number, commit) => this.#commit(number, commit),
        answer: (request, error) => void this.answers.set(request, error),
      },
    );
    this.#stepper = testStepper<MetaEvent>(this.meta);
  }

  step(event: MetaEvent): void {
    this.#stepper.step(event, this.nowMs);
  }

  #commit(number: number, commit: Commit): void {
    const saved = savedBy(commit);
    this.#pending.push({ number, saved });
    switch (saved.kind) {
      case "table":
        this.asked.push("table");
        this.tables.push(saved.table);
        return;
      case "config":
        this.asked.push("config");
        this.configs.push(saved.value);
        return;
      case "rules":
      case "slot pause":
        this.asked.push(saved.kind);
        return;
      default:
        this.asked.push(`${saved.isBlocked ? "block" : "let in"} ${saved.node}`);
    }
  }

  /** The store answers the oldest commit of a kind that it has not answered yet. */
  answerCommit(kind: Saved["kind"], outcome: SaveOutcome): void {
    const at = this.#pending.findIndex(({ saved }) => saved.kind === kind);
    const [pending] = this.#pending.splice(at, 1);
    assert(at >= 0 && pending !== undefined, `a ${kind} is on its way to the store`);
    this.#revision += 1n;
    const results = {
      saved: { kind: "committed", revision: this.#revision },
      refused: { kind: "refused", condition: { kind: "leads", epoch: 0n } },
      failed: { kind: "failed", error: fail("RECORD_TOO_LARGE", {}) },
      unknown: { kind: "unknown" },
    } as const;
    this.step({ kind: "committed", number: pending.number, result: results[outcome] });
  }

  /** The store is read, and holds this. */
  loaded(state: MetaState): void {
    const { records } = readWhole(tableWith(state));
    this.step({ kind: "loaded", range: { revision: this.#revision, records } });
  }

  /** The requests to the store since the last call, except for the lease. */
  takeAsked(): string[] {
    return this.asked.splice(0).filter((one) => one !== "acquire");
  }

  /** The store names the leader. */
  lease(epoch = 1n, holder = SELF): void {
    const lease = { epoch, holder, address: `${holder}:9611`, remainingMs: OPTIONS.leaderLeaseMs };
    this.step({ kind: "leaseAnswered", lease, askedMs: this.nowMs });
  }

  /** Lets time pass, with every wake-up that the node asks for; the store answers for the lease at once. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.meta.nextWakeMs() <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.meta.nextWakeMs());
      const before = this.asked.filter((one) => one === "acquire").length;
      this.step({ kind: "woken" });
      if (this.asked.filter((one) => one === "acquire").length > before) this.lease();
    }
    this.nowMs = endMs;
  }

  /** A member speaks. */
  hear(member: Member, changes: Partial<Heartbeat> = {}): void {
    const message: Heartbeat = {
      kind: "heartbeat",
      role: member.role,
      address: `${member.id}:9620`,
      tableEpoch: 0n,
      members: { epoch: 0n, serial: 0 },
      isLeaving: false,
      ...changes,
    };
    this.step({ kind: "received", from: member, message });
  }

  /** The messages to a member since the last call. */
  told(member: Member): MetaToMember[] {
    const { sent } = this;
    const told = sent.filter(({ to }) => to.id === member.id && to.role === member.role);
    this.sent.splice(0, sent.length, ...sent.filter((one) => !told.includes(one)));
    return told.map(({ message }) => message);
  }
}

/** A node that leads and has read the store, which holds this. */
export function leading(state: Partial<MetaState> = {}, options: Partial<MetaOptions> = {}): LoneMeta {
  const one = new LoneMeta(options);
  one.step({ kind: "woken" });
  one.lease();
  one.loaded({ ...EMPTY, ...state });
  one.takeAsked();
  return one;
}
