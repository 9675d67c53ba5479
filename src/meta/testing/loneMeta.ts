// A meta node whose store and members are played by the test; its requests and messages are kept in arrays.

import type { RegistryError } from "../../base/errors.ts";
import type { Stepper } from "../../base/stepper.ts";
import { testStepper } from "../../base/testing/testStepper.ts";
import type { ConfigValue, Heartbeat, Member, MetaToMember } from "../../cluster/messages/membership.ts";
import { nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import { Meta } from "../meta.ts";
import type { MetaEvent, MetaOptions } from "../metaPorts.ts";
import type { MetaState } from "../metaStore.ts";
import { OPTIONS } from "./metaCluster.ts";

export const SELF = nodeId("m1.a");
export const OTHER = nodeId("m2.a");

export const EMPTY: MetaState = {
  cluster: undefined,
  slotTable: undefined,
  configs: new Map(),
  blockedNodes: new Set(),
};

export class LoneMeta {
  readonly meta: Meta;
  readonly sent: { to: Member; message: MetaToMember }[] = [];
  /** The requests to the store, in order: acquire, release, load, table, config, block. */
  readonly asked: string[] = [];
  readonly tables: SlotTable[] = [];
  readonly configs: ConfigValue[] = [];
  readonly answers = new Map<number, RegistryError | undefined>();
  nowMs = 1_700_000_000_000;
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
        saveSlotTable: (table) => {
          this.asked.push("table");
          this.tables.push(table);
        },
        saveConfig: (value) => {
          this.asked.push("config");
          this.configs.push(value);
        },
        saveNodeBlocked: (node, isBlocked) => void this.asked.push(`${isBlocked ? "block" : "let in"} ${node}`),
        answer: (request, error) => void this.answers.set(request, error),
      },
    );
    this.#stepper = testStepper<MetaEvent>(this.meta);
  }

  step(event: MetaEvent): void {
    this.#stepper.step(event, this.nowMs);
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
  one.step({ kind: "loaded", state: { ...EMPTY, ...state } });
  one.takeAsked();
  return one;
}
