// The data role: keeps the publications of the slots that it leads and follows, and tells sessions the changes in those
// that it leads. Events in, messages out, the time as an argument; ARCHITECTURE.md follows a publication through it.

import { unreachable } from "../base/assert.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Random } from "../base/ports.ts";
import { MembershipView } from "../cluster/membershipView.ts";
import type { Members, MetaToMember } from "../cluster/messages/membership.ts";
import type { HeldVersion } from "../cluster/messages/replication.ts";
import { dataInfoIdOf, type PublishItem, type SessionToData } from "../cluster/messages/sessionData.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { Completeness } from "./completeness.ts";
import type { DataEvent, DataMemory, DataOptions, DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import { Departures } from "./departures.ts";
import { EmptyServices } from "./emptyServices.ts";
import { ForeignVersions } from "./foreignVersions.ts";
import { type Applied, Intake } from "./intake.ts";
import { InterestSweep } from "./interestSweep.ts";
import { type HeldLoss, LossProtection } from "./lossProtection.ts";
import { Notices } from "./notices.ts";
import { PackedMemory } from "./packed/packedStore.ts";
import { TOMBSTONE_BYTES_MAX, Tombstones } from "./packed/tombstones.ts";
import { Recall } from "./recall.ts";
import { Reconciliation } from "./reconciliation.ts";
import { Replication } from "./replication.ts";
import { RestartHold } from "./restartHold.ts";
import { ServiceSizes } from "./serviceSizes.ts";
import { Sessions } from "./sessions.ts";
import { ShownSlots } from "./shownSlots.ts";
import { type SharedMemory, type SlotContents, usedBytes } from "./slotContents.ts";
import { type KeptSlot, type LedSlot, Slots } from "./slots.ts";
import type { DataParts } from "./unfinished.ts";
import { VersionFloor } from "./versionFloor.ts";

// A timer that fires this late was held up by this process, not by its clock.
const STALL_MS = 1_000;
// Each heartbeat does some of the deferred work of the publications' memory: at most a millisecond.
const TIDY_STEPS = 2_000;
// The most tombstones that end in a step, some milliseconds; the next step follows at once.
const TOMBSTONES_PER_STEP = 2_000;
// An interest that three scans in a row did not repeat is over.
const INTEREST_SCANS = 3;
// A node that stood still for a while must not forget interests that sessions are about to repeat.
const INTEREST_FORGOTTEN_SCANS = 12;

export class Data {
  readonly #options: DataOptions;
  readonly #output: DataOutput;
  readonly #metrics: Metrics;
  readonly #publications: PackedMemory;
  readonly #memory: SharedMemory;
  readonly #slots: Slots;
  readonly #intake: Intake;
  readonly #sessions: Sessions;
  readonly #membership: MembershipView;
  readonly #reconciliation: Reconciliation;
  readonly #recall: Recall;
  readonly #replication: Replication;
  readonly #completeness: Completeness;
  readonly #departures: Departures;
  readonly #notices: Notices;
  readonly #shown: ShownSlots;
  readonly #empty: EmptyServices;
  readonly #interests: InterestSweep;
  readonly #versions: VersionFloor;
  readonly #foreign: ForeignVersions;
  readonly #hold: RestartHold;
  readonly #protection: LossProtection;
  readonly #sizes: ServiceSizes;
  readonly #tombstones: Tombstones<Datum>;
  #nowMs: number;
  #steppedMs = Number.NEGATIVE_INFINITY;

  constructor(
    options: DataOptions,
    memory: DataMemory,
    environment: { output: DataOutput; metrics: Metrics; random: Random; nowMs: number },
  ) {
    const { output } = environment;
    this.#options = options;
    this.#output = output;
    this.#metrics = environment.metrics;
    this.#nowMs = environment.nowMs;
    this.#publications = new PackedMemory(options, environment.random);
    this.#tombstones = new Tombstones({ tombstoneBytesMax: TOMBSTONE_BYTES_MAX, ...options }, environment.random);
    const { operatorLogEntries: logChangesMax } = options;
    this.#memory = { publications: this.#publications, tombstones: this.#tombstones, logChangesMax, datums: 0 };
    this.#slots = new Slots(options.id, this.#memory);
    this.#sessions = new Sessions(options.sessionLeaseMs);
    this.#membership = new MembershipView(
      { role: "data", address: options.address },
      { toMeta: (message) => output.toMeta(message), link: (nodes) => output.linkLeaders(nodes) },
    );
    this.#intake = new Intake(this.#slots, options, {
      newVersion: (leaderEpoch) => this.#newVersion(leaderEpoch),
      unpublished: (datum) => this.#hold.unpublished(datum),
      refuses: (item, from, { led, datum }) => this.#departures.refuses(item, from, { led, datum, nowMs: this.#nowMs }),
      judges: (item, from, { led, live }) => this.#departures.judges(item, from, { led, live, nowMs: this.#nowMs }),
      commit: (led, datum, applied) => this.#commit(led, datum, applied),
    });
    this.#reconciliation = new Reconciliation(this.#slots, {
      send: (session, message) => output.toSession(session, message),
      take: (items) => void this.#intake.take(items),
      heard: (slot, session) => this.#completeness.heard(slot, session, this.#nowMs),
      awaits: (slot, session) => this.#completeness.awaits(slot, session, this.#nowMs),
    });
    this.#hold = new RestartHold(memory.serviceSizes, options.restartHoldMs);
    this.#sizes = new ServiceSizes(this.#hold, (changed) => output.saveServiceSizes(changed));
    const replicated = { slots: this.#slots, hold: this.#hold };
    this.#replication = new Replication(replicated, {
      toLeader: (node, message) => output.toLeader(node, message),
      toFollower: (node, message) => output.toFollower(node, message),
      believes: (what, from, version) => this.#foreign.believes({ what, from, version }, this.#nowMs),
      versioned: (version) => this.#versions.raise(version),
      resized: (datum) => this.#sizes.resized(datum, this.#nowMs),
      dropped: (service) => this.#sizes.dropped(service, this.#nowMs),
      held: (contents, hold) => this.#sizes.follow(contents, hold, this.#nowMs),
      ahead: (held, from) => this.#goAhead(held, from),
      isWhole: () => this.#membership.hasNews(),
    });
    this.#notices = new Notices(options.versionScanIntervalMs * INTEREST_SCANS, {
      send: (session, message) => output.toSession(session, message),
      recalls: (datum, session, have) => this.#recall.asks(datum, session, { have, nowMs: this.#nowMs }),
      overtake: (datum, have) => this.#overtake(datum, have),
    });
    this.#interests = new InterestSweep(this.#slots, options.versionScanIntervalMs * INTEREST_FORGOTTEN_SCANS);
    this.#versions = new VersionFloor(memory.versionFloor, (floor) => output.saveVersionFloor(floor));
    this.#foreign = new ForeignVersions(this.#versions, output);
    this.#protection = new LossProtection(options);
    const held = { slots: this.#slots, sessions: this.#sessions, protection: this.#protection };
    this.#completeness = new Completeness(held, options.sessionLeaseMs, (slot) => this.#shownOrNot(slot));
    this.#recall = new Recall(held, {
      send: (session, message) => output.toSession(session, message),
      take: (items) => void this.#intake.take(items),
      answered: (datum) => this.#show(datum),
    });
    this.#empty = new EmptyServices(this.#memory, options.emptyServicesMax, (epoch) => this.#newVersion(epoch));
    this.#shown = new ShownSlots((datum) => this.#show(datum));
    this.#departures = new Departures(held, {
      take: (items) => void this.#intake.take(items),
      offer: (slot, gone) => this.#reconciliation.offer(slot, gone, (session) => this.#sessions.isAbsent(session)),
      send: (session, message) => output.toSession(session, message),
      contested: (contested) => {
        this.#metrics.add("roster_registrations_contested_total", 1);
        output.contested(contested);
      },
      forgetIfIdle: (slot, datum) => this.#forgetIfIdle(slot, datum),
    });
  }

  /** The number of slots that this node leads or follows by the newest table: a leaving node may go when it is zero. */
  get slotsKept(): number {
    return this.#slots.size;
  }

  /** The number of them that it leads. */
  get slotsLed(): number {
    let led = 0;
    for (const _ of this.#slots.led()) led++;
    return led;
  }

  /** The number of slots of which this node holds a whole copy. */
  get slotsInSync(): number {
    return [...this.#slots.followed()].filter(({ isInSync }) => isInSync).length;
  }

  /** The newest slot table that this node knows. */
  get slotTable(): SlotTable | undefined {
    return this.#slots.table;
  }

  /** Whether it serves every slot that it leads. */
  get isServing(): boolean {
    return this.#slots.table !== undefined && this.#completeness.isComplete;
  }

  /** Services whose lists are held because too many publishers would go at once, for operators. */
  get heldLosses(): readonly HeldLoss[] {
    return this.#departures.held();
  }

  /** Its parts, for unfinished.ts. */
  get parts(): DataParts {
    const parts = { slots: this.#slots, sessions: this.#sessions, hold: this.#hold, memory: this.#memory };
    return { ...parts, departuresMs: this.#departures.nextMs() };
  }

  step(event: DataEvent, nowMs: number): void {
    const lateMs = nowMs - this.nextWakeMs();
    this.#nowMs = nowMs;
    this.#steppedMs = nowMs;
    this.#tombstones.beginStep(nowMs);
    // A process that was never awake has not stood still.
    if (lateMs > STALL_MS && lateMs < Number.POSITIVE_INFINITY) this.#departures.forgiveStall(nowMs);
    switch (event.kind) {
      case "fromSession":
        this.#fromSession(event.from, event.message);
        break;
      case "sessionUp":
        this.#sessions.linked(event.session);
        this.#protection.returned(event.session);
        break;
      case "sessionDown":
        this.#departures.unlinked(event.session, nowMs);
        this.#reconciliation.unlinked(event.session);
        this.#recall.unlinked(event.session);
        this.#completeness.sessionsChanged(nowMs);
        break;
      case "fromLeader":
        this.#replication.fromLeader(event.from, event.message, nowMs);
        break;
      case "leaderUp":
        this.#replication.leaderUp(event.node);
        break;
      case "leaderDown":
        this.#replication.leaderDown(event.node);
        this.#membership.hasNews();
        break;
      case "fromFollower":
        this.#replication.fromFollower(event.from, event.message, nowMs);
        break;
      case "followerDown":
        this.#replication.followerDown(event.node);
        break;
      case "fromMeta":
        this.#fromMeta(event.message);
        break;
      case "metaUp":
        this.#membership.hasNews();
        break;
      case "leave":
        this.#membership.leave();
        break;
      case "releaseHeld":
        this.#departures.release(event.dataInfoId);
        break;
      case "followerUp":
      case "woken":
        break;
      default:
        unreachable(event);
    }
    this.#wake();
  }

  /** The time of the next `woken`. */
  nextWakeMs(): number {
    const soonestMs = Math.min(
      this.#membership.nextMs(),
      this.#departures.nextMs(),
      this.#replication.nextMs(),
      this.#sizes.nextMs(),
      this.#tombstones.nextMs(),
      this.#shown.nextMs(),
    );
    // Work left over from a step is due at once: the node is not late with it.
    return Math.max(this.#steppedMs, soonestMs);
  }

  /** The node stops: writes everything that its disk should know. */
  flush(): void {
    this.#sizes.flush();
  }

  #fromSession(from: NodeId, message: SessionToData): void {
    switch (message.kind) {
      case "publish":
        return this.#publish(from, message);
      case "fetch":
        return this.#answer(from, message.dataInfoId, { have: message.have, isScan: false });
      case "release":
        return this.#forgetInterest(from, message.dataInfoIds);
      case "scan":
        for (const [dataInfoId, have] of message.versions) this.#answer(from, dataInfoId, { have, isScan: true });
        return;
      case "digests":
        return this.#reconciliation.digests(from, message);
      case "inventory":
        return this.#reconciliation.inventory(from, message);
      case "yielded":
        return this.#departures.yielded(from, message.registrations, this.#nowMs);
      case "recalled":
        return this.#recall.recalled(from, this.#foreign.list(message.datum, from, this.#nowMs));
      default:
        return unreachable(message);
    }
  }

  get #isFull(): boolean {
    return usedBytes(this.#memory) > this.#options.dataBytesMax;
  }

  #publish(from: NodeId, { batch, items }: { batch: number; items: readonly PublishItem[] }): void {
    if (!items.every((item) => this.#slots.leading(dataInfoIdOf(item)) !== undefined)) {
      return this.#output.toSession(from, { kind: "moved", batch, epoch: this.#slots.epoch });
    }
    const { superseded, unlisted } = this.#intake.take(items, from);
    this.#output.toSession(from, { kind: "taken", batch, superseded, unlisted, isFull: this.#isFull });
    if (unlisted.length > 0) this.#metrics.add("roster_publishers_unlisted_total", unlisted.length);
    for (const item of items) this.#reconciliation.published(from, item);
  }

  #commit(led: LedSlot, datum: Datum, { changes, taken }: Applied): void {
    if (changes.length > 0) {
      const delta = datum.commit(changes, this.#newVersion(led.leaderEpoch));
      const wasHeld = this.#hold.holds(datum);
      this.#sizes.resized(datum, this.#nowMs);
      const isReleased = !this.#hold.holds(datum);
      if (!led.isServing || !isReleased || wasHeld) datum.isUntold = true;
      else this.#notices.changed(datum, delta, this.#nowMs);
      if (led.isServing && isReleased && wasHeld) this.#notices.shown(datum, this.#nowMs);
    }
    if (taken.length > 0) this.#replication.changed(led, datum, taken);
    this.#protection.changed(datum, this.#nowMs);
    this.#forgetIfIdle(led, datum);
  }

  #newVersion(leaderEpoch: bigint): DatumVersion {
    return { version: this.#versions.next(this.#nowMs, leaderEpoch), origin: leaderEpoch };
  }

  /**
   * Answers a session that has the version `have`. A service without publishers has a version too: its emptiness is a
   * fact to be pushed.
   */
  #answer(from: NodeId, dataInfoId: DataInfoId, { have: said, isScan }: { have: DatumVersion; isScan: boolean }): void {
    const led = this.#slots.leading(dataInfoId);
    if (led === undefined) return this.#output.toSession(from, { kind: "notReady", dataInfoId });
    const have = this.#foreign.have(said, { what: isScan ? "scan" : "fetch", from }, this.#nowMs);
    const known = led.contents.datums.get(dataInfoId);
    const isHeld = known === undefined && this.#hold.holds({ dataInfoId, slot: led.contents.slot });
    if (known === undefined && !isHeld && this.#empty.areTooMany && this.#recall.hasHeardAll(led, from)) {
      this.#versions.raise(have.version);
      const answer = this.#empty.answer(led, { dataInfoId, have, isScan });
      if (answer !== undefined) this.#output.toSession(from, answer);
      return;
    }
    const datum = known ?? led.contents.add(dataInfoId, this.#newVersion(led.leaderEpoch));
    this.#notices.asked(datum, from, this.#nowMs);
    if (!led.isServing || this.#hold.holds(datum)) return this.#notices.wait(datum, from, have);
    this.#notices.answer(datum, from, { have, isScan });
  }

  // A session has a higher version than this node gave, or one of another leader: that node's clock was ahead, or this
  // one lost its disk. Subscribers would drop every lower version.
  #overtake(datum: Datum, have: DatumVersion): void {
    const led = this.#slots.ledSlot(datum.slot);
    if (led === undefined) return;
    this.#versions.raise(have.version);
    datum.raise(this.#newVersion(led.leaderEpoch));
    this.#replication.changed(led, datum, []);
  }

  /** An earlier leader gave higher versions than this node knew. */
  #goAhead({ dataInfoId, version, origin }: HeldVersion, from: NodeId): void {
    if (!this.#foreign.believes({ what: "follow", from, version }, this.#nowMs)) return;
    const datum = this.#slots.leading(dataInfoId)?.contents.datums.get(dataInfoId);
    if (datum === undefined) this.#versions.raise(version);
    else if (version > datum.version.version) this.#overtake(datum, { version, origin });
  }

  #forgetInterest(from: NodeId, dataInfoIds: readonly DataInfoId[]): void {
    for (const dataInfoId of dataInfoIds) {
      const led = this.#slots.leading(dataInfoId);
      const datum = led?.contents.datums.get(dataInfoId);
      if (led === undefined || datum === undefined) continue;
      datum.waiting.delete(from);
      if (datum.interested.delete(from)) this.#forgetIfIdle(led, datum);
    }
  }

  #forgetIfIdle({ contents }: KeptSlot, datum: Datum): void {
    // An old tombstone may still point to a datum that was forgotten and made anew since.
    if (datum.isIdle && contents.datums.get(datum.dataInfoId) === datum) contents.drop(datum.dataInfoId);
  }

  #fromMeta(message: MetaToMember): void {
    switch (message.kind) {
      case "slotTable":
        return this.#adopt(message.table, message.versionFloor);
      case "members":
        return this.#joined(message.members);
      case "refused":
        return this.#output.refused(message.reason);
      case "config":
      case "clientCounts":
        return;
      default:
        return unreachable(message);
    }
  }

  #joined(members: Members): void {
    if (!this.#membership.joined(members)) return;
    this.#sessions.joined(members, this.#nowMs);
    for (const member of members.list) if (member.role === "session") this.#protection.returned(member.id);
    this.#linkLeaders();
    this.#completeness.sessionsChanged(this.#nowMs);
  }

  #adopt(table: SlotTable, versionFloor: bigint): void {
    const adopted = this.#slots.adopt(table, this.#nowMs);
    if (adopted === undefined) return;
    // There may be no other node left that knows the versions of a slot which this node neither led nor followed.
    this.#foreign.floor(versionFloor, this.#nowMs);
    this.#hold.begin((dataInfoId) => this.#slots.slotOf(dataInfoId), this.#nowMs);
    for (const { slot, hadCopy } of adopted.led) this.#beginToLead(slot, hadCopy);
    this.#completeness.adopted();
    for (const { contents } of adopted.lost) this.#protection.forget(contents.slot);
    for (const contents of adopted.gone) this.#clear(contents);
    this.#replication.adopted();
    this.#linkLeaders();
    this.#membership.hasNews();
    this.#reconciliation.adopted();
    this.#recall.adopted();
  }

  /** Other nodes keep these services now. A stopping node remembers them: perhaps all stop, and this one leads next. */
  #clear(contents: SlotContents): void {
    if (!this.#membership.isLeaving) this.#sizes.forget(contents, this.#nowMs);
    contents.clear();
  }

  #linkLeaders(): void {
    const leaders = this.#replication.leaders();
    this.#membership.link(({ role, id }) => role === "data" && leaders.has(id));
  }

  #beginToLead(slot: LedSlot, hadCopy: boolean): void {
    const { contents } = slot;
    this.#completeness.begun(slot);
    for (const datum of contents.datums.values()) {
      this.#versions.raise(datum.version.version);
      datum.inherited = datum.version;
    }
    for (const session of contents.owners()) this.#sessions.watch(session, this.#nowMs);
    // For a whole copy the leader has already reported what it holds.
    if (!hadCopy) for (const datum of contents.datums.values()) this.#sizes.resized(datum, this.#nowMs);
  }

  /** A slot has begun, or ceased, to be served. */
  #shownOrNot(slot: LedSlot): void {
    this.#membership.hasNews();
    if (slot.isServing) this.#shown.add(slot);
  }

  /** Sessions that wait for the list are answered, unless another reason holds it. */
  #show(datum: Datum): void {
    const isServing = this.#slots.ledSlot(datum.slot)?.isServing === true;
    if (isServing && !this.#hold.holds(datum)) this.#notices.shown(datum, this.#nowMs);
  }

  #wake(): void {
    const nowMs = this.#nowMs;
    this.#departures.wake(nowMs);
    this.#completeness.wake(nowMs);
    this.#shown.work();
    this.#replication.wake(nowMs);
    if (nowMs >= this.#hold.untilMs) this.#endHold();
    this.#sizes.wake(nowMs);
    this.#tombstones.expire(TOMBSTONES_PER_STEP, (datum) => this.#expired(datum));
    if (nowMs >= this.#membership.nextMs()) this.#heartbeat();
  }

  #heartbeat(): void {
    this.#membership.heartbeat({
      tableEpoch: this.#slots.epoch,
      data: { slots: this.#slots.report((slot) => this.#hold.heldIn(slot) > 0), newestVersion: this.#versions.newest },
      nowMs: this.#nowMs,
    });
    let publishers = 0;
    let held = this.#protection.size;
    for (const { contents } of this.#slots.led()) {
      publishers += contents.publishers;
      held += this.#hold.heldIn(contents.slot);
    }
    this.#metrics.set("roster_services_held", held);
    this.#metrics.set("roster_publishers", publishers);
    this.#metrics.set("roster_publishers_memory_bytes", this.#publications.bytes);
    this.#metrics.set("roster_data_full", this.#isFull ? 1 : 0);
    this.#metrics.set("roster_tombstones", this.#tombstones.size);
    this.#metrics.add("roster_tombstones_ended_early_total", this.#tombstones.takeEndedEarly());
    this.#publications.tidy(TIDY_STEPS);
    this.#interests.step(this.#nowMs, (slot, datum) => this.#forgetIfIdle(slot, datum));
  }

  #expired(datum: Datum): void {
    const slot = this.#slots.keptSlot(datum.slot);
    if (slot !== undefined) this.#forgetIfIdle(slot, datum);
  }

  #endHold(): void {
    for (const datum of this.#sizes.endHold((slot) => this.#slots.keptSlot(slot), this.#nowMs)) this.#show(datum);
  }
}
