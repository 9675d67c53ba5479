// Session and leader compare the publications of the session's clients in a slot: first a digest, and where it differs
// the whole inventory. A session is the source of truth for its clients, so the leader drops registrations that the
// session no longer has, and asks for those that it lacks. A new leader does not serve a slot before it has heard every
// session in this way.

import { defined } from "../base/assert.ts";
import type {
  DataToSession,
  InventoryEntry,
  PublishItem,
  SessionToData,
  SlotDigest,
  Superseded,
} from "../cluster/messages/sessionData.ts";
import { dataInfoIdOf } from "../cluster/messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { compareStamps } from "../model/publication.ts";
import type { Datum } from "./datum.ts";
import type { Registration } from "./packed/publicationStore.ts";
import type { LedSlot, Slots } from "./slots.ts";

type Digests = Extract<SessionToData, { kind: "digests" }>;
type Inventory = Extract<SessionToData, { kind: "inventory" }>;

interface EarlyDigest extends SlotDigest {
  readonly epoch: bigint;
}

interface Effects {
  send(session: NodeId, message: DataToSession): void;
  take(items: readonly PublishItem[]): void;
  /** All registrations of the session in this slot are here. */
  heard(slot: LedSlot, session: NodeId): void;
  /** The session has a registration in this slot that is not here, and was not heard before. */
  awaits(slot: LedSlot, session: NodeId): void;
}

export class Reconciliation {
  readonly #slots: Slots;
  readonly #effects: Effects;
  // Sessions whose table is newer than ours: their digests of each slot are compared when ours has come.
  readonly #early = new Map<NodeId, Map<number, EarlyDigest>>();
  // Inventories whose last part is still to come, by session and slot.
  readonly #parts = new Map<string, Map<string, InventoryEntry>>();

  constructor(slots: Slots, effects: Effects) {
    this.#slots = slots;
    this.#effects = effects;
  }

  /** A newer slot table is here. */
  adopted(): void {
    const { epoch } = this.#slots;
    for (const [session, early] of this.#early) {
      const due = [...early.values()].filter((digest) => digest.epoch <= epoch);
      for (const { slot } of due) early.delete(slot);
      if (early.size === 0) this.#early.delete(session);
      this.#judge(session, due);
    }
  }

