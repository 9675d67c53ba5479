// The servers of one world: the real roles on simulated nodes, and what can go wrong with them.

import { assignSlots } from "../../meta/assignSlots.ts";
import { nodeId } from "../../model/ids.ts";
import type { ServerFault } from "../plan.ts";
import { DataNode } from "./dataNode.ts";
import type { SimEnvironment } from "./environment.ts";
import { Links } from "./links.ts";
import { MetaNode } from "./metaNode.ts";
import { SessionNode } from "./sessionNode.ts";

// Wall clocks of different machines differ. Sessions stamp registrations, so theirs are held together, as operators do,
// and do not go back while data nodes remember what they stamped; a data node's own may be anywhere after a restart,
// its versions have to grow all the same.
const SESSION_OFFSET_MS = 50;
const DATA_OFFSET_MS = 60_000;

export class Cluster {
  readonly #environment: SimEnvironment;
  readonly #links: Links;
  readonly #meta: MetaNode;
  readonly #datas: readonly DataNode[];
  readonly #offsetsMs = new Map<SessionNode, number>();
  readonly sessions: readonly SessionNode[];

  constructor(environment: SimEnvironment) {
    this.#environment = environment;
    const { plan } = environment;
    const links = new Links(environment);
    this.#links = links;
    const sessionIds = names("session", plan.sessions);
    const dataIds = names("data", plan.dataNodes);
    const table = plan.topology === "cluster" ? assignSlots(undefined, dataIds, MetaNode.slotCount) : undefined;
    this.#meta = new MetaNode(environment, table, ({ role, id }, message) => links.toMember(role, id, message));
    this.sessions = sessionIds.map(
      (id) =>
        new SessionNode(id, environment, {
          toMeta: (message) => links.toMeta("session", id, message),
          toData: (to, message) => links.toData(id, to, message),
        }),
    );
    this.#datas = dataIds.map(
      (id) =>
        new DataNode(id, environment, {
          toMeta: (message) => links.toMeta("data", id, message),
          toSession: (to, message) => links.toSession(id, to, message),
        }),
    );
    this.#wire();
  }

  start(): void {
    this.#startAll();
    this.#links.connect(this.#isSingle);
  }

  /** One fault of that kind, which ends by itself. */
  break(fault: ServerFault): void {
    const { dice } = this.#environment;
    switch (fault) {
      case "link":
        return this.#links.cutOne(dice.between(1, 4_000));
      case "dataRestart":
        return this.#restartData(dice.pick(this.#datas), dice.between(10, 3_000));
      case "sessionRestart":
        return this.#restartSession(dice.pick(this.sessions), dice.between(10, 4_000));
      case "serverRestart":
        return this.#restartAll(dice.between(50, 6_000));
      case "store":
        return this.#troubleStore(dice.between(500, 5_000));
    }
  }

  get #isSingle(): boolean {
    return this.#environment.plan.topology === "single";
  }

  #wire(): void {
    for (const session of this.sessions) {
      for (const data of this.#datas) this.#links.joinData(session, data);
      this.#links.joinMeta(session, "session", this.#meta);
    }
    for (const data of this.#datas) this.#links.joinMeta(data, "data", this.#meta);
  }

  #startAll(): void {
    const { dice } = this.#environment;
    const isOne = this.#isSingle;
    const oneMs = dice.between(-DATA_OFFSET_MS, DATA_OFFSET_MS);
    for (const data of this.#datas) data.start(isOne ? oneMs : this.#dataOffset());
    for (const session of this.sessions) session.start(isOne ? oneMs : this.#sessionOffset(session));
    this.#meta.start(isOne ? oneMs : 0);
  }

  #restartData(data: DataNode, downMs: number): void {
    if (!data.isRunning) return;
    const { scheduler, dice } = this.#environment;
    data.stop(dice.chance(0.3));
    this.#links.died(data);
    scheduler.after(downMs, () => {
      data.start(this.#dataOffset());
      this.#links.connect(false);
    });
  }

  #restartSession(session: SessionNode, downMs: number): void {
    if (!session.isRunning) return;
    session.stop();
    this.#links.died(session);
    this.#environment.scheduler.after(downMs, () => {
      session.start(this.#sessionOffset(session));
      this.#links.connect(false);
    });
  }

  #restartAll(downMs: number): void {
    if (!this.#meta.isRunning) return;
    const isOrderly = this.#environment.dice.chance(0.3);
    for (const session of this.sessions) session.stop();
    for (const data of this.#datas) data.stop(isOrderly);
    this.#meta.stop();
    for (const node of [...this.sessions, ...this.#datas, this.#meta]) this.#links.died(node);
    this.#environment.scheduler.after(downMs, () => this.start());
  }

  #troubleStore(durationMs: number): void {
    const { dice, scheduler, record } = this.#environment;
    const isDown = dice.chance(0.5);
    record({ kind: "fault", what: `the store is ${isDown ? "down" : "slow"} for ${durationMs} ms` });
    this.#meta.setStore({ isDown, delayMs: isDown ? 5 : 1_500 });
    scheduler.after(durationMs, () => this.#meta.setStore({ isDown: false, delayMs: 5 }));
  }

  #sessionOffset(session: SessionNode): number {
    const offsetMs = this.#offsetsMs.get(session) ?? this.#environment.dice.between(0, SESSION_OFFSET_MS);
    this.#offsetsMs.set(session, offsetMs);
    return offsetMs;
  }

  #dataOffset(): number {
    return this.#environment.dice.between(-DATA_OFFSET_MS, DATA_OFFSET_MS);
  }
}

function names(role: string, count: number) {
  return Array.from({ length: count }, (_, at) => nodeId(`${role}-${at + 1}`));
}
