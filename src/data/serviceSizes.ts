// The number of publishers of each service, on its way to the node's disk: RestartHold waits for these after a restart.
// For a service that is still held the disk keeps the size of the hold, not the present one.
//
// A smaller size is recorded only after a while. The hold counts publishers and does not know them: if one has been
// taken back, or is on its way to another session, when everything is killed, and comes back together with the others,
// it would count for one that is still missing.

import type { SlotHold } from "../cluster/messages/replication.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import type { RestartHold } from "./restartHold.ts";
import type { SlotContents } from "./slotContents.ts";
import type { KeptSlot } from "./slots.ts";

// A size is on disk soon after its change, but after the push of that change. A write takes half a millisecond and 6 µs
// more for each service: a busy node spends at most a twentieth of its time on it.
const SAVE_DELAY_MS = 20;
const SAVE_INTERVAL_MS = 50;
const SAVE_INTERVAL_MS_PER_SERVICE = 0.15;
// A service that is started anew, publisher by publisher, is whole again within this time. If everything is restarted
// within it, a publisher that is gone for good holds its service back for the hold's time.
const SMALLER_MS = 30_000;
// One write takes some six milliseconds; the rest waits for the next.
const SERVICES_PER_SAVE = 1_000;

export class ServiceSizes {
  readonly #hold: RestartHold;
  readonly #save: (changed: ReadonlyMap<ServiceKey, number>) => void;
  #unsaved = new Map<ServiceKey, number>();
  /** Services that have become smaller, in the order of the times at which that is to be recorded. */
  readonly #smaller = new Map<ServiceKey, { readonly datum: Datum; size: number; readonly atMs: number }>();
  #dueMs = Number.POSITIVE_INFINITY;
  #restedMs = Number.NEGATIVE_INFINITY;

  constructor(hold: RestartHold, save: (changed: ReadonlyMap<ServiceKey, number>) => void) {
    this.#hold = hold;
    this.#save = save;
  }

  /** A datum may have another size: it is recorded, unless more publishers are waited for. */
  resized(datum: Datum, nowMs: number): void {
    if (!this.#hold.releaseIfWhole(datum)) return;
    const { serviceKey, size, recordedSize } = datum;
    if (size >= recordedSize) return this.#record(datum, size, nowMs);
    const smaller = this.#smaller.get(serviceKey);
    if (smaller?.datum === datum) {
      smaller.size = size;
      return;
    }
    this.#smaller.delete(serviceKey);
    this.#smaller.set(serviceKey, { datum, size, atMs: nowMs + SMALLER_MS });
  }

  /** The slot's leader has no such datum; if it holds the service, it was not published again yet. */
  dropped(service: { readonly serviceKey: ServiceKey; readonly slot: number }, nowMs: number): void {
    if (!this.#hold.holds(service)) this.#set(service.serviceKey, 0, nowMs);
  }

  /** Other nodes keep these services now. */
  forget({ datums }: SlotContents, nowMs: number): void {
    for (const serviceKey of datums.keys()) this.#set(serviceKey, 0, nowMs);
  }

  /** The leader of a copied slot has reported its holds: this disk expects the same. */
  follow({ slot, datums }: SlotContents, hold: SlotHold, nowMs: number): void {
    const news = hold.expected.filter(([id, size]) => this.#hold.expected({ slot, serviceKey: id }) !== size);
    const released = this.#hold.follow(slot, hold, nowMs);
    for (const [serviceKey, size] of news) this.#set(serviceKey, size, nowMs);
    for (const serviceKey of released) this.#shown(serviceKey, datums.get(serviceKey), nowMs);
  }

  /** Ends holds that have lasted long enough; returns their datums, which may be shown as they are. */
  endHold(keptSlot: (slot: number) => KeptSlot | undefined, nowMs: number): Datum[] {
    const shown: Datum[] = [];
    for (const [slot, held] of this.#hold.end(nowMs)) {
      const kept = keptSlot(slot);
      // For a slot not copied yet this disk is the only source.
      if (kept?.duty === "follow" && !kept.hasCopy) continue;
      for (const serviceKey of held) {
        const datum = kept?.contents.datums.get(serviceKey);
        this.#shown(serviceKey, datum, nowMs);
        if (datum !== undefined) shown.push(datum);
      }
    }
    return shown;
  }

  nextMs(): number {
    return Math.min(this.#dueMs, this.#hold.untilMs, this.#smallerMs());
  }

  #smallerMs(): number {
    for (const { atMs } of this.#smaller.values()) return atMs;
    return Number.POSITIVE_INFINITY;
  }

  /** Saves the changed sizes, if that is due. */
  wake(nowMs: number): void {
    this.#recordSmaller(SERVICES_PER_SAVE, nowMs);
    if (nowMs < this.#dueMs) return;
    const changed = this.#takeUnsaved();
    this.#restedMs = nowMs + SAVE_INTERVAL_MS + changed.size * SAVE_INTERVAL_MS_PER_SERVICE;
    this.#dueMs = this.#unsaved.size > 0 ? this.#restedMs : Number.POSITIVE_INFINITY;
    if (changed.size > 0) this.#save(changed);
  }

  /** The longest-waiting sizes, as many as are saved at once. */
  #takeUnsaved(): ReadonlyMap<ServiceKey, number> {
    const all = this.#unsaved;
    if (all.size <= SERVICES_PER_SAVE) {
      this.#unsaved = new Map();
      return all;
    }
    const some = new Map<ServiceKey, number>();
    for (const [serviceKey, size] of all) {
      if (some.size === SERVICES_PER_SAVE) break;
      some.set(serviceKey, size);
      all.delete(serviceKey);
    }
    return some;
  }

  /** Records the sizes of services that have become smaller long enough ago. */
  #recordSmaller(servicesMax: number, nowMs: number): void {
    let recorded = 0;
    for (const { datum, size, atMs } of this.#smaller.values()) {
      if (atMs > nowMs || recorded === servicesMax) return;
      recorded++;
      this.#record(datum, size, nowMs);
    }
  }

  /** Saves the changed sizes now. */
  flush(): void {
    this.#recordSmaller(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    const changed = this.#unsaved;
    this.#unsaved = new Map();
    this.#dueMs = Number.POSITIVE_INFINITY;
    if (changed.size > 0) this.#save(changed);
  }

  /** The service is no longer held: from now on the disk keeps its present size. */
  #shown(serviceKey: ServiceKey, datum: Datum | undefined, nowMs: number): void {
    if (datum === undefined) this.#set(serviceKey, 0, nowMs);
    else this.#record(datum, datum.size, nowMs);
  }

  #record(datum: Datum, size: number, nowMs: number): void {
    datum.recordedSize = size;
    this.#set(datum.serviceKey, size, nowMs);
  }

  #set(serviceKey: ServiceKey, size: number, nowMs: number): void {
    this.#smaller.delete(serviceKey);
    this.#unsaved.set(serviceKey, size);
    if (this.#dueMs < Number.POSITIVE_INFINITY) return;
    this.#dueMs = Math.max(nowMs + SAVE_DELAY_MS, this.#restedMs);
  }
}
