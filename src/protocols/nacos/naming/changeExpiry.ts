// The end of what operators have set of an instance. It outlives reconnects and restarts of the client, and is removed
// when the instance has been in no list for a minute, as the real server removes it: the next one at the address is
// another one. The lists say that, since no session knows the clients of all others, and one session of the cluster
// goes through the records, some at a time. A list that can't be had says nothing.

import { RegistryError } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { StoredRecord } from "../../../records/records.ts";
import type { ServiceView } from "../../../registry/registry.ts";
import type { NacosEnvironment } from "../environment.ts";
import { registIdOf } from "./instance.ts";
import { askList } from "./lists.ts";
import type { ChangeRecord, NamingRecords } from "./namingRecords.ts";
import { instancesIn } from "./serviceInfo.ts";

interface Parts extends Pick<NacosEnvironment, "registry" | "log"> {
  readonly records: Pick<NamingRecords, "changesAfter" | "removeChanges">;
  readonly node: Pick<NacosEnvironment["node"], "rules">;
  /** Whether this node is the one that removes what is old. */
  readonly isSweeper: () => boolean;
}

/** The real server's `nacos.naming.clean.expired-metadata.expired-time`. */
const KEPT_MS = 60_000;
// As often as the real server looks; each time through all records.
const SWEEP_MS = 5_000;
// Eighty records a second, with a question for each service: the session holds some 5,000 lists for that at most.
const RECORDS_AT_ONCE = 40;
// Checks come twice a second. After a longer pause this process stood still, and perhaps its clients with it.
const PAUSE_MS_MAX = 5_000;

export class ChangeExpiry {
  readonly #parts: Parts;
  /** When each record was first found without its instance. One that is written anew is another one. */
  #goneMs = new WeakMap<StoredRecord, number>();
  /** The key up to which the present sweep has come; empty between two of them. */
  #sweptKey = "";
  #sweepMs = 0;
  #checkedMs = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Called twice a second, not within a step of the registry. */
  check(nowMs: number): void {
    const { isSweeper, node } = this.#parts;
    const wasAway = nowMs - this.#checkedMs > PAUSE_MS_MAX;
    this.#checkedMs = nowMs;
    if (wasAway) this.#goneMs = new WeakMap();
    if (nowMs < this.#sweepMs) return;
    // Rules of operators hide instances from all lists; these are not gone.
    if (isSweeper() && !node.rules().has("hidePublications")) return this.#sweep(nowMs);
    this.#goneMs = new WeakMap();
    this.#endSweep(nowMs);
  }

  #sweep(nowMs: number): void {
    const some = this.#parts.records.changesAfter(this.#sweptKey, RECORDS_AT_ONCE);
    this.#sweptKey = some.at(-1)?.record.key ?? "";
    if (some.length < RECORDS_AT_ONCE) this.#endSweep(nowMs);
    for (const [serviceKey, changes] of Map.groupBy(some, (change) => change.serviceKey)) {
      this.#ask(serviceKey, changes, nowMs);
    }
  }

  #endSweep(nowMs: number): void {
    this.#sweptKey = "";
    this.#sweepMs = nowMs + SWEEP_MS;
  }

  #ask(serviceKey: ServiceKey, changes: readonly ChangeRecord[], nowMs: number): void {
    askList(this.#parts.registry, { serviceKey, nowMs }, (view) => {
      if (view === undefined) return;
      const over = this.#over(changes, view, nowMs);
      if (over.length > 0) this.#remove(over);
    });
  }

  /** The records whose instances have been gone for long enough. */
  #over(changes: readonly ChangeRecord[], view: ServiceView, nowMs: number): StoredRecord[] {
    const there = new Set(instancesIn(view).map(registIdOf));
    const over: StoredRecord[] = [];
    for (const { registId, record } of changes) {
      const goneMs = this.#goneMs.get(record) ?? nowMs;
      if (there.has(registId)) this.#goneMs.delete(record);
      else if (nowMs - goneMs >= KEPT_MS) over.push(record);
      else this.#goneMs.set(record, goneMs);
    }
    return over;
  }

  /** Records that are not removed now are removed later. */
  #remove(over: readonly StoredRecord[]): void {
    this.#parts.records.removeChanges(over).catch((error: unknown) => {
      if (!(error instanceof RegistryError)) throw error;
      this.#parts.log.warn("what operators have set of instances that are gone stays", { reason: error.message });
    });
  }
}
