// The slots that this node leads: what sessions publish there, what they are answered and told, and what becomes of the
// registrations of sessions that are gone. Each part stands by itself and knows only parts that were made before it;
// what a step has made visible is shown at its end.

import { unreachable } from "../base/assert.ts";
import type { Metrics } from "../base/metrics.ts";
import type { FollowerToLeader } from "../cluster/messages/replication.ts";
import { type PublishItem, type SessionToData, serviceKeyOf } from "../cluster/messages/sessionData.ts";
import type { RulesTaken, RuleView } from "../cluster/ruleView.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { AddressSearch } from "./addressSearch.ts";
import { Answers } from "./answers.ts";
import { Catalogue } from "./catalogue.ts";
import { Commits } from "./commits.ts";
import { Completeness } from "./completeness.ts";
import { Contention } from "./contention.ts";
import type { DataOptions, DataOutput } from "./dataPorts.ts";
import type { Datum } from "./datum.ts";
import { Departures } from "./departures.ts";
import { EmptyServices } from "./emptyServices.ts";
import { Followers } from "./followers.ts";
import type { ForeignVersions } from "./foreignVersions.ts";
import { Intake } from "./intake.ts";
import { InterestSweep } from "./interestSweep.ts";
import { LeaseClock } from "./leaseClock.ts";
import { Leases } from "./leases.ts";
import { LeaseTable } from "./leaseTable.ts";
import type { HeldLoss, LossProtection } from "./lossProtection.ts";
import { Notices } from "./notices.ts";
import { Overtaking } from "./overtaking.ts";
import { Recall } from "./recall.ts";
import { Reconciliation } from "./reconciliation.ts";
import type { RestartHold } from "./restartHold.ts";
import { RuleSweep } from "./ruleSweep.ts";
import type { ServiceSizes } from "./serviceSizes.ts";
import type { Sessions } from "./sessions.ts";
import { ShownSlots } from "./shownSlots.ts";
import { SilentServices } from "./silentServices.ts";
import { type SharedMemory, usedBytes } from "./slotContents.ts";
import type { Adopted, Slots } from "./slots.ts";
import { SurveyHub } from "./surveyHub.ts";
import type { VersionFloor } from "./versionFloor.ts";

// An interest that three scans in a row did not repeat is over.
const INTEREST_SCANS = 3;
// A node that stood still for a while must not forget interests that sessions are about to repeat.
const INTEREST_FORGOTTEN_SCANS = 12;

/** The parts of a data node that do not depend on whether it leads a slot. */
export interface CommonParts {
  readonly memory: SharedMemory;
  readonly slots: Slots;
  readonly sessions: Sessions;
  readonly versions: VersionFloor;
  readonly foreign: ForeignVersions;
  readonly hold: RestartHold;
  readonly sizes: ServiceSizes;
  readonly protection: LossProtection;
  readonly rules: RuleView;
}

type Publish = Extract<SessionToData, { kind: "publish" }>;
type WatchCatalogue = Extract<SessionToData, { kind: "catalogueWatch" }>;

export class Leading {
  readonly #options: DataOptions;
  readonly #output: DataOutput;
  readonly #metrics: Metrics;
  readonly #common: CommonParts;
  readonly #followers: Followers;
  readonly #catalogue: Catalogue;
  readonly #addresses: AddressSearch;
  readonly #surveys: SurveyHub;
  readonly #overtaking: Overtaking;
  readonly #commits: Commits;
  readonly #contention: Contention;
  readonly #leaseClock: LeaseClock;
  readonly #leaseTable: LeaseTable;
  readonly #silent: SilentServices;
  readonly #leases: Leases;
  readonly #intake: Intake;
  readonly #completeness: Completeness;
  readonly #reconciliation: Reconciliation;
  readonly #recall: Recall;
  readonly #answers: Answers;
  readonly #shown = new ShownSlots();
  readonly #departures: Departures;
  readonly #sweep: RuleSweep;
  readonly #interests: InterestSweep;