  /** The session's link is gone, and the rest of its inventory with it. */
  unlinked(session: NodeId): void {
    this.#early.delete(session);
    for (const led of this.#slots.led()) led.upToDate.delete(session);
    for (const key of [...this.#parts.keys()]) if (key.startsWith(`${session} `)) this.#parts.delete(key);
  }

  digests(session: NodeId, { epoch, slots }: Digests): void {
    if (epoch <= this.#slots.epoch) return this.#judge(session, slots);
    const early = this.#early.get(session) ?? new Map<number, EarlyDigest>();
    this.#early.set(session, early);
    for (const digest of slots) early.set(digest.slot, { ...digest, epoch });
  }

  #judge(session: NodeId, slots: readonly SlotDigest[]): void {
    const synced: number[] = [];
    const differs: number[] = [];
    for (const { slot, count, digest } of slots) {
      const led = this.#slots.ledSlot(slot);
      if (led === undefined) continue;
      const held = led.contents.digestOf(session);
      if (count !== (held?.count ?? 0) || digest !== (held?.value ?? 0n)) {
        differs.push(slot);
        if (!led.heard.has(session)) this.#effects.awaits(led, session);
        continue;
      }
      synced.push(slot);
      led.wanted.delete(session);
      led.claims.delete(session);
      this.#effects.heard(led, session);
    }
    if (synced.length > 0) this.#effects.send(session, { kind: "synced", slots: synced });
    if (differs.length > 0) this.#effects.send(session, { kind: "differs", slots: differs });
  }

  inventory(session: NodeId, message: Inventory): void {
    const key = `${session} ${message.slot}`;
    if (message.isFirst) this.#parts.set(key, new Map());
    const entries = this.#parts.get(key);
    if (entries === undefined) return;
    for (const entry of message.entries) entries.set(keyOf(entry), entry);
    if (!message.isLast) return;
    this.#parts.delete(key);
    const led = this.#slots.ledSlot(message.slot);
    if (led !== undefined) this.#compare(led, { session, entries });
  }

  /** The session has published an item: perhaps a missing one. */
  published(session: NodeId, item: PublishItem): void {
    const led = this.#slots.leading(dataInfoIdOf(item));
    const wanted = led?.wanted.get(session);
    if (led === undefined || wanted === undefined) return;
    wanted.delete(keyOf(item.kind === "put" ? item.publication : item.removal));
    if (wanted.size > 0) return;
    led.wanted.delete(session);
    this.#agreed(led, session);
  }

  /**
   * A session is gone for good. Its registrations that living sessions claim may be theirs: they are told that no other
   * session answers for these any more. Returns the offered ones; to be offered again a registration has to be claimed
   * again.
   */
  offer(led: LedSlot, gone: NodeId, isAbsent: (session: NodeId) => boolean): ReadonlySet<string> {
    const offered = new Set<string>();
    for (const [claimant, entries] of led.claims) {
      if (isAbsent(claimant)) continue;
      const superseded: Superseded[] = [];
      const kept: InventoryEntry[] = [];
      for (const entry of entries) {
        const datum = led.contents.datums.get(entry.dataInfoId);
        const live = datum?.registration(entry.registId);
        if (datum === undefined || live?.owner.session !== gone || live.version !== entry.version) {
          kept.push(entry);
          continue;
        }
        superseded.push({ ...supersededBy(datum, entry), isRemoved: true });
        offered.add(keyOf(entry));
      }
      if (superseded.length === 0) continue;
      // Other sessions may go right after this one, and claims on their registrations are to be offered then.
      if (kept.length > 0) led.claims.set(claimant, kept);
      else led.claims.delete(claimant);
      this.#effects.send(claimant, { kind: "wanted", slot: led.contents.slot, keys: [], superseded });
    }
    return offered;
  }

  #agreed(led: LedSlot, session: NodeId): void {
    this.#effects.send(session, { kind: "synced", slots: [led.contents.slot] });
    this.#effects.heard(led, session);
  }

  #compare(
    led: LedSlot,
    { session, entries }: { session: NodeId; entries: ReadonlyMap<string, InventoryEntry> },
  ): void {
    const given = [...led.contents.ownedBy(session)].filter((registration) => !entries.has(keyOf(registration)));
    this.#effects.take(given.map(leftItem));
    const keys: [DataInfoId, string][] = [];
    const superseded: Superseded[] = [];
    const claims: InventoryEntry[] = [];
    const awaited = new Set<string>();
    const isLate = !led.upToDate.has(session);
    for (const entry of entries.values()) {
      const verdict = judge(led, session, entry);
      if (verdict === "held") continue;
      if (verdict === "wanted") {
        keys.push([entry.dataInfoId, entry.registId]);
        awaited.add(keyOf(entry));
        continue;
      }
      superseded.push(verdict);
      if (verdict.by.version !== entry.version) continue;
      // A registration taken for dead comes again with a later time, or the session reports that its client has left.
      if (verdict.isRemoved) awaited.add(keyOf(entry));
      else {
        claims.push(entry);
        led.contents.contests.claimed(session, entry, { winner: verdict.by, isLate });
      }
    }
    if (claims.length > 0) led.claims.set(session, claims);
    else led.claims.delete(session);
    if (keys.length > 0 || superseded.length > 0) {
      this.#effects.send(session, { kind: "wanted", slot: led.contents.slot, keys, superseded });
    }
    if (awaited.size > 0) led.wanted.set(session, awaited);
    else {
      led.wanted.delete(session);
      this.#agreed(led, session);
    }
  }
}

/** The comparison of one registration of a session with this leader's. */
function judge(led: LedSlot, session: NodeId, entry: InventoryEntry): "held" | "wanted" | Superseded {
  const datum = led.contents.datums.get(entry.dataInfoId);
  const live = datum?.registration(entry.registId);
  const by = live ?? datum?.tombstone(entry.registId);
  if (datum === undefined || by === undefined) return "wanted";
  const isTheirs = live?.owner.session === session;
  const order = compareStamps(entry, by);
  // An inventory does not name the owner of a registration. A change by another host under a higher version decides
  // nothing, so the session is asked for the whole registration.
  if (order > 0 || (by.version !== entry.version && !isTheirs)) return "wanted";
  if (order === 0 && isTheirs) return "held";
  return supersededBy(datum, entry);
}

/** The answer to a session about a registration that lost against the datum's. */
export function supersededBy(
  datum: Datum,
  { dataInfoId, registId, version, registeredMs }: InventoryEntry,
): Superseded {
  const live = datum.registration(registId);
  const by = defined(live ?? datum.tombstone(registId), "something newer has refused it");
  return {
    dataInfoId,
    registId,
    stamp: { version, registeredMs },
    by: { version: by.version, registeredMs: by.registeredMs },
    isRemoved: live === undefined,
  };
}

/** The removal of exactly this publication, whose client is gone. */
export function leftItem({ dataInfoId, registId, version, registeredMs }: Registration): PublishItem {
  return { kind: "remove", removal: { dataInfoId, registId, cause: "left", stamp: { version, registeredMs } } };
}

/** Names a registration in maps. */
export function keyOf({ dataInfoId, registId }: { dataInfoId: DataInfoId; registId: string }): string {
  return `${registId}\n${dataInfoId}`;
}
