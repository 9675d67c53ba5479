// The catalogue of the slots that this node leads, for the sessions that watch it. For each watched scope and served
// slot the node keeps what it has told: entries by name, and their digest. Every session that watches has been told the
// same, so a change is told as a difference from a digest, and a session that has another one asks.
//
// Nothing is kept of a scope that no session watches. A service is in two scopes at the most, that of its group and
// that of all services, however many are watched.

import {
  CATALOGUE_ENTRIES_MAX,
  CATALOGUE_SCOPES_MAX,
  type CatalogueMessage,
  type CatalogueQuestion,
} from "../cluster/messages/catalogue.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import { ALL_SERVICES, type CatalogueEntry, isInScope, SlotCatalogue, scopeOf } from "../model/catalogue.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { CatalogueScope, NodeId, ServiceKey } from "../model/ids.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { RestartHold } from "./restartHold.ts";
import type { Slots } from "./slots.ts";

// Reading a service takes 1.2 microseconds: some four milliseconds in one step, then a pause in which the link can send
// the third of a megabyte that they make. A slot is not divided, since it must be told as of one moment.
const SERVICES_PER_STEP = 3_000;
const PAUSE_MS = 5;

type Watch = Extract<CatalogueQuestion, { kind: "catalogueWatch" }>;

/** A session that watches a scope. */
interface Watcher {
  askedMs: number;
  /** Slots of which it asked and was not answered yet, with what it has of them; undefined: it was never told. */
  readonly asked: Map<number, SlotDigest | undefined>;
}

/** One scope that sessions watch. */
interface WatchedScope {
  readonly watchers: Map<NodeId, Watcher>;
  readonly slots: Map<number, SlotCatalogue>;
  /** Served slots that are still to be told. */
  readonly due: Set<number>;
}

interface Parts {
  readonly slots: Slots;
  readonly hold: Pick<RestartHold, "holds" | "heldIn" | "heldServices">;
}

/** Tells sessions which services there are in the served slots. */
export class Catalogue {
  readonly #parts: Parts;
  readonly #interestMs: number;
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #scopes = new Map<CatalogueScope, WatchedScope>();
  /** Services that may have changed in this step. */
  #touched = new Set<ServiceKey>();
  #workMs = Number.NEGATIVE_INFINITY;

  /** An interest that was not repeated for `interestMs` is over. */
  constructor(parts: Parts, interestMs: number, output: Pick<DataOutput, "toSession">) {
    this.#parts = parts;
    this.#interestMs = interestMs;
    this.#output = output;
  }

