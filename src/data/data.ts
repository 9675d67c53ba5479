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
import { Datum } from "./datum.ts";
import { RestartHold } from "./restartHold.ts";
import { ServiceSizes } from "./serviceSizes.ts";
import { TombstoneQueue } from "./tombstoneQueue.ts";
import { VersionFloor } from "./versionFloor.ts";

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
  | { readonly kind: "sessionUp"; readonly session: NodeId; readonly isFresh: boolean }
  | { readonly kind: "sessionDown"; readonly session: NodeId }
  | { readonly kind: "slotTable"; readonly table: SlotTable }
  | { readonly kind: "woken" };

// A notice carries the change itself while it is at most as large as a few packets; beyond, the session fetches what it
// needs.
const NOTICE_BYTES_MAX = 32 * 1024;
// What a change costs beside its payload: ids, zone, stamps.
const CHANGE_BYTES = 200;
// An interest that three scans in a row did not repeat is over.
const INTEREST_SCANS = 3;

export class Data {
  readonly #options: DataOptions;
  readonly #output: DataOutput;
  readonly #metrics: Metrics;
  readonly #datums = new Map<DataInfoId, Datum>();
  readonly #versions: VersionFloor;
  readonly #hold: RestartHold;
  readonly #leases = new Deadlines<NodeId>();
  // What the clients of a session's last process left here. Those that come back register anew, with a later stamp.
  readonly #orphans = new Deadlines<readonly PublishItem[]>();
  readonly #sizes: ServiceSizes;
  readonly #tombstones: TombstoneQueue;
  #table: SlotTable | undefined;
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
    this.#versions = new VersionFloor(memory.versionFloor, (floor) => this.#output.saveVersionFloor(floor));
    this.#sizes = new ServiceSizes((changed) => this.#output.saveServiceSizes(changed));
    this.#tombstones = new TombstoneQueue(options.tombstoneMs);
    this.#hold = new RestartHold(memory.serviceSizes, environment.nowMs + options.restartHoldMs);
  }

  step(event: DataEvent, nowMs: number): void {
    switch (event.kind) {
      case "received":
        this.#received(event.from, event.message, nowMs);
        break;
      case "sessionUp":
        this.#sessionUp(event.session, event.isFresh, nowMs);
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
    return Math.min(
      this.#leases.nextMs(),
      this.#orphans.nextMs(),
      this.#hold.untilMs,
      this.#sizes.nextMs(),
      this.#tombstones.nextMs(),
      this.#heartbeatMs + HEARTBEAT_INTERVAL_MS,
    );
  }

  /** The node stops: what its disk should know is written. */
  flush(): void {
    this.#sizes.flush();
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
    const touched = new Map<Datum, DatumChange[]>();
    for (const item of items) {
      const datum = this.#datumFor(item, nowMs);
      if (datum === undefined) continue;
      const changes = touched.get(datum) ?? [];
      touched.set(datum, changes);
      const change = this.#apply(datum, item, nowMs);
      if (change !== undefined) changes.push(change);
    }
    for (const [datum, changes] of touched) {
      if (changes.length > 0) this.#commit(datum, changes, nowMs);
      this.#forgetIfIdle(datum);
    }
    this.#metrics.set("roster_publishers", this.#publishers);
  }

  #apply(datum: Datum, item: PublishItem, nowMs: number): DatumChange | undefined {
    const sizeBefore = datum.size;
    const change = datum.apply(item);
    this.#publishers += datum.size - sizeBefore;
    if (item.kind === "remove") {
      this.#tombstones.add(datum, item.removal.registId, nowMs);
      if (change !== undefined && item.removal.cause === "unpublished") this.#hold.unpublished(datum.dataInfoId);
    }
    return change;
  }

  // A removal from a service that nobody knows leaves nothing to remember, or anybody could fill the memory with them.
  #datumFor(item: PublishItem, nowMs: number): Datum | undefined {
    const dataInfoId = dataInfoIdOf(item);
    return item.kind === "remove" ? this.#datums.get(dataInfoId) : this.#datum(dataInfoId, nowMs);
  }

  #commit(datum: Datum, changes: readonly DatumChange[], nowMs: number): void {
    const delta = datum.commit(changes, this.#versions.next(nowMs));
    const wasHeld = this.#hold.holds(datum.dataInfoId);
    if (wasHeld && !this.#hold.releases(datum.dataInfoId, datum.size)) return;
    this.#sizes.set(datum.dataInfoId, datum.size, nowMs);
    if (wasHeld) this.#tellWhole(datum, nowMs);
    else this.#tellChange(datum, delta, nowMs);
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
    datum.raise(this.#versions.next(nowMs));
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
    for (const datum of this.#datums.values()) {
      if (leaderOf(table, datum.dataInfoId) !== this.#options.id) this.#forget(datum);
    }
  }

  #leads(dataInfoId: DataInfoId): boolean {
    // A datum exists only while its slot is led here; looking that up is cheaper than the sum that names the slot.
    if (this.#datums.has(dataInfoId)) return true;
    return this.#table !== undefined && leaderOf(this.#table, dataInfoId) === this.#options.id;
  }

  #datum(dataInfoId: DataInfoId, nowMs: number): Datum {
    const known = this.#datums.get(dataInfoId);
    if (known !== undefined) return known;
    const datum = new Datum(dataInfoId, this.#versions.next(nowMs), this.#options.operatorLogEntries);
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

  #wake(nowMs: number): void {
    if (nowMs >= this.#heartbeatMs + HEARTBEAT_INTERVAL_MS) this.#heartbeat(nowMs);
    this.#endLeases(nowMs);
    if (nowMs >= this.#hold.untilMs) this.#endHold(nowMs);
    this.#sizes.wake(nowMs);
    this.#tombstones.expire(nowMs, (datum) => this.#forgetIfIdle(datum));
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
      this.#take(this.#removalsOf(session), nowMs);
      for (const datum of this.#datums.values()) {
        datum.interested.delete(session);
        this.#forgetIfIdle(datum);
      }
    }
    for (let left = this.#orphans.take(nowMs); left !== undefined; left = this.#orphans.take(nowMs)) {
      this.#take(left, nowMs);
    }
  }

  #removalsOf(session: NodeId): PublishItem[] {
    const removals: PublishItem[] = [];
    for (const datum of this.#datums.values()) {
      for (const publication of datum.publications()) {
        if (publication.owner.session !== session) continue;
        const { dataInfoId, registId, version, registeredMs } = publication;
        const stamp = { version, registeredMs };
        removals.push({ kind: "remove", removal: { dataInfoId, registId, cause: "left", stamp } });
      }
    }
    return removals;
  }

  #endHold(nowMs: number): void {
    for (const dataInfoId of this.#hold.end()) {
      const datum = this.#datums.get(dataInfoId);
      this.#sizes.set(dataInfoId, datum?.size ?? 0, nowMs);
      if (datum !== undefined) this.#tellWhole(datum, nowMs);
    }
  }
}

function deltaBytes(delta: DatumDelta): number {
  return delta.changes.reduce(
    (sum, change) => sum + CHANGE_BYTES + (change.kind === "put" ? change.publication.payload.length : 0),
    0,
  );
}