  constructor(
    options: DataOptions,
    common: CommonParts,
    { output, metrics }: { output: DataOutput; metrics: Metrics },
  ) {
    const { versionScanIntervalMs, emptyServicesMax } = options;
    const { memory, slots, versions } = common;
    this.#options = options;
    this.#output = output;
    this.#metrics = metrics;
    this.#common = common;
    this.#followers = new Followers(common, output);
    this.#catalogue = new Catalogue(common, versionScanIntervalMs * INTEREST_SCANS, output);
    this.#addresses = new AddressSearch(common, output);
    this.#surveys = new SurveyHub(output);
    const [followers, catalogue] = [this.#followers, this.#catalogue];
    this.#overtaking = new Overtaking({ ...common, followers, catalogue });
    const notices = new Notices(
      versionScanIntervalMs * INTEREST_SCANS,
      output,
      metrics.counter("roster_notices_total"),
    );
    const versionsMade = metrics.counter("roster_versions_total");
    this.#commits = new Commits({ ...common, notices, followers, catalogue, versionsMade, output });
    this.#contention = new Contention(common, {
      toSession: (session, message) => output.toSession(session, message),
      contested: (contested) => {
        metrics.add("roster_registrations_contested_total", 1);
        output.contested(contested);
      },
    });
    this.#leaseClock = new LeaseClock(common.sessions, options);
    this.#leaseTable = new LeaseTable(this.#leaseClock);
    this.#silent = new SilentServices(options);
    const taking = { contention: this.#contention, commits: this.#commits, leases: this.#leaseTable };
    this.#intake = new Intake({ ...common, ...taking }, options);
    const leased = { table: this.#leaseTable, clock: this.#leaseClock, silent: this.#silent };
    this.#leases = new Leases({ slots, ...leased, commits: this.#commits, intake: this.#intake }, metrics);
    this.#completeness = new Completeness(common, options);
    const [intake, completeness] = [this.#intake, this.#completeness];
    this.#reconciliation = new Reconciliation({ slots, intake, completeness }, output, metrics);
    this.#recall = new Recall({ ...common, intake }, output);
    const empty = new EmptyServices(memory, emptyServicesMax, versions);
    const answering = { notices, empty, recall: this.#recall, overtaking: this.#overtaking };
    this.#answers = new Answers({ ...common, ...answering }, output, metrics);
    const leaving = { contention: this.#contention, intake, reconciliation: this.#reconciliation };
    this.#departures = new Departures({ ...common, ...leaving });
    this.#sweep = new RuleSweep({ slots, commits: this.#commits });
    this.#interests = new InterestSweep(slots, versionScanIntervalMs * INTEREST_FORGOTTEN_SCANS);
  }

  /** Every led slot is served. */
  get isComplete(): boolean {
    return this.#completeness.isComplete;
  }

  /** The node holds as much as it may: sessions are to refuse what is new for it. */
  get isFull(): boolean {
    return usedBytes(this.#common.memory) + this.#leaseTable.bytes > this.#options.dataBytesMax;
  }

  /** Begins to lead slots, and forgets what concerns those that other nodes lead now. */
  adopted({ led, lost }: Adopted, nowMs: number): void {
    for (const one of led) this.#begin(one, nowMs);
    this.#completeness.adopted();
    for (const slot of lost) {
      const { contents } = slot;
      if (slot.duty === "lead") this.#reconciliation.lost(slot);
      this.#leaseTable.dropSlot(contents.slot);
      this.#common.protection.forget(contents.slot);
      this.#catalogue.lost(contents.slot);
      this.#addresses.lost(contents.slot);
    }
    this.#reconciliation.adopted(nowMs);
    this.#recall.adopted();
  }

  /** Sessions have come or gone, by meta's list. */
  sessionsChanged(nowMs: number): void {
    this.#leaseClock.sessionsChanged(nowMs);
    this.#completeness.sessionsChanged(nowMs);
  }

  sessionUp(session: NodeId, nowMs: number): void {
    this.#common.sessions.linked(session);
    this.#surveys.linked(session);
    this.#common.protection.returned(session);
    this.#contention.linked(session, nowMs);
    this.#leaseClock.sessionsChanged(nowMs);
  }

  sessionDown(session: NodeId, nowMs: number): void {
    this.#common.sessions.unlinked(session, nowMs);
    this.#take(this.#contention.unlinked(session, nowMs), nowMs);
    this.#reconciliation.unlinked(session);
    this.#catalogue.unlinked(session);
    this.#addresses.unlinked(session);
    this.#surveys.unlinked(session);
    for (const datum of this.#recall.unlinked(session)) this.#answers.show(datum, nowMs);
    this.sessionsChanged(nowMs);
  }

  followerDown(node: NodeId): void {
    this.#followers.down(node);
  }

  fromFollower(from: NodeId, message: FollowerToLeader, nowMs: number): void {
    const { slot, leaderEpoch, kept } = message;
    const led = this.#common.slots.ledSlot(slot);
    if (led === undefined || led.leaderEpoch !== leaderEpoch) {
      return this.#output.toFollower(from, { kind: "notLeader", slot, leaderEpoch });
    }
    for (const one of kept) this.#overtaking.ahead(one, { what: "follow", from }, nowMs);
    this.#followers.copy(led, from, message, nowMs);
  }

  fromSession(from: NodeId, message: SessionToData, nowMs: number): void {
    switch (message.kind) {
      case "publish":
        return this.#publish(from, message, nowMs);
      case "fetch":
        return this.#answers.asked(from, message.serviceKey, { have: message.have, isScan: false }, nowMs);
      case "reissue":
        return this.#answers.reissue(from, message, nowMs);
      case "release":
        return this.#forgetInterest(from, message.serviceKeys);
      case "scan":
        for (const [serviceKey, have] of message.versions) {
          this.#answers.asked(from, serviceKey, { have, isScan: true }, nowMs);
        }
        return;
      case "digests":
        return this.#reconciliation.digests(from, message, nowMs);
      case "inventory":
        return this.#reconciliation.inventory(from, message, nowMs);
      case "yielded":
        return this.#take(this.#contention.yielded(from, message.registrations, nowMs), nowMs);
      case "recalled": {
        const list = this.#common.foreign.checkedList(message.datum, from, nowMs);
        const answered = this.#recall.recalled(from, list, nowMs);
        if (answered !== undefined) this.#answers.show(answered, nowMs);
        return;
      }
      case "catalogueWatch":
        return this.#watchCatalogue(from, message, nowMs);
      case "catalogueRelease":
        return this.#catalogue.release(from, message.scopes);
      case "addressAsk":
        return this.#addresses.asked(from, message);
      case "addressRelease":
        return this.#addresses.release(from, message.questions);
      case "surveyAsk":
      case "surveyRelease":
      case "surveyPart":
        return this.#surveys.fromSession(from, message);
      case "renew":
        return this.#output.toSession(from, this.#leases.renew(message, nowMs));
      default:
        return unreachable(message);
    }
  }

  /** An operator reports that the publishers held by the loss protection are dead. */
  releaseHeld(serviceKey: ServiceKey, nowMs: number): void {
    this.#departures.release(serviceKey, nowMs);
    this.#leases.release(serviceKey);
  }

  /** Operators' rules have changed. */
  rulesChanged(taken: RulesTaken): void {
    this.#sweep.changed(taken);
  }

  /** Every publication is marked by the newest rules. */
  get followsRules(): boolean {
    return this.#sweep.isDone;
  }

  /** This process stood still: messages that seem late may have been sent meanwhile. */
  resumed(lateMs: number, nowMs: number): void {
    this.#leaseClock.resumed(lateMs, nowMs);
    this.#common.sessions.resumed(nowMs);
    this.#contention.resumed(nowMs);
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    return Math.min(
      this.#departures.nextMs(),
      this.#leases.nextMs(),
      this.#contention.nextMs(),
      this.#shown.nextMs(),
      this.#catalogue.nextMs(),
      this.#addresses.nextMs(),
      this.#sweep.isDone ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY,
    );
  }

  /** The time at which the next remains of a session end. */
  remainsMs(): number {
    return Math.min(this.#departures.nextMs(), this.#contention.nextMs());
  }

  /** Does what is due, and shows what this step has made visible. Returns whether meta is to hear of it. */
  wake(nowMs: number): boolean {
    this.#take(this.#contention.takeEnded(nowMs), nowMs);
    this.#departures.wake(nowMs);
    this.#leases.wake(nowMs);
    this.#sweep.wake(nowMs);
    this.#completeness.wake(nowMs);
    const changed = this.#completeness.takeChanged();
    for (const slot of changed) {
      if (slot.isServing) this.#shown.add(slot);
      this.#catalogue.changed(slot);
      this.#addresses.changed(slot);
    }
    for (const datum of this.#commits.takeReleased()) this.#answers.show(datum, nowMs);
    for (const datum of this.#shown.next()) this.#answers.show(datum, nowMs);
    this.#catalogue.wake(nowMs);
    this.#addresses.wake(nowMs);
    return changed.size > 0;
  }

  /** Restart holds are over, of these datums and of services without any. */
  holdEnded(datums: readonly Datum[], nowMs: number): void {
    this.#catalogue.holdEnded();
    for (const datum of datums) this.#answers.show(datum, nowMs);
  }

  /** The sessions that watch the catalogue. */
  get catalogueWatchers(): Iterable<NodeId> {
    return this.#catalogue.watchers();
  }

  /** The sessions that have asked for the registrations at an address, and wait. */
  get addressAskers(): Iterable<NodeId> {
    return this.#addresses.askers();
  }

  /** The sessions that have asked for a survey, and wait. */
  get surveyAskers(): Iterable<NodeId> {
    return this.#surveys.askers();
  }

  /** Services whose lists are held because too many clients would go at once, for operators. */
  get heldLosses(): readonly HeldLoss[] {
    return [...this.#common.protection.list(), ...this.#silent.list()];
  }

  /** The number of these, and the time for which the longest-held one has been held; 0 without one. */
  measureHeld(nowMs: number): { readonly held: number; readonly oldestMs: number } {
    const { protection } = this.#common;
    const [lost, silent] = [protection.oldestMs(nowMs), this.#silent.oldestMs(nowMs)];
    return { held: protection.size + this.#silent.size, oldestMs: Math.max(lost, silent) };
  }

  /** The number of registrations that are kept by heartbeats, and of those that are shown as unhealthy. */
  get leases(): { readonly size: number; readonly unhealthy: number } {
    return this.#leaseTable;
  }

  /** Some of the work that can wait. */
  tidy(nowMs: number): void {
    this.#silent.tidy(nowMs);
    this.#interests.step(nowMs);
    this.#catalogue.tidy(nowMs);
  }

  /** An operator's items are those of no session. */
  tried(items: readonly PublishItem[], nowMs: number): void {
    this.#take(items, nowMs);
  }

  #take(items: readonly PublishItem[], nowMs: number): void {
    if (items.length > 0) this.#intake.take(items, nowMs);
  }

  #begin({ slot, hadCopy }: Adopted["led"][number], nowMs: number): void {
    const { versions, sessions, sizes } = this.#common;
    const { contents } = slot;
    this.#completeness.begun(slot);
    this.#catalogue.lost(contents.slot);
    this.#addresses.lost(contents.slot);
    for (const datum of contents.datums.values()) {
      versions.raise(datum.version.version);
      if (!contents.partial.has(datum.serviceKey)) datum.inherited = datum.version;
      if (datum.takeOverHidden() === "other") datum.restate(versions.give(nowMs, slot.leaderEpoch));
    }
    // Sessions may have the whole list of that version.
    for (const serviceKey of contents.partial) {
      contents.datums.get(serviceKey)?.raise(versions.give(nowMs, slot.leaderEpoch));
    }
    contents.partial.clear();
    for (const session of contents.owners()) sessions.watch(session, nowMs);
    this.#leases.begun(slot, nowMs);
    // For a whole copy the leader has already reported what it holds.
    if (!hadCopy) for (const datum of contents.datums.values()) sizes.resized(datum, nowMs);
  }

  #publish(from: NodeId, { batch, items }: Publish, nowMs: number): void {
    const { slots } = this.#common;
    if (!items.every((item) => slots.leading(serviceKeyOf(item)) !== undefined)) {
      return this.#output.toSession(from, { kind: "moved", batch, epoch: slots.epoch });
    }
    const { superseded, unlisted } = this.#intake.take(items, nowMs, from);
    this.#output.toSession(from, { kind: "taken", batch, superseded, unlisted, isFull: this.isFull });
    if (unlisted.length > 0) this.#metrics.add("roster_publishers_unlisted_total", unlisted.length);
    for (const item of items) this.#reconciliation.published(from, item, nowMs);
  }

  #watchCatalogue(from: NodeId, message: WatchCatalogue, nowMs: number): void {
    for (const [serviceKey, { version, origin }] of message.ahead) {
      this.#overtaking.ahead({ serviceKey, version, origin }, { what: "catalogue", from }, nowMs);
    }
    this.#catalogue.asked(from, message, nowMs);
  }

  #forgetInterest(from: NodeId, serviceKeys: readonly ServiceKey[]): void {
    for (const serviceKey of serviceKeys) {
      const contents = this.#common.slots.leading(serviceKey)?.contents;
      const datum = contents?.datums.get(serviceKey);
      datum?.interest.forget(from);
      if (datum !== undefined) contents?.dropIfIdle(datum);
    }
  }
}
