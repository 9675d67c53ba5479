// The meta role: who is in the cluster, which data node leads which slot, and the configuration that clients watch. It
// decides in memory and shows a decision to nobody before the store has it. While the store is away everything goes on
// with the last decision.

import { unreachable } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import type { ConfigValue, Member, MemberToMeta, MetaToMember } from "../messages/membership.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { NO_VERSION, VersionSource } from "../model/version.ts";
import { assignSlots } from "./assignSlots.ts";

export interface MetaOptions {
  readonly slotCount: number;
  /** A member that was not heard for so long is no longer one. */
  readonly memberLeaseMs: number;
}

/** What the store held at the start. */
export interface MetaMemory {
  readonly table: SlotTable | undefined;
  readonly configs: ReadonlyMap<DataInfoId, ConfigValue>;
}

/** The effects of a step. Each save is answered by an event of the same name. */
export interface MetaOutput {
  send(to: Member, message: MetaToMember): void;
  saveSlotTable(table: SlotTable, expectedEpoch: bigint | undefined): void;
  saveConfig(value: ConfigValue): void;
  /** The outcome of a `putConfig`: undefined for done. */
  answer(request: number, error: RegistryError | undefined): void;
}

export type MetaEvent =
  | { readonly kind: "received"; readonly from: Member; readonly message: MemberToMeta }
  | { readonly kind: "slotTableSaved"; readonly table: SlotTable; readonly isSaved: boolean }
  | {
      readonly kind: "putConfig";
      readonly request: number;
      readonly dataInfoId: DataInfoId;
      readonly data: string | null;
    }
  | { readonly kind: "configSaved"; readonly value: ConfigValue; readonly isSaved: boolean }
  | { readonly kind: "woken" };

// A store that refused or failed is asked again after this.
const STORE_RETRY_MS = 1_000;

const UNSET_VERSION = NO_VERSION + 1n;

interface PendingPut {
  readonly request: number;
  readonly value: ConfigValue;
}

export class Meta {
  readonly #options: MetaOptions;
  readonly #output: MetaOutput;
  readonly #members = new Map<string, Member>();
  readonly #leases = new Deadlines<string>();
  readonly #configs: Map<DataInfoId, ConfigValue>;
  readonly #watchers = new Map<DataInfoId, Map<string, Member>>();
  readonly #versions: VersionSource;
  #pendingPuts: PendingPut[] = [];
  #table: SlotTable | undefined;
  #isSavingTable = false;
  #hasBegun = false;
  #arrangeAtMs = Number.POSITIVE_INFINITY;

  constructor(options: MetaOptions, memory: MetaMemory, output: MetaOutput) {
    this.#options = options;
    this.#output = output;
    this.#table = memory.table;
    this.#configs = new Map(memory.configs);
    const newest = [...memory.configs.values()].reduce(
      (max, { version }) => (version > max ? version : max),
      NO_VERSION,
    );
    this.#versions = new VersionSource(newest);
  }

  step(event: MetaEvent, nowMs: number): void {
    if (!this.#hasBegun) this.#begin(nowMs);
    switch (event.kind) {
      case "received":
        this.#received(event.from, event.message, nowMs);
        break;
      case "slotTableSaved":
        this.#tableSaved(event.table, event.isSaved, nowMs);
        break;
      case "putConfig":
        this.#putConfig(event, nowMs);
        break;
      case "configSaved":
        this.#configSaved(event.value, event.isSaved);
        break;
      case "woken":
        break;
      default:
        unreachable(event);
    }
    this.#endLeases(nowMs);
    if (nowMs >= this.#arrangeAtMs) this.#arrange();
  }

  nextWakeMs(): number {
    return Math.min(this.#leases.nextMs(), this.#arrangeAtMs);
  }

  /** The table in force, for queries. */
  get slotTable(): SlotTable | undefined {
    return this.#table;
  }

  /** The value of a configuration, for queries. */
  config(dataInfoId: DataInfoId): ConfigValue | undefined {
    return this.#configs.get(dataInfoId);
  }

  members(): readonly Member[] {
    return [...this.#members.values()];
  }

  // A leader that this process has not heard yet may well be alive: it has a lease like everybody else, and keeps its
  // slots until that ends.
  #begin(nowMs: number): void {
    this.#hasBegun = true;
    for (const { leader } of this.#table?.slots ?? []) {
      const member: Member = { id: leader, role: "data" };
      this.#members.set(keyOf(member), member);
      this.#leases.set(keyOf(member), nowMs + this.#options.memberLeaseMs);
    }
  }

  #received(from: Member, message: MemberToMeta, nowMs: number): void {
    switch (message.kind) {
      case "heartbeat":
        return this.#heartbeat(from, message.tableEpoch, nowMs);
      case "watchConfig":
        for (const dataInfoId of message.dataInfoIds) this.#watch(from, dataInfoId);
        return;
      case "unwatchConfig":
        return this.#unwatch(keyOf(from), message.dataInfoIds);
      default:
        return unreachable(message);
    }
  }

  #heartbeat(from: Member, tableEpoch: bigint, nowMs: number): void {
    const key = keyOf(from);
    const isNew = !this.#members.has(key);
    this.#members.set(key, from);
    this.#leases.set(key, nowMs + this.#options.memberLeaseMs);
    if (isNew && from.role === "data") this.#arrange();
    if (this.#table !== undefined && this.#table.epoch > tableEpoch) {
      this.#output.send(from, { kind: "slotTable", table: this.#table });
    }
  }

  #endLeases(nowMs: number): void {
    for (let key = this.#leases.take(nowMs); key !== undefined; key = this.#leases.take(nowMs)) {
      const member = this.#members.get(key);
      this.#members.delete(key);
      this.#unwatch(key, this.#watchers.keys());
      if (member?.role === "data") this.#arrange();
    }
  }

