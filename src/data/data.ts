// The data role: keeps the publications of the slots that it leads and follows, and tells sessions the changes in those
// that it leads. Events in, messages out, the time as an argument; ARCHITECTURE.md follows a publication through it.

import { unreachable } from "../base/assert.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Random } from "../base/ports.ts";
import { DynamicOptions } from "../cluster/dynamicOptions.ts";
import { MembershipView } from "../cluster/membershipView.ts";
import type { Members, MetaToMember, RulesMessage } from "../cluster/messages/membership.ts";
import { RuleView } from "../cluster/ruleView.ts";
import type { DynamicValues } from "../model/dynamicKeys.ts";
import { nodeNameOf, type ServiceKey } from "../model/ids.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import type { SlotTable } from "../model/slot.ts";
import type { DataEvent, DataMemory, DataOptions, DataOutput } from "./dataPorts.ts";
import type { Datum, Hides } from "./datum.ts";
import { Following } from "./following.ts";
import { ForeignVersions } from "./foreignVersions.ts";
import { hides } from "./hiding.ts";
import { type CommonParts, Leading } from "./leading.ts";
import { type HeldLoss, LossProtection } from "./lossProtection.ts";
import { PackedMemory } from "./packed/packedStore.ts";
import { TOMBSTONE_BYTES_MAX, Tombstones } from "./packed/tombstones.ts";
import { RestartHold } from "./restartHold.ts";
import { ServiceSizes } from "./serviceSizes.ts";
import { Sessions } from "./sessions.ts";
import type { SlotContents } from "./slotContents.ts";
import { type KeptSlot, Slots } from "./slots.ts";
import type { DataParts } from "./unfinished.ts";
import { VersionFloor } from "./versionFloor.ts";

// A shorter stop changes nothing: sessions are given seconds.
const ABSENCE_MS = 1_000;
// Each heartbeat does some of the deferred work of the publications' memory: at most a millisecond.
const TIDY_STEPS = 2_000;
// The most tombstones that end in a step, some milliseconds; the next step follows at once.
const TOMBSTONES_PER_STEP = 2_000;

interface DataEnvironment {
  readonly output: DataOutput;
  readonly metrics: Metrics;
  readonly random: Random;
  readonly nowMs: number;
}

export class Data {
  readonly #dynamic: DynamicOptions<DataOptions>;
  readonly #output: DataOutput;
  readonly #metrics: Metrics;
  readonly #publications: PackedMemory;
  readonly #tombstones: Tombstones<Datum>;
  readonly #common: CommonParts;
  readonly #membership: MembershipView;
  readonly #leading: Leading;
  readonly #following: Following;
  #steppedMs = Number.NEGATIVE_INFINITY;

