// The data role: keeps the publications of the slots that it leads and tells sessions what changed. Events in, messages
// out, the time as an argument; see ARCHITECTURE.md for the way of a publication through it.

import { unreachable } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { Metrics } from "../base/metrics.ts";
import { HEARTBEAT_INTERVAL_MS, type MemberToMeta } from "../messages/membership.ts";
import { type DataToSession, dataInfoIdOf, type PublishItem, type SessionToData } from "../messages/sessionData.ts";
import type { DatumChange, DatumDelta } from "../model/datum.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { leaderOf, type SlotTable } from "../model/slot.ts";
import { VersionSource, versionAt, versionSpan } from "../model/version.ts";
import { Datum, type Tombstone } from "./datum.ts";
import { RestartHold } from "./restartHold.ts";

/** Settings, each a key of the configuration; all times in milliseconds. */
export interface DataOptions {
  readonly id: NodeId;
  readonly operatorLogEntries: number;
  readonly tombstoneMs: number;
  readonly sessionLeaseMs: number;
  readonly restartHoldMs: number;
  readonly versionScanIntervalMs: number;
}

/** What the node's own disk remembers of its last life. */
export interface DataMemory {
  readonly versionFloor: bigint;
  readonly serviceSizes: ReadonlyMap<DataInfoId, number>;
}

/** The effects of a step. */
export interface DataOutput {
  toMeta(message: MemberToMeta): void;
  send(to: NodeId, message: DataToSession): void;
  /** No version of a later life may be at or below `floor`. */
  saveVersionFloor(floor: bigint): void;
  /** Publishers of each changed service; 0 forgets the service. */
  saveServiceSizes(changed: ReadonlyMap<DataInfoId, number>): void;
}

export type DataEvent =
  | { readonly kind: "received"; readonly from: NodeId; readonly message: SessionToData }
  /** `isFresh`: it is another process than before, and knows nothing of the clients of that one. */
  | { readonly kind: "sessionUp"; readonly session: NodeId; readonly isFresh?: boolean }
  | { readonly kind: "sessionDown"; readonly session: NodeId }
  | { readonly kind: "slotTable"; readonly table: SlotTable }
  | { readonly kind: "woken" };

// A notice carries the change itself while it is at most as large as a few packets; beyond, the session fetches what it
// needs.
const NOTICE_BYTES_MAX = 32 * 1024;
// What a change costs beside its payload: ids, zone, stamps.
const CHANGE_BYTES = 200;
// A size is on disk soon after its change, but after the push of that change, and a busy node writes five times a
// second.
const SIZES_SAVE_DELAY_MS = 20;
const SIZES_SAVE_INTERVAL_MS = 200;
// The floor is saved so far ahead, and again when half of it is used up: one small write each five seconds of change.
const VERSION_FLOOR_AHEAD_MS = 10_000;
// An interest that three scans in a row did not repeat is over.
const INTEREST_SCANS = 3;

