// Session and leader compare the publications of the session's clients in a slot: first a digest, and where it differs
// the whole inventory. A session is the source of truth for its clients, so the leader drops registrations that the
// session no longer has, and asks for those that it lacks. A new leader does not serve a slot before it has heard every
// session in this way.

import type { Metrics } from "../base/metrics.ts";
import type { InventoryEntry, PublishItem, SessionToData, Superseded } from "../cluster/messages/sessionData.ts";
import { serviceKeyOf } from "../cluster/messages/sessionData.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { compareStamps } from "../model/publication.ts";
import type { Completeness } from "./completeness.ts";
import type { DataOutput } from "./dataPorts.ts";
import type { Intake } from "./intake.ts";
import { keyOf, leftItem, supersededBy } from "./items.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { Slots } from "./slots.ts";

type Digests = Extract<SessionToData, { kind: "digests" }>;
type Inventory = Extract<SessionToData, { kind: "inventory" }>;

interface EarlyDigest extends SlotDigest {
  readonly epoch: bigint;
}

interface Parts {
  readonly slots: Slots;
  readonly intake: Pick<Intake, "take">;
  readonly completeness: Pick<Completeness, "heard" | "waitFor">;
}

export class Reconciliation {
  readonly #slots: Slots;
  readonly #intake: Parts["intake"];
  readonly #completeness: Parts["completeness"];
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #metrics: Metrics;
  // Sessions whose table is newer than ours: their digests of each slot are compared when ours has come.
  readonly #early = new Map<NodeId, Map<number, EarlyDigest>>();
  // Inventories whose last part is still to come, by session and slot.
  readonly #parts = new Map<string, Map<string, InventoryEntry>>();

  constructor({ slots, intake, completeness }: Parts, output: Pick<DataOutput, "toSession">, metrics: Metrics) {
    this.#slots = slots;
    this.#intake = intake;
    this.#completeness = completeness;
    this.#output = output;
    this.#metrics = metrics;
  }

  /** A newer slot table is here. */
  adopted(nowMs: number): void {
    const { epoch } = this.#slots;
    for (const [session, early] of this.#early) {
      const due = [...early.values()].filter((digest) => digest.epoch <= epoch);
      for (const { slot } of due) early.delete(slot);
      if (early.size === 0) this.#early.delete(session);
      this.#judge(session, due, nowMs);
    }
  }