  /** The sessions that watch something. */
  *watchers(): Generator<NodeId> {
    for (const { watchers } of this.#scopes.values()) yield* watchers.keys();
  }

  /** A session watches a scope from now on, or repeats that it does. More than CATALOGUE_SCOPES_MAX are ignored. */
  asked(session: NodeId, { scope, known, unknown }: Watch, nowMs: number): void {
    const watched = this.#scopes.get(scope) ?? { watchers: new Map(), slots: new Map(), due: new Set() };
    const watcher = watched.watchers.get(session) ?? { askedMs: nowMs, asked: new Map() };
    if (!watched.watchers.has(session) && this.#scopesOf(session) >= CATALOGUE_SCOPES_MAX) return;
    this.#scopes.set(scope, watched);
    watched.watchers.set(session, watcher);
    watcher.askedMs = nowMs;
    for (const one of known) this.#ask(watched, watcher, { slot: one.slot, digest: one });
    for (const slot of unknown) this.#ask(watched, watcher, { slot, digest: undefined });
  }

  /** The session does not watch these scopes any more. */
  release(session: NodeId, scopes: readonly CatalogueScope[]): void {
    for (const scope of scopes) this.#forget(scope, session);
  }

  /** The session's link is gone: it asks again when it is back. */
  unlinked(session: NodeId): void {
    for (const scope of this.#scopes.keys()) this.#forget(scope, session);
  }

  /** Forgets sessions that have not repeated their interest. */
  tidy(nowMs: number): void {
    for (const [scope, { watchers }] of this.#scopes) {
      for (const [session, { askedMs }] of watchers) {
        if (askedMs < nowMs - this.#interestMs) this.#forget(scope, session);
      }
    }
  }

  /** The service has another version, or is no longer held. */
  touched(serviceKey: ServiceKey): void {
    if (this.#scopes.size > 0) this.#touched.add(serviceKey);
  }

  /** Restart holds have ended. */
  holdEnded(): void {
    for (const { slots } of this.#scopes.values()) {
      for (const { entries } of slots.values()) {
        for (const [serviceKey, entry] of entries) if (entry === "held") this.#touched.add(serviceKey);
      }
    }
  }

  /**
   * The slot has begun or ceased to be served. Sessions keep their entries of it until it is served again.
   */
  changed({ contents, isServing }: LedSlot): void {
    for (const watched of this.#scopes.values()) {
      watched.slots.delete(contents.slot);
      if (isServing) watched.due.add(contents.slot);
      else watched.due.delete(contents.slot);
    }
  }

  /** The slot begins to be led under another epoch, or is led by another node. */
  lost(slot: number): void {
    for (const { watchers, slots, due } of this.#scopes.values()) {
      slots.delete(slot);
      due.delete(slot);
      for (const { asked } of watchers.values()) asked.delete(slot);
    }
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    for (const { due } of this.#scopes.values()) if (due.size > 0) return this.#workMs;
    return Number.POSITIVE_INFINITY;
  }

  /** Tells what has changed in this step, and then some of the slots that are due. */
  wake(nowMs: number): void {
    this.#tellChanges();
    if (nowMs < this.#workMs) return;
    let left = SERVICES_PER_STEP;
    for (const [scope, watched] of this.#scopes) {
      for (const slot of watched.due) {
        watched.due.delete(slot);
        left -= this.#tell(scope, watched, slot);
        if (left > 0) continue;
        this.#workMs = nowMs + PAUSE_MS;
        return;
      }
    }
  }

  #scopesOf(session: NodeId): number {
    let count = 0;
    for (const watcher of this.watchers()) if (watcher === session) count++;
    return count;
  }

  #ask(
    watched: WatchedScope,
    watcher: Watcher,
    { slot, digest }: { slot: number; digest: SlotDigest | undefined },
  ): void {
    const led = this.#parts.slots.ledSlot(slot);
    if (led === undefined) return;
    // Nearly always so.
    if (digest !== undefined && watched.slots.get(slot)?.isSame(digest) === true) return;
    watcher.asked.set(slot, digest);
    if (led.isServing) watched.due.add(slot);
  }

  #forget(scope: CatalogueScope, session: NodeId): void {
    const watched = this.#scopes.get(scope);
    if (watched?.watchers.delete(session) === true && watched.watchers.size === 0) this.#scopes.delete(scope);
  }

  /** Tells a served slot to those who asked. Returns the number of services read and told. */
  #tell(scope: CatalogueScope, { watchers, slots }: WatchedScope, slot: number): number {
    const led = this.#parts.slots.ledSlot(slot);
    if (led?.isServing !== true) return 0;
    const known = slots.get(slot);
    const told = known ?? this.#read(scope, led);
    slots.set(slot, told);
    let work = 1 + (known === undefined ? led.contents.datums.size : 0);
    for (const [session, { asked }] of watchers) {
      // A session that did not ask knows the slot from an earlier leader, or from before it ceased to be served.
      const isTold = asked.has(slot) || known === undefined;
      const have = asked.get(slot);
      asked.delete(slot);
      if (!isTold || (have !== undefined && told.isSame(have))) continue;
      this.#tellWhole(session, scope, told);
      work += told.entries.size;
    }
    return work;
  }

  #read(scope: CatalogueScope, { contents }: LedSlot): SlotCatalogue {
    const { slot, datums } = contents;
    const told = new SlotCatalogue(slot);
    const held = this.#parts.hold.heldServices(slot);
    for (const serviceKey of held) if (isInScope(serviceKey, scope)) told.set(serviceKey, "held");
    for (const datum of datums.values()) {
      const { serviceKey } = datum;
      if (datum.shown > 0 && isInScope(serviceKey, scope) && !told.entries.has(serviceKey)) {
        told.set(serviceKey, entryOf(datum, datum.version));
      }
    }
    return told;
  }

  #tellWhole(session: NodeId, scope: CatalogueScope, told: SlotCatalogue): void {
    const held: ServiceKey[] = [];
    const entries: CatalogueEntry[] = [];
    for (const [serviceKey, entry] of told.entries) {
      if (entry === "held") held.push(serviceKey);
      else entries.push(entry);
    }
    const parts = Math.max(1, Math.ceil(Math.max(entries.length, held.length) / CATALOGUE_ENTRIES_MAX));
    for (let part = 0; part < parts; part++) {
      const [from, to] = [part * CATALOGUE_ENTRIES_MAX, (part + 1) * CATALOGUE_ENTRIES_MAX];
      this.#output.toSession(session, {
        kind: "catalogue",
        scope,
        slot: told.slot,
        entries: entries.slice(from, to),
        held: held.slice(from, to),
        isFirst: part === 0,
        isLast: part === parts - 1,
      });
    }
  }

  #tellChanges(): void {
    if (this.#touched.size === 0) return;
    const touched = this.#touched;
    this.#touched = new Set();
    const changes = new Map<WatchedScope, Map<SlotCatalogue, CatalogueEntry[]>>();
    const bases = new Map<SlotCatalogue, { scope: CatalogueScope; base: SlotDigest }>();
    const flush = (watched: WatchedScope, told: SlotCatalogue, entries: CatalogueEntry[]) => {
      const before = bases.get(told);
      bases.delete(told);
      if (before === undefined || entries.length === 0) return;
      const message: CatalogueMessage = { kind: "catalogueChanged", ...before, entries: entries.splice(0) };
      for (const session of watched.watchers.keys()) this.#output.toSession(session, message);
    };
    for (const serviceKey of touched) {
      for (const scope of [ALL_SERVICES, scopeOf(serviceKey)]) {
        const watched = this.#scopes.get(scope);
        const told = watched?.slots.get(this.#parts.slots.slotOf(serviceKey) ?? -1);
        if (watched === undefined || told === undefined) continue;
        const { digest: base } = told;
        const change = this.#change(told, serviceKey);
        if (change === undefined) continue;
        if (!bases.has(told)) bases.set(told, { scope, base });
        const ofScope = changes.get(watched) ?? new Map<SlotCatalogue, CatalogueEntry[]>();
        const entries = ofScope.get(told) ?? [];
        changes.set(watched, ofScope.set(told, entries));
        entries.push(change);
        if (entries.length === CATALOGUE_ENTRIES_MAX) flush(watched, told, entries);
      }
    }
    for (const [watched, ofScope] of changes) for (const [told, entries] of ofScope) flush(watched, told, entries);
  }

  /** The difference between what was told of a service and its present state; it counts as told. */
  #change(told: SlotCatalogue, serviceKey: ServiceKey): CatalogueEntry | undefined {
    const before = told.entries.get(serviceKey);
    if (this.#parts.hold.holds({ serviceKey, slot: told.slot })) return undefined;
    const datum = this.#parts.slots.datum(serviceKey);
    const size = datum?.shown ?? 0;
    if (before === undefined && size === 0) return undefined;
    // A service without publishers may be forgotten already; that it is gone is then told as of its last version.
    const last = before === undefined || before === "held" ? { version: 0n, origin: 0n } : before;
    const { version, origin } = datum?.version ?? last;
    if (before !== undefined && before !== "held" && before.version === version && before.size === size) {
      return undefined;
    }
    const entry = datum === undefined ? { serviceKey, version, origin, size } : entryOf(datum, { version, origin });
    told.set(serviceKey, size === 0 ? undefined : entry);
    return entry;
  }
}

function entryOf({ serviceKey, shown: size, unhealthy }: Datum, { version, origin }: DatumVersion): CatalogueEntry {
  return { serviceKey, version, origin, size, ...(unhealthy > 0 && { unhealthy }) };
}
