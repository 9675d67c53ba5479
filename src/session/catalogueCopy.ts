// The session's copy of the catalogue of one scope. Entries are kept by slot as the leaders have told them, with the
// digest that is compared with theirs; the entries shown to askers are kept apart. The two differ where a leader tells
// less than was shown: a version below the one shown is not shown, and the leader is told of the higher one, so that it
// goes above. A service whose list is held is shown as before.

import type { CatalogueMessage } from "../cluster/messages/catalogue.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import { type CatalogueEntry, SlotCatalogue } from "../model/catalogue.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { isFromAfar } from "./serviceList.ts";

// The versions of services that are gone, so that none returns with a lower one: the leaders themselves forget them
// after some minutes. Beyond this number the earliest is forgotten.
const GONE_MAX = 10_000;

type Whole = Extract<CatalogueMessage, { kind: "catalogue" }>;
type Changed = Extract<CatalogueMessage, { kind: "catalogueChanged" }>;

interface CopiedSlot {
  /** Undefined until the slot was told as a whole. */
  told: SlotCatalogue | undefined;
  /** The parts that have come of a telling that is not complete. */
  parts: { readonly from: NodeId; readonly told: SlotCatalogue; readonly held: ServiceKey[] } | undefined;
  /** Those that were held when the slot was told as a whole. */
  held: readonly ServiceKey[];
}

export class CatalogueCopy {
  readonly #slots = new Map<number, CopiedSlot>();
  readonly #shown = new Map<ServiceKey, CatalogueEntry>();
  readonly #gone = new Map<ServiceKey, DatumVersion>();
  /** Versions that were shown and are higher than what the leader told. */
  readonly #ahead = new Map<ServiceKey, DatumVersion>();
  #isAhead = false;
  #known = 0;
  #told = 0;

  /** The number of slots that have been told. */
  get known(): number {
    return this.#known;
  }

  /** The number of entries, for its bound. */
  get size(): number {
    return this.#told;
  }

  /** The services as they are shown. */
  shown(): Iterable<CatalogueEntry> {
    return this.#shown.values();
  }

  /** The number of services whose lists are held and that are not shown. */
  unshown(): number {
    let unshown = 0;
    for (const { told, held } of this.#slots.values()) {
      for (const key of held) if (told?.entries.get(key) === "held" && !this.#shown.has(key)) unshown++;
    }
    return unshown;
  }

  /** The digest of the slot as it was told; undefined if it never was. */
  digest(slot: number): SlotDigest | undefined {
    return this.#slots.get(slot)?.told?.digest;
  }

  /** Versions of which the leaders are to hear. */
  ahead(): Iterable<readonly [ServiceKey, DatumVersion]> {
    return this.#ahead;
  }

  /** Whether a leader has told less than was shown since the last call. */
  takeIsAhead(): boolean {
    const isAhead = this.#isAhead;
    this.#isAhead = false;
    return isAhead;
  }

  /** Takes a part of a whole slot. Returns the changes that are shown; undefined before the last part. */
  takeWhole(from: NodeId, message: Whole, nowMs: number): CatalogueEntry[] | undefined {
    const slot = this.#slot(message.slot);
    if (message.isFirst) slot.parts = { from, told: new SlotCatalogue(message.slot), held: [] };
    if (slot.parts === undefined || slot.parts.from !== from) return undefined;
    const { told, held } = slot.parts;
    for (const entry of message.entries) told.set(entry.serviceKey, entry);
    for (const serviceKey of message.held) {
      told.set(serviceKey, "held");
      held.push(serviceKey);
    }
    if (!message.isLast) return undefined;
    const before = slot.told?.entries;
    if (before === undefined) this.#known++;
    slot.parts = undefined;
    slot.told = told;
    slot.held = held;
    this.#told += told.entries.size - (before?.size ?? 0);
    const changes: CatalogueEntry[] = [];
    for (const serviceKey of before?.keys() ?? []) if (!told.entries.has(serviceKey)) this.#hide(serviceKey, changes);
    for (const entry of told.entries.values()) if (entry !== "held") this.#show(entry, changes, nowMs);
    return changes;
  }

  /** Takes changes. Returns those that are shown; undefined if the slot is not at the digest at which they begin. */
  takeChanges({ base, entries }: Changed, nowMs: number): CatalogueEntry[] | undefined {
    const told = this.#slots.get(base.slot)?.told;
    if (told?.isSame(base) !== true) return undefined;
    const changes: CatalogueEntry[] = [];
    const sizeBefore = told.entries.size;
    for (const entry of entries) {
      const { serviceKey } = entry;
      told.set(serviceKey, entry.size > 0 ? entry : undefined);
      if (entry.size > 0) this.#show(entry, changes, nowMs);
      else this.#hide(serviceKey, changes, entry);
    }
    this.#told += told.entries.size - sizeBefore;
    return changes;
  }

  #slot(slot: number): CopiedSlot {
    const known = this.#slots.get(slot);
    if (known !== undefined) return known;
    const copied: CopiedSlot = { told: undefined, parts: undefined, held: [] };
    this.#slots.set(slot, copied);
    return copied;
  }

  #show(entry: CatalogueEntry, changes: CatalogueEntry[], nowMs: number): void {
    const { serviceKey } = entry;
    const shown = this.#shown.get(serviceKey);
    const floor = shown ?? this.#gone.get(serviceKey);
    if (floor !== undefined && entry.version < floor.version && !isFromAfar(entry, floor, nowMs)) {
      this.#isAhead ||= !this.#ahead.has(serviceKey);
      this.#ahead.set(serviceKey, { version: floor.version, origin: floor.origin });
      return;
    }
    this.#ahead.delete(serviceKey);
    this.#gone.delete(serviceKey);
    this.#shown.set(serviceKey, entry);
    if (shown === undefined || shown.version !== entry.version || shown.size !== entry.size) changes.push(entry);
  }

  /** The service is gone, with the version `last` if the leader named one. */
  #hide(serviceKey: ServiceKey, changes: CatalogueEntry[], last?: DatumVersion): void {
    const shown = this.#shown.get(serviceKey);
    this.#ahead.delete(serviceKey);
    if (shown === undefined) return;
    const { version, origin } = last !== undefined && last.version > shown.version ? last : shown;
    this.#shown.delete(serviceKey);
    this.#gone.delete(serviceKey);
    this.#gone.set(serviceKey, { version, origin });
    for (const earliest of this.#gone.keys()) {
      if (this.#gone.size <= GONE_MAX) break;
      this.#gone.delete(earliest);
    }
    changes.push({ serviceKey, version, origin, size: 0 });
  }
}