  #arrange(): void {
    this.#arrangeAtMs = Number.POSITIVE_INFINITY;
    const nodes: NodeId[] = this.members().flatMap((member) => (member.role === "data" ? [member.id] : []));
    // Without data nodes the table stays as it is: a leader that returns finds its slots.
    if (nodes.length === 0 || this.#isSavingTable) return;
    const table = assignSlots(this.#table, nodes, this.#options.slotCount);
    if (table === undefined) return;
    this.#isSavingTable = true;
    this.#output.saveSlotTable(table, this.#table?.epoch);
  }

  #tableSaved(table: SlotTable, isSaved: boolean, nowMs: number): void {
    this.#isSavingTable = false;
    // Nodes may have come or gone while the store was busy.
    this.#arrangeAtMs = isSaved ? nowMs : nowMs + STORE_RETRY_MS;
    if (!isSaved) return;
    this.#table = table;
    for (const member of this.#members.values()) this.#output.send(member, { kind: "slotTable", table });
  }

  #putConfig(
    { request, dataInfoId, data }: { request: number; dataInfoId: DataInfoId; data: string | null },
    nowMs: number,
  ): void {
    const value = { dataInfoId, version: this.#versions.next(nowMs), data };
    this.#pendingPuts.push({ request, value });
    this.#output.saveConfig(value);
  }

  #configSaved(value: ConfigValue, isSaved: boolean): void {
    const done = this.#pendingPuts.find((pending) => pending.value === value);
    this.#pendingPuts = this.#pendingPuts.filter((pending) => pending !== done);
    const { dataInfoId } = value;
    if (done !== undefined) {
      this.#output.answer(done.request, isSaved ? undefined : fail("STORE_UNAVAILABLE", { dataInfoId }));
    }
    const known = this.#configs.get(dataInfoId);
    if (!isSaved || (known !== undefined && known.version >= value.version)) return;
    this.#configs.set(dataInfoId, value);
    const watchers = this.#watchers.get(dataInfoId)?.values() ?? [];
    for (const member of watchers) this.#output.send(member, { kind: "config", value });
  }

  #watch(from: Member, dataInfoId: DataInfoId): void {
    const watchers = this.#watchers.get(dataInfoId);
    if (watchers === undefined) this.#watchers.set(dataInfoId, new Map([[keyOf(from), from]]));
    else watchers.set(keyOf(from), from);
    // A value that nobody has set is older than every value: always the same version, so that it is told once.
    const value = this.#configs.get(dataInfoId) ?? { dataInfoId, version: UNSET_VERSION, data: null };
    this.#output.send(from, { kind: "config", value });
  }

  #unwatch(key: string, dataInfoIds: Iterable<DataInfoId>): void {
    for (const dataInfoId of dataInfoIds) {
      const watchers = this.#watchers.get(dataInfoId);
      watchers?.delete(key);
      if (watchers?.size === 0) this.#watchers.delete(dataInfoId);
    }
  }
}

function keyOf(member: Member): string {
  return `${member.role} ${member.id}`;
}