  constructor(configured: DataOptions, memory: DataMemory, environment: DataEnvironment) {
    this.#dynamic = new DynamicOptions(configured, { zone: configured.zone, name: nodeNameOf(configured.id) });
    const { options } = this.#dynamic;
    const { output, metrics, random } = environment;
    this.#output = output;
    this.#metrics = metrics;
    this.#publications = new PackedMemory(options, random);
    this.#tombstones = new Tombstones({ tombstoneBytesMax: TOMBSTONE_BYTES_MAX, ...options }, random);
    this.#common = commonParts(options, memory, {
      output,
      publications: this.#publications,
      tombstones: this.#tombstones,
    });
    this.#membership = new MembershipView(
      { role: "data", address: options.address },
      { toMeta: (message) => output.toMeta(message), link: (nodes) => output.linkLeaders(nodes) },
    );
    this.#leading = new Leading(options, this.#common, environment);
    this.#following = new Following(this.#common, output, metrics);
  }

  /** The number of slots that this node leads or follows by the newest table: a leaving node may go when it is zero. */
  get slotsKept(): number {
    return this.#common.slots.size;
  }

  /** The number of them that it leads. */
  get slotsLed(): number {
    let led = 0;
    for (const _ of this.#common.slots.led()) led++;
    return led;
  }

  /** The number of slots of which this node holds a whole copy. */
  get slotsInSync(): number {
    return [...this.#common.slots.followed()].filter(({ isInSync }) => isInSync).length;
  }

  /** The slots that this node leads or follows, with how it does. */
  *keptSlots(): Generator<KeptSlot> {
    yield* this.#common.slots.led();
    yield* this.#common.slots.followed();
  }

  /** The service as this node has it, led or followed. */
  datum(serviceKey: ServiceKey): Datum | undefined {
    return this.#common.slots.datum(serviceKey);
  }

  /** The operators' rules, as far as this node has heard. */
  get rules(): RuleSet {
    return this.#common.rules.rules;
  }

  /** All nodes of the cluster, as far as this one has heard. */
  get members(): Members | undefined {
    return this.#membership.members;
  }

  /** The newest slot table that this node knows. */
  get slotTable(): SlotTable | undefined {
    return this.#common.slots.table;
  }

  /** Whether it serves every slot that it leads. */
  get isServing(): boolean {
    return this.#common.slots.table !== undefined && this.#leading.isComplete;
  }

  /** The values that operators have set for this node, in the place of its own. */
  get settings(): Partial<DynamicValues> {
    return this.#dynamic.settings;
  }

  /** Services whose lists are held because too many publishers would go at once, for operators. */
  get heldLosses(): readonly HeldLoss[] {
    return this.#leading.heldLosses;
  }

  /** Its parts, for unfinished.ts. */
  get parts(): DataParts {
    const { catalogueWatchers: watchers, addressAskers, surveyAskers } = this.#leading;
    return { ...this.#common, departuresMs: this.#leading.remainsMs(), watchers, addressAskers, surveyAskers };
  }

  resumed(lateMs: number, nowMs: number): void {
    if (lateMs > ABSENCE_MS) this.#leading.resumed(lateMs, nowMs);
  }

  step(event: DataEvent, nowMs: number): void {
    this.#steppedMs = nowMs;
    this.#tombstones.beginStep(nowMs);
    switch (event.kind) {
      case "fromSession":
        this.#leading.fromSession(event.from, event.message, nowMs);
        break;
      case "sessionUp":
        this.#leading.sessionUp(event.session, nowMs);
        break;
      case "sessionDown":
        this.#leading.sessionDown(event.session, nowMs);
        break;
      case "fromFollower":
        this.#leading.fromFollower(event.from, event.message, nowMs);
        break;
      case "followerDown":
        this.#leading.followerDown(event.node);
        break;
      case "releaseHeld":
        this.#leading.releaseHeld(event.serviceKey, nowMs);
        break;
      case "tried":
        this.#leading.tried(event.items, nowMs);
        break;
      case "fromLeader":
        if (this.#following.fromLeader(event.from, event.message, nowMs)) this.#membership.heartbeatSoon();
        break;
      case "leaderUp":
        this.#following.leaderUp(event.node);
        break;
      case "leaderDown":
        this.#following.leaderDown(event.node);
        this.#membership.heartbeatSoon();
        break;
      case "fromMeta":
        this.#fromMeta(event.message, nowMs);
        break;
      case "metaUp":
        this.#membership.heartbeatSoon();
        break;
      case "leave":
        this.#membership.leave();
        break;
      case "followerUp":
      case "woken":
        break;
      default:
        unreachable(event);
    }
    this.#wake(nowMs);
  }

  /** The time of the next `woken`. */
  nextWakeMs(): number {
    const soonestMs = Math.min(
      this.#membership.nextMs(),
      this.#leading.nextMs(),
      this.#following.nextMs(),
      this.#common.sizes.nextMs(),
      this.#tombstones.nextMs(),
    );
    // Work left over from a step is due at once: the node is not late with it.
    return Math.max(this.#steppedMs, soonestMs);
  }

  /** The node stops: writes everything that its disk should know. */
  flush(): void {
    this.#common.sizes.flush();
  }

  #fromMeta(message: MetaToMember, nowMs: number): void {
    switch (message.kind) {
      case "slotTable":
        return this.#adopt(message.table, message.versionFloor, nowMs);
      case "members":
        return this.#joined(message.members, nowMs);
      case "rules":
        return this.#rulesChanged(message);
      case "refused":
        return this.#output.refused(message.reason);
      case "config":
      case "clientCounts":
      case "revisions":
      case "revisionsStored":
      case "revisionRefused":
      case "serviceApps":
      case "appsListed":
        return;
      default:
        return unreachable(message);
    }
  }

  #joined(members: Members, nowMs: number): void {
    if (!this.#membership.joined(members)) return;
    const { sessions, protection } = this.#common;
    sessions.joined(members, nowMs);
    for (const member of members.list) if (member.role === "session") protection.returned(member.id);
    this.#linkLeaders();
    this.#leading.sessionsChanged(nowMs);
  }

  #rulesChanged(message: RulesMessage): void {
    const taken = this.#common.rules.received(message);
    if (taken !== "known") this.#membership.heartbeatSoon();
    this.#dynamic.rulesChanged(this.#common.rules.rules);
    if (typeof taken === "object") this.#leading.rulesChanged(taken);
  }

  #adopt(table: SlotTable, versionFloor: bigint, nowMs: number): void {
    const { slots, foreign, hold } = this.#common;
    const adopted = slots.adopt(table, nowMs);
    if (adopted === undefined) return;
    // There may be no other node left that knows the versions of a slot which this node neither led nor followed.
    foreign.raiseFloor(versionFloor, nowMs);
    hold.begin((serviceKey) => slots.slotOf(serviceKey), nowMs);
    this.#leading.adopted(adopted, nowMs);
    for (const contents of adopted.gone) this.#clear(contents, nowMs);
    this.#following.adopted();
    this.#linkLeaders();
    this.#membership.heartbeatSoon();
  }

  /** Other nodes keep these services now. A stopping node remembers them: perhaps all stop, and this one leads next. */
  #clear(contents: SlotContents, nowMs: number): void {
    if (!this.#membership.isLeaving) this.#common.sizes.forget(contents, nowMs);
    contents.clear();
  }

  #linkLeaders(): void {
    const leaders = this.#following.leaders();
    this.#membership.link(({ role, id }) => role === "data" && leaders.has(id));
  }

  #wake(nowMs: number): void {
    const { hold, sizes, slots } = this.#common;
    if (nowMs >= hold.untilMs) {
      this.#leading.holdEnded(
        sizes.endHold((slot) => slots.keptSlot(slot), nowMs),
        nowMs,
      );
    }
    if (this.#leading.wake(nowMs)) this.#membership.heartbeatSoon();
    this.#following.wake(nowMs);
    sizes.wake(nowMs);
    this.#tombstones.expire(TOMBSTONES_PER_STEP, (datum) => slots.keptSlot(datum.slot)?.contents.dropIfIdle(datum));
    if (nowMs >= this.#membership.nextMs()) this.#heartbeat(nowMs);
  }

  #heartbeat(nowMs: number): void {
    const { slots, hold, versions, rules } = this.#common;
    this.#membership.heartbeat({
      tableEpoch: slots.epoch,
      rulesEpoch: rules.rules.epoch,
      data: { slots: slots.report((slot) => hold.heldIn(slot) > 0), newestVersion: versions.newest },
      nowMs,
    });
    this.#measure(nowMs);
    this.#publications.tidy(TIDY_STEPS);
    this.#leading.tidy(nowMs);
  }

  #measure(nowMs: number): void {
    const { slots, hold } = this.#common;
    const { leases } = this.#leading;
    const { held: heldByLoss, oldestMs } = this.#leading.measureHeld(nowMs);
    let [publishers, services, led, serving] = [0, 0, 0, 0];
    let held = heldByLoss;
    for (const { contents, isServing } of slots.led()) {
      publishers += contents.publishers;
      services += contents.datums.size;
      held += hold.heldIn(contents.slot);
      led++;
      if (isServing) serving++;
    }
    const inSync = this.slotsInSync;
    const setSlots = (state: string, count: number) => this.#metrics.set("roster_slots", count, { state });
    setSlots("serving", serving);
    setSlots("gathering", led - serving);
    setSlots("in-sync", inSync);
    setSlots("copying", slots.size - led - inSync);
    this.#metrics.set("roster_services", services);
    this.#metrics.set("roster_services_held", held);
    this.#metrics.set("roster_services_held_oldest_seconds", oldestMs / 1000);
    this.#metrics.set("roster_leases", leases.size);
    this.#metrics.set("roster_leases_unhealthy", leases.unhealthy);
    this.#metrics.set("roster_publishers", publishers);
    this.#metrics.set("roster_publishers_memory_bytes", this.#publications.bytes);
    this.#metrics.set("roster_data_full", this.#leading.isFull ? 1 : 0);
    this.#metrics.set("roster_tombstones", this.#tombstones.size);
    this.#metrics.add("roster_tombstones_ended_early_total", this.#tombstones.takeEndedEarly());
  }
}

/** The parts that a leader and a follower both need, each made after those that it knows. */
function commonParts(
  options: DataOptions,
  { versionFloor, serviceSizes }: DataMemory,
  {
    output,
    publications,
    tombstones,
  }: { output: DataOutput; publications: PackedMemory; tombstones: Tombstones<Datum> },
): CommonParts {
  const rules = new RuleView();
  const memory = {
    publications,
    tombstones,
    logChangesMax: options.operatorLogEntries,
    hides: (publication: Parameters<Hides>[0]) => hides(rules.rules, publication),
    datums: 0,
  };
  const versions = new VersionFloor(versionFloor, (floor) => output.saveVersionFloor(floor));
  const hold = new RestartHold(serviceSizes, options.restartHoldMs);
  return {
    memory,
    slots: new Slots(options.id, memory),
    sessions: new Sessions(options),
    versions,
    foreign: new ForeignVersions(versions, output),
    hold,
    sizes: new ServiceSizes(hold, (changed) => output.saveServiceSizes(changed)),
    protection: new LossProtection(options),
    rules,
  };
}
