// The data role in a simulated process: the counterpart of server/, on virtual time and a simulated network.

import { noMetrics } from "../../base/metrics.ts";
import { Stepper } from "../../base/stepper.ts";
import type { MetaToMember } from "../../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../../cluster/messages/replication.ts";
import type { DataToSession, SessionToData } from "../../cluster/messages/sessionData.ts";
import { Data } from "../../data/data.ts";
import type { DataEvent, DataOutput } from "../../data/dataPorts.ts";
import { type HandOverState, isAlone } from "../../data/handOver.ts";
import { leftovers, unfinished } from "../../data/unfinished.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { MetaLinks } from "../network/metaLinks.ts";
import { AcceptedPeers, addressOf, DialedPeers } from "../network/peers.ts";
import { Dice } from "../random.ts";
import { bug, type MemberEnvironment } from "./environment.ts";
import { BOOT_MS } from "./nodeTime.ts";
import type { SimProcess } from "./simProcess.ts";

// It decides only the place of an entry in a table.
const HASH_SEED = 1;

export class DataHost {
  readonly #environment: MemberEnvironment;
  readonly #process: SimProcess;
  readonly #sessions: AcceptedPeers<DataToSession, SessionToData>;
  readonly #followers: AcceptedPeers<LeaderToFollower, FollowerToLeader>;
  readonly #leaders: DialedPeers<FollowerToLeader, LeaderToFollower>;
  readonly #metas: MetaLinks;
  readonly #data: Data;
  readonly #stepper: Stepper<DataEvent>;