export class Data {
  readonly #options: DataOptions;
  readonly #output: DataOutput;
  readonly #metrics: Metrics;
  readonly #datums = new Map<DataInfoId, Datum>();
  readonly #versions: VersionSource;
  readonly #hold: RestartHold;
  readonly #leases = new Deadlines<NodeId>();
  // What the clients of a session's last process left here. Those that come back register anew, with a later stamp.
  readonly #orphans = new Deadlines<readonly PublishItem[]>();
  readonly #unsavedSizes = new Map<DataInfoId, number>();
  // All tombstones live equally long, so the oldest is always first.
  readonly #tombstones: {
    readonly datum: Datum;
    readonly registId: string;
    readonly tombstone: Tombstone;
    readonly endMs: number;
  }[] = [];
  #table: SlotTable | undefined;
  #savedFloor: bigint;
  #sizesDueMs = Number.POSITIVE_INFINITY;
  #sizesSavedMs = Number.NEGATIVE_INFINITY;
  #publishers = 0;
  #heartbeatMs = Number.NEGATIVE_INFINITY;

  constructor(
    options: DataOptions,
    memory: DataMemory,
    environment: { output: DataOutput; metrics: Metrics; nowMs: number },
  ) {
    this.#options = options;
    this.#output = environment.output;
    this.#metrics = environment.metrics;
    this.#versions = new VersionSource(memory.versionFloor);
    this.#savedFloor = memory.versionFloor;
    this.#hold = new RestartHold(memory.serviceSizes, environment.nowMs + options.restartHoldMs);
  }

  step(event: DataEvent, nowMs: number): void {
    switch (event.kind) {
      case "received":
        this.#received(event.from, event.message, nowMs);
        break;
      case "sessionUp":
        this.#sessionUp(event.session, event.isFresh ?? false, nowMs);
        break;
      case "sessionDown":
        this.#leases.set(event.session, nowMs + this.#options.sessionLeaseMs);
        break;
      case "slotTable":
        this.#adopt(event.table);
        break;
      case "woken":
        break;
      default:
        unreachable(event);
    }
    this.#wake(nowMs);
  }

  /** When `woken` is due next. */
  nextWakeMs(): number {
    const tombstoneMs = this.#tombstones[0]?.endMs ?? Number.POSITIVE_INFINITY;
    const heartbeatMs = this.#heartbeatMs + HEARTBEAT_INTERVAL_MS;
    return Math.min(
      this.#leases.nextMs(),
      this.#orphans.nextMs(),
      this.#hold.untilMs,
      this.#sizesDueMs,
      tombstoneMs,
      heartbeatMs,
    );
  }

  /** Publishers of each service, for the node's disk when it stops. */
  unsavedSizes(): ReadonlyMap<DataInfoId, number> {
    return this.#unsavedSizes;
  }

  #received(from: NodeId, message: SessionToData, nowMs: number): void {
    switch (message.kind) {
      case "publish":
        return this.#publish(from, message, nowMs);
      case "fetch":
        return this.#answer(from, message.dataInfoId, { have: message.have, nowMs, isScan: false });
      case "release":
        return this.#release(from, message.dataInfoIds);
      case "scan":
        for (const [dataInfoId, have] of message.versions)
          this.#answer(from, dataInfoId, { have, nowMs, isScan: true });
        return;
      default:
        return unreachable(message);
    }
  }

  #publish(from: NodeId, { batch, items }: { batch: number; items: readonly PublishItem[] }, nowMs: number): void {
    const table = this.#table;
    if (table === undefined || !items.every((item) => this.#leads(dataInfoIdOf(item)))) {
      return this.#output.send(from, { kind: "moved", batch, epoch: table?.epoch ?? 0n });
    }
    this.#take(items, nowMs);
    this.#output.send(from, { kind: "taken", batch });
  }

  /** Applies items; all changes of one service become one version and one notice. */
  #take(items: readonly PublishItem[], nowMs: number): void {
    const changed = new Map<Datum, DatumChange[]>();
    for (const item of items) {
      const datum = this.#datum(dataInfoIdOf(item), nowMs);
      const sizeBefore = datum.size;
      const change = datum.apply(item);
      if (item.kind === "remove") this.#rememberTombstone(datum, item.removal.registId, nowMs);
      this.#publishers += datum.size - sizeBefore;
      if (change === undefined) continue;
      const changes = changed.get(datum);
      if (changes === undefined) changed.set(datum, [change]);
      else changes.push(change);
    }
    for (const [datum, changes] of changed) this.#commit(datum, changes, nowMs);
    this.#metrics.set("roster_publishers", this.#publishers);
  }

  #commit(datum: Datum, changes: readonly DatumChange[], nowMs: number): void {
    const delta = datum.commit(changes, this.#nextVersion(nowMs));
    const wasHeld = this.#hold.holds(datum.dataInfoId);
    if (wasHeld && !this.#hold.releases(datum.dataInfoId, datum.size)) return;
    this.#sizeChanged(datum, nowMs);
    if (wasHeld) this.#tellWhole(datum, nowMs);
    else this.#tellChange(datum, delta, nowMs);
    this.#forgetIfIdle(datum);
  }

  #tellChange(datum: Datum, delta: DatumDelta, nowMs: number): void {
    const { dataInfoId, version } = delta;
    const notice: DataToSession =
      deltaBytes(delta) <= NOTICE_BYTES_MAX ? { kind: "delta", delta } : { kind: "changed", dataInfoId, version };
    for (const session of this.#interestedIn(datum, nowMs)) this.#output.send(session, notice);
  }

  #tellWhole(datum: Datum, nowMs: number): void {
    const sessions = this.#interestedIn(datum, nowMs);
    if (sessions.length === 0) return;
    const message: DataToSession = { kind: "snapshot", datum: datum.snapshot() };
    for (const session of sessions) this.#output.send(session, message);
  }

  #interestedIn(datum: Datum, nowMs: number): NodeId[] {
    const oldestMs = nowMs - INTEREST_SCANS * this.#options.versionScanIntervalMs;
    for (const [session, sinceMs] of datum.interested) if (sinceMs < oldestMs) datum.interested.delete(session);
    return [...datum.interested.keys()];
  }

  /**
   * Answers a session that is at version `have`. A service without publishers has a version too: its emptiness is a
   * fact to be pushed.
   */
  #answer(
    from: NodeId,
    dataInfoId: DataInfoId,
    { have, nowMs, isScan }: { have: bigint; nowMs: number; isScan: boolean },
  ): void {
    if (!this.#leads(dataInfoId)) return this.#output.send(from, { kind: "notReady", dataInfoId });
    const datum = this.#datum(dataInfoId, nowMs);
    datum.interested.set(from, nowMs);
    if (this.#hold.holds(dataInfoId)) return this.#output.send(from, { kind: "notReady", dataInfoId });
    if (have > datum.version) this.#overtake(datum, have, nowMs);
    if (have === datum.version) {
      if (!isScan) this.#output.send(from, { kind: "current", dataInfoId });
      return;
    }
    const delta = datum.deltaSince(have);
    this.#output.send(
      from,
      delta === undefined ? { kind: "snapshot", datum: datum.snapshot() } : { kind: "delta", delta },
    );
  }

  // A session has a higher version than this node gave out: it led this slot with a clock behind, or lost its disk.
  // Subscribers would drop all it says.
  #overtake(datum: Datum, have: bigint, nowMs: number): void {
    this.#versions.raise(have);
    datum.raise(this.#nextVersion(nowMs));
  }

  #release(from: NodeId, dataInfoIds: readonly DataInfoId[]): void {
    for (const dataInfoId of dataInfoIds) {
      const datum = this.#datums.get(dataInfoId);
      if (datum?.interested.delete(from)) this.#forgetIfIdle(datum);
    }
  }

  #adopt(table: SlotTable): void {
    if (this.#table !== undefined && table.epoch <= this.#table.epoch) return;
    this.#table = table;
    for (const datum of this.#datums.values()) if (!this.#leads(datum.dataInfoId)) this.#forget(datum);
  }

  #leads(dataInfoId: DataInfoId): boolean {
    return this.#table !== undefined && leaderOf(this.#table, dataInfoId) === this.#options.id;
  }

  #datum(dataInfoId: DataInfoId, nowMs: number): Datum {
    const known = this.#datums.get(dataInfoId);
    if (known !== undefined) return known;
    const datum = new Datum(dataInfoId, this.#nextVersion(nowMs), this.#options.operatorLogEntries);
    this.#datums.set(dataInfoId, datum);
    return datum;
  }

  #forgetIfIdle(datum: Datum): void {
    if (datum.isIdle) this.#forget(datum);
  }

  #forget(datum: Datum): void {
    // An old tombstone may still point to a datum that was forgotten and made anew since.
    if (this.#datums.get(datum.dataInfoId) !== datum) return;
    this.#publishers -= datum.size;
    this.#datums.delete(datum.dataInfoId);
  }

  #rememberTombstone(datum: Datum, registId: string, nowMs: number): void {
    const tombstone = datum.tombstone(registId);
    if (tombstone === undefined) return;
    this.#tombstones.push({ datum, registId, tombstone, endMs: nowMs + this.#options.tombstoneMs });
  }

  #nextVersion(nowMs: number): bigint {
    const version = this.#versions.next(nowMs);
    const used = version > versionAt(nowMs) ? version : versionAt(nowMs);
    if (used + versionSpan(VERSION_FLOOR_AHEAD_MS / 2) > this.#savedFloor) {
      this.#savedFloor = used + versionSpan(VERSION_FLOOR_AHEAD_MS);
      this.#output.saveVersionFloor(this.#savedFloor);
    }
    return version;
  }

  #sizeChanged(datum: Datum, nowMs: number): void {
    this.#unsavedSizes.set(datum.dataInfoId, datum.size);
    if (this.#sizesDueMs < Number.POSITIVE_INFINITY) return;
    this.#sizesDueMs = Math.max(nowMs + SIZES_SAVE_DELAY_MS, this.#sizesSavedMs + SIZES_SAVE_INTERVAL_MS);
  }

  #wake(nowMs: number): void {
    if (nowMs >= this.#heartbeatMs + HEARTBEAT_INTERVAL_MS) this.#heartbeat(nowMs);
    this.#endLeases(nowMs);
    if (nowMs >= this.#hold.untilMs) this.#endHold(nowMs);
    if (nowMs >= this.#sizesDueMs) this.#saveSizes(nowMs);
    this.#expireTombstones(nowMs);
    this.#metrics.set("roster_services_held", this.#hold.size);
  }

  #heartbeat(nowMs: number): void {
    this.#heartbeatMs = nowMs;
    this.#output.toMeta({ kind: "heartbeat", role: "data", tableEpoch: this.#table?.epoch ?? 0n });
  }

  /**
   * A session that is back answers for its clients again; those of its last process still have to return to the new
   * one.
   */
  #sessionUp(session: NodeId, isFresh: boolean, nowMs: number): void {
    this.#leases.delete(session);
    if (!isFresh) return;
    const removals = this.#removalsOf(session);
    if (removals.length > 0) this.#orphans.set(removals, nowMs + this.#options.sessionLeaseMs);
  }

  /** A session that stayed away longer than its lease is dead, and so are the clients that nobody else took over. */
  #endLeases(nowMs: number): void {
    for (let session = this.#leases.take(nowMs); session !== undefined; session = this.#leases.take(nowMs)) {
      for (const datum of this.#datums.values()) datum.interested.delete(session);
      this.#take(this.#removalsOf(session), nowMs);
    }
    for (let left = this.#orphans.take(nowMs); left !== undefined; left = this.#orphans.take(nowMs))
      this.#take(left, nowMs);
  }

  #removalsOf(session: NodeId): PublishItem[] {
    const removals: PublishItem[] = [];
    for (const datum of this.#datums.values()) {
      for (const publication of datum.publications()) {
        if (publication.owner.session !== session) continue;
        const { dataInfoId, registId } = publication;
        removals.push({ kind: "remove", removal: { dataInfoId, registId, cause: "left", stamp: publication } });
      }
    }
    return removals;
  }

  #endHold(nowMs: number): void {
    for (const dataInfoId of this.#hold.end()) {
      const datum = this.#datums.get(dataInfoId);
      this.#unsavedSizes.set(dataInfoId, datum?.size ?? 0);
      if (datum !== undefined) this.#tellWhole(datum, nowMs);
    }
    this.#sizesDueMs = nowMs;
  }

  #saveSizes(nowMs: number): void {
    this.#sizesSavedMs = nowMs;
    this.#output.saveServiceSizes(new Map(this.#unsavedSizes));
    this.#unsavedSizes.clear();
    this.#sizesDueMs = Number.POSITIVE_INFINITY;
  }

  #expireTombstones(nowMs: number): void {
    let expired = 0;
    for (const { datum, registId, tombstone, endMs } of this.#tombstones) {
      if (endMs > nowMs) break;
      datum.expireTombstone(registId, tombstone);
      this.#forgetIfIdle(datum);
      expired++;
    }
    if (expired > 0) this.#tombstones.splice(0, expired);
  }
}

function deltaBytes(delta: DatumDelta): number {
  return delta.changes.reduce(
    (sum, change) => sum + CHANGE_BYTES + (change.kind === "put" ? change.publication.payload.length : 0),
    0,
  );
}
