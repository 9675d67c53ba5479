// The meta leader on a store that may be slow, or fail for a while.

import { Stepper } from "../../base/stepper.ts";
import type { ConfigValue, Member, MetaToMember } from "../../messages/membership.ts";
import { Meta, type MetaEvent } from "../../meta/meta.ts";
import type { DataInfoId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import { bug, type SimEnvironment } from "./environment.ts";
import { BOOT_MS, nodeTime } from "./nodeTime.ts";

// Fewer than the real 256: services are few, and a table is cheap to look at then.
const SLOT_COUNT = 16;
const MEMBER_LEASE_MS = 20_000;

export class MetaNode {
  readonly #environment: SimEnvironment;
  readonly #send: (to: Member, message: MetaToMember) => void;
  readonly #configs = new Map<DataInfoId, ConfigValue>();
  #table: SlotTable | undefined;
  #host: Stepper<MetaEvent> | undefined;
  #isStoreDown = false;
  #storeDelayMs = 5;

  constructor(
    environment: SimEnvironment,
    table: SlotTable | undefined,
    send: (to: Member, message: MetaToMember) => void,
  ) {
    this.#environment = environment;
    this.#table = table;
    this.#send = send;
  }

  static readonly slotCount = SLOT_COUNT;

  get isRunning(): boolean {
    return this.#host !== undefined;
  }

  /** How the store does from now on. */
  setStore(store: { isDown: boolean; delayMs: number }): void {
    this.#isStoreDown = store.isDown;
    this.#storeDelayMs = store.delayMs;
  }

  start(offsetMs: number): void {
    const { scheduler, record } = this.#environment;
    record({ kind: "started", node: "meta", role: "meta" });
    const memory = { table: this.#table, configs: new Map(this.#configs) };
    const meta = new Meta({ slotCount: SLOT_COUNT, memberLeaseMs: MEMBER_LEASE_MS }, memory, {
      send: (to, message) => this.#send(to, message),
      saveSlotTable: (table, expectedEpoch) => this.#saveTable(table, expectedEpoch),
      saveConfig: (value) => this.#saveConfig(value),
      answer: () => undefined,
    });
    const failed = (error: unknown) => bug(this.#environment, "meta", error);
    this.#host = new Stepper<MetaEvent>(meta, { ...nodeTime(scheduler, offsetMs), failed });
    const host = this.#host;
    scheduler.after(BOOT_MS, () => host.step({ kind: "woken" }));
  }

  stop(): void {
    this.#host?.close();
    this.#host = undefined;
    this.#environment.record({ kind: "stopped", node: "meta", role: "meta" });
  }

  step(event: MetaEvent): void {
    this.#host?.step(event);
  }

  #saveTable(table: SlotTable, expectedEpoch: bigint | undefined): void {
    this.#store((isUp) => {
      const isSaved = isUp && this.#table?.epoch === expectedEpoch;
      if (isSaved) this.#table = table;
      return { kind: "slotTableSaved", table, isSaved };
    });
  }

  #saveConfig(value: ConfigValue): void {
    this.#store((isUp) => {
      if (isUp) this.#configs.set(value.dataInfoId, value);
      return { kind: "configSaved", value, isSaved: isUp };
    });
  }

  // The write is done, or not, whether or not the process still lives to hear of it.
  #store(write: (isUp: boolean) => MetaEvent): void {
    const host = this.#host;
    const { scheduler, dice } = this.#environment;
    scheduler.after(dice.below(1 + this.#storeDelayMs), () => {
      const event = write(!this.#isStoreDown);
      host?.step(event);
    });
  }
}