  /** The session's link is gone, and the rest of its inventory with it. */
  unlinked(session: NodeId): void {
    this.#early.delete(session);
    for (const led of this.#slots.led()) led.unlinked(session);
    for (const key of [...this.#parts.keys()]) if (key.startsWith(`${session} `)) this.#parts.delete(key);
  }

  digests(session: NodeId, { epoch, slots }: Digests, nowMs: number): void {
    if (epoch <= this.#slots.epoch) return this.#judge(session, slots, nowMs);
    const early = this.#early.get(session) ?? new Map<number, EarlyDigest>();
    this.#early.set(session, early);
    for (const digest of slots) early.set(digest.slot, { ...digest, epoch });
  }

  #judge(session: NodeId, slots: readonly SlotDigest[], nowMs: number): void {
    const synced: number[] = [];
    const differs: number[] = [];
    for (const { slot, count, digest } of slots) {
      const led = this.#slots.ledSlot(slot);
      if (led === undefined) continue;
      const held = led.contents.digestOf(session);
      if (count !== (held?.count ?? 0) || digest !== (held?.value ?? 0n)) {
        differs.push(slot);
        this.#diverged(led, session);
        if (!led.hasHeard(session)) this.#completeness.waitFor(led, session, nowMs);
        continue;
      }
      synced.push(slot);
      this.#converged(led, session);
      led.wanted.delete(session);
      led.claims.delete(session);
      this.#completeness.heard(led, session, nowMs);
    }
    if (synced.length > 0) this.#output.toSession(session, { kind: "synced", slots: synced });
    if (differs.length > 0) this.#output.toSession(session, { kind: "differs", slots: differs });
  }

  inventory(session: NodeId, message: Inventory, nowMs: number): void {
    const key = `${session} ${message.slot}`;
    if (message.isFirst) this.#parts.set(key, new Map());
    const entries = this.#parts.get(key);
    if (entries === undefined) return;
    for (const entry of message.entries) entries.set(keyOf(entry), entry);
    if (!message.isLast) return;
    this.#parts.delete(key);
    const led = this.#slots.ledSlot(message.slot);
    if (led !== undefined) this.#compare(led, { session, entries }, nowMs);
  }

  /** The session has published an item: perhaps a missing one. */
  published(session: NodeId, item: PublishItem, nowMs: number): void {
    const led = this.#slots.leading(serviceKeyOf(item));
    const wanted = led?.wanted.get(session);
    if (led === undefined || wanted === undefined) return;
    wanted.delete(keyOf(item.kind === "put" ? item.publication : item.removal));
    if (wanted.size > 0) return;
    led.wanted.delete(session);
    this.#agreed(led, session, nowMs);
  }

  /**
   * A session is gone for good. Its registrations that living sessions claim may be theirs: they are told that no other
   * session answers for these any more. Returns the offered ones; to be offered again a registration has to be claimed
   * again.
   */
  offer(led: LedSlot, gone: NodeId, isAbsent: (session: NodeId) => boolean): ReadonlySet<string> {
    this.#converged(led, gone);
    const offered = new Set<string>();
    for (const [claimant, entries] of led.claims) {
      if (isAbsent(claimant)) continue;
      const superseded: Superseded[] = [];
      const kept: InventoryEntry[] = [];
      for (const entry of entries) {
        const datum = led.contents.datums.get(entry.serviceKey);
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
      this.#output.toSession(claimant, { kind: "wanted", slot: led.contents.slot, keys: [], superseded });
    }
    return offered;
  }

  /** Another node leads the slot now, and compares it anew. */
  lost(led: LedSlot): void {
    for (const session of [...led.diverged.keys()]) this.#converged(led, session);
  }

  #diverged(led: LedSlot, session: NodeId): void {
    if (led.diverged.has(session)) return;
    const by = led.hasHeard(session) ? "digest" : "takeover";
    led.diverged.set(session, by);
    this.#metrics.add("roster_divergence_found_total", 1, { by });
  }

  /** They agree, or nothing compares them any more. */
  #converged(led: LedSlot, session: NodeId): void {
    const by = led.diverged.get(session);
    if (by === undefined) return;
    led.diverged.delete(session);
    this.#metrics.add("roster_divergence_repaired_total", 1, { by });
  }

  #agreed(led: LedSlot, session: NodeId, nowMs: number): void {
    this.#converged(led, session);
    this.#output.toSession(session, { kind: "synced", slots: [led.contents.slot] });
    this.#completeness.heard(led, session, nowMs);
  }

  #compare(
    led: LedSlot,
    { session, entries }: { session: NodeId; entries: ReadonlyMap<string, InventoryEntry> },
    nowMs: number,
  ): void {
    const given = [...led.contents.ownedBy(session)].filter((registration) => !entries.has(keyOf(registration)));
    this.#intake.take(given.map(leftItem), nowMs, session);
    const keys: [ServiceKey, string][] = [];
    const superseded: Superseded[] = [];
    const claims: InventoryEntry[] = [];
    const awaited = new Set<string>();
    const isLate = !led.isUpToDate(session);
    for (const entry of entries.values()) {
      const verdict = judge(led, session, entry);
      if (verdict === "held") continue;
      if (verdict === "wanted") {
        keys.push([entry.serviceKey, entry.registId]);
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
      this.#output.toSession(session, { kind: "wanted", slot: led.contents.slot, keys, superseded });
    }
    if (awaited.size > 0) led.wanted.set(session, awaited);
    else {
      led.wanted.delete(session);
      this.#agreed(led, session, nowMs);
    }
  }
}

/** The comparison of one registration of a session with this leader's. */
function judge(led: LedSlot, session: NodeId, entry: InventoryEntry): "held" | "wanted" | Superseded {
  const datum = led.contents.datums.get(entry.serviceKey);
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