  constructor(environment: MemberEnvironment, process: SimProcess) {
    this.#environment = environment;
    this.#process = process;
    const { ports, metas, plan, scheduler, record } = environment;
    const { id, time } = process;
    record({ kind: "started", node: id, role: "data", machine: process.machine });
    this.#sessions = this.#acceptSessions();
    this.#followers = this.#acceptFollowers();
    this.#leaders = new DialedPeers(ports.followerToLeader, process, {
      up: (node) => {
        record({ kind: "followerLink", follower: id, leader: node, isUp: true });
        this.step({ kind: "leaderUp", node });
      },
      down: (node) => {
        record({ kind: "followerLink", follower: id, leader: node, isUp: false });
        this.step({ kind: "leaderDown", node });
      },
      received: (from, message) => this.step({ kind: "fromLeader", from, message }),
    });
    this.#metas = new MetaLinks(ports.dataToMeta, process, {
      metas,
      up: () => this.step({ kind: "metaUp" }),
      received: (message) => this.#fromMeta(message),
    });
    const { versionFloor, sizes } = process.disk;
    this.#data = new Data(
      { ...plan.config, id, address: addressOf(process.machine) },
      { versionFloor, serviceSizes: new Map(sizes) },
      { metrics: noMetrics, random: new Dice(HASH_SEED), nowMs: time.clock.nowMs(), output: this.#output() },
    );
    const failed = (error: unknown) => bug(environment, id, error);
    this.#stepper = new Stepper<DataEvent>(this.#data, { ...time, failed });
    scheduler.after(BOOT_MS, () => process.gate.timer(() => this.step({ kind: "woken" })));
  }

  /** Slots that it leads or follows: a node that is told to stop has not handed these over yet. */
  get slotsKept(): number {
    return this.#data.slotsKept;
  }

  /** The state that decides whether it may end. */
  get handOverState(): HandOverState {
    const { slotsKept, slotTable } = this.#data;
    return { slotsKept, epoch: slotTable?.epoch, hasMeta: this.#metas.hasMeta };
  }

  /** Tells it to stop. Returns false if no other node could take over. */
  leave(): boolean {
    if (isAlone(this.#data.slotTable, this.#process.id)) return false;
    this.step({ kind: "leave" });
    return true;
  }

  /** It serves every slot that it leads. */
  get isServing(): boolean {
    return this.#data.isServing;
  }

  /** Slots of which it holds a whole copy. */
  get slotsInSync(): number {
    return this.#data.slotsInSync;
  }

  /** Services whose lists are held against a loss. */
  get held(): readonly ServiceKey[] {
    return this.#data.heldLosses.map(({ serviceKey }) => serviceKey);
  }

  unfinished(): Iterable<string> {
    return unfinished(this.#data.parts);
  }

  leftovers(): Iterable<string> {
    return leftovers(this.#data.parts);
  }

  step(event: DataEvent): void {
    this.#stepper.step(event);
  }

  /** The process ends; an orderly end saves the state that is only in memory, a kill does not. */
  close(isOrderly: boolean): void {
    if (isOrderly) this.#data.flush();
    this.#stepper.close();
    this.#environment.record({ kind: "stopped", node: this.#process.id, role: "data" });
  }

  #output(): DataOutput {
    const { record, scheduler, refused } = this.#environment;
    const process = this.#process;
    const { id, disk, gate } = process;
    // A process may be killed in the middle of a step: none of its remaining effects happen.
    return {
      toMeta: (message) => {
        if (!process.isRunning) return;
        if (message.kind === "heartbeat") record({ kind: "heartbeat", from: id, message });
        this.#metas.send(message);
      },
      toSession: (to, message) => {
        if (!process.isRunning) return;
        record({ kind: "told", from: id, to, message });
        this.#sessions.send(to, message);
      },
      toLeader: (to, message) => {
        if (!process.isRunning) return;
        record({ kind: "followed", from: id, to, message });
        this.#leaders.send(to, message);
      },
      toFollower: (to, message) => {
        if (!process.isRunning) return;
        record({ kind: "replicated", from: id, to, message });
        this.#followers.send(to, message);
      },
      linkLeaders: (nodes) => this.#leaders.keep(nodes, (run) => scheduler.after(0, () => gate.message(run))),
      // Clocks here are at most hours apart.
      versionRefused: ({ what, version }) => bug(this.#environment, id, `${what}: version ${version} was not believed`),
      contested: () => undefined,
      clockBehind: (behindMs) => bug(this.#environment, id, `its clock is ${behindMs} ms behind`),
      refused: (reason) => refused(process, "data", reason),
      saveVersionFloor: (floor) => {
        if (process.isRunning && floor > disk.versionFloor) disk.versionFloor = floor;
      },
      saveServiceSizes: (changed) => {
        if (process.isRunning) saveSizes(disk.sizes, changed);
      },
    };
  }

  #fromMeta(message: MetaToMember): void {
    this.#environment.record({ kind: "learned", node: this.#process.id, role: "data", message });
    this.step({ kind: "fromMeta", message });
  }

  #acceptSessions(): AcceptedPeers<DataToSession, SessionToData> {
    const { id } = this.#process;
    const { record } = this.#environment;
    const peers = new AcceptedPeers<DataToSession, SessionToData>({
      up: (session) => {
        record({ kind: "sessionLink", data: id, session, isUp: true });
        this.step({ kind: "sessionUp", session });
      },
      down: (session) => {
        record({ kind: "sessionLink", data: id, session, isUp: false });
        this.step({ kind: "sessionDown", session });
      },
      received: (from, message) => this.step({ kind: "fromSession", from, message }),
    });
    const accept = peers.accept.bind(peers);
    this.#environment.ports.sessionToData.listen({ id, process: this.#process, accept });
    return peers;
  }

  #acceptFollowers(): AcceptedPeers<LeaderToFollower, FollowerToLeader> {
    const peers = new AcceptedPeers<LeaderToFollower, FollowerToLeader>({
      up: (node) => this.step({ kind: "followerUp", node }),
      down: (node) => this.step({ kind: "followerDown", node }),
      received: (from, message) => this.step({ kind: "fromFollower", from, message }),
    });
    const { id } = this.#process;
    const accept = peers.accept.bind(peers);
    this.#environment.ports.followerToLeader.listen({ id, process: this.#process, accept });
    return peers;
  }
}

function saveSizes(sizes: Map<ServiceKey, number>, changed: ReadonlyMap<ServiceKey, number>): void {
  for (const [serviceKey, size] of changed) {
    if (size === 0) sizes.delete(serviceKey);
    else sizes.set(serviceKey, size);
  }
}
