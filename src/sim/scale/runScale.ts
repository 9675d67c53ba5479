// One cluster of a given size through its life: start, clients, quiet, changes, and the loss of a third of its data
// nodes at once. All times are virtual, all roles are real.

import { assert } from "../../base/assert.ts";
import { Cluster } from "../cluster/cluster.ts";
import { drawConfig } from "../drawWorld.ts";
import type { Fact, Role } from "../facts.ts";
import type { NodePlan, Plan } from "../plan.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";
import { Crowd, type CrowdSize } from "./crowd.ts";
import { type Count, Traffic } from "./traffic.ts";

export interface ScaleSize extends CrowdSize {
  readonly metas: number;
  readonly datas: number;
  readonly sessions: number;
}

/** The measurements; times in milliseconds, rates per second of the whole cluster. */
export interface ScaleResult {
  readonly size: ScaleSize;
  readonly firstTableMs: number;
  readonly firstServedMs: number;
  readonly quiet: Readonly<Record<"heartbeats" | "digests" | "scans" | "other", Count>>;
  /** For one change. */
  readonly change: { readonly notices: Count; readonly copies: Count; readonly all: Count };
  readonly lost: number;
  readonly tableMs: number;
  readonly servedMs: number;
  readonly syncedMs: number;
  readonly repair: Count;
}

const QUIET_MS = 30_000;
const CHANGES = 100;
const SETTLE_MS = 10_000;
const LOSS_MS_MAX = 120_000;
const LOOK_MS = 10;

const HEARTBEATS = ["heartbeat", "members", "slotTable"];
const DIGESTS = ["digests", "synced", "differs", "inventory", "wanted", "follow", "replica"];
const SCANS = ["scan"];
const NOTICES = ["delta", "changed", "fetch", "snapshot", "current"];
const COPIES = ["change"];

export function runScale(size: ScaleSize): ScaleResult {
  const world = new World(size);
  const firstTableMs = world.runUntil(() => world.isTableComplete, LOSS_MS_MAX);
  const firstServedMs = firstTableMs + world.runUntil(() => world.isServed, LOSS_MS_MAX);
  world.runUntil(() => world.isInSync, LOSS_MS_MAX);
  world.join();
  world.run(SETTLE_MS);
  const quiet = world.measure(() => world.run(QUIET_MS));
  const changes = world.measure(() => world.change(CHANGES));
  const lost = Math.max(1, Math.floor(size.datas / 3));
  const loss = { tableMs: 0, servedMs: 0, syncedMs: 0 };
  const repair = world.measure(() => {
    world.lose(lost);
    loss.tableMs = world.runUntil(() => world.isTableComplete, LOSS_MS_MAX);
    loss.servedMs = loss.tableMs + world.runUntil(() => world.isServed, LOSS_MS_MAX);
    loss.syncedMs = loss.servedMs + world.runUntil(() => world.isInSync, LOSS_MS_MAX);
  });
  const known = [...HEARTBEATS, ...DIGESTS, ...SCANS];
  const other = [...quiet.kinds.keys()].filter((kind) => !known.includes(kind));
  return {
    size,
    firstTableMs,
    firstServedMs,
    quiet: {
      heartbeats: scaled(quiet.sum(HEARTBEATS), 1_000 / QUIET_MS),
      digests: scaled(quiet.sum(DIGESTS), 1_000 / QUIET_MS),
      scans: scaled(quiet.sum(SCANS), 1_000 / QUIET_MS),
      other: scaled(quiet.sum(other), 1_000 / QUIET_MS),
    },
    change: {
      notices: scaled(changes.sum(NOTICES), 1 / CHANGES),
      copies: scaled(changes.sum(COPIES), 1 / CHANGES),
      all: scaled(changes.sum([...NOTICES, ...COPIES, "publish", "taken"]), 1 / CHANGES),
    },
    lost,
    ...loss,
    repair: repair.total,
  };
}

class World {
  readonly #scheduler: Scheduler;
  readonly #cluster: Cluster;
  readonly #size: ScaleSize;
  readonly #crowds: Crowd[] = [];
  #traffic: Traffic;

  constructor(size: ScaleSize) {
    const plan = planOf(size);
    this.#size = size;
    this.#scheduler = new Scheduler(plan.startMs);
    this.#traffic = new Traffic(size.metas);
    const record = (fact: Fact) => {
      assert(fact.kind !== "bug", fact.kind === "bug" ? fact.what : "no bug is met");
      this.#traffic.see(fact);
    };
    this.#cluster = new Cluster({ plan, scheduler: this.#scheduler, dice: new Dice(1), record });
    this.#cluster.start();
  }

  /** Every slot of the newest table is led by a node that runs. */
  get isTableComplete(): boolean {
    const running = this.#datas().flatMap(({ process }) => process?.id ?? []);
    const { slotTable } = this.#cluster.store.state;
    return slotTable?.slots.every(({ leader }) => running.includes(leader)) ?? false;
  }

  /** Every node serves every slot that it leads. */
  get isServed(): boolean {
    return this.isTableComplete && this.#datas().every(({ data }) => data?.isServing === true);
  }

  /** Every slot has all its copies, and they are whole. */
  get isInSync(): boolean {
    const { slotTable } = this.#cluster.store.state;
    const copies = this.#datas().reduce((sum, { data }) => sum + (data?.slotsInSync ?? 0), 0);
    return slotTable?.slots.reduce((sum, { followers }) => sum + followers.length, 0) === copies && copies > 0;
  }

  run(durationMs: number): void {
    this.#scheduler.run(this.#scheduler.nowMs + durationMs, () => false);
  }

  /** Runs until `isSo`; returns the time that it took. */
  runUntil(isSo: () => boolean, mostMs: number): number {
    const startMs = this.#scheduler.nowMs;
    while (!isSo()) {
      assert(this.#scheduler.nowMs - startMs < mostMs, "a cluster settles within two minutes");
      this.run(LOOK_MS);
    }
    return this.#scheduler.nowMs - startMs;
  }

  measure(run: () => void): Traffic {
    this.#traffic = new Traffic(this.#size.metas);
    run();
    return this.#traffic;
  }

  /** Connects clients to every session. */
  join(): void {
    for (const [at, { session }] of this.#cluster.nodesOf("session").entries()) {
      if (session !== undefined) this.#crowds.push(new Crowd(session, at, this.#size));
    }
    for (const crowd of this.#crowds) crowd.join();
  }

  /** Makes single changes, each after the last has settled. */
  change(count: number): void {
    for (let at = 0; at < count; at++) {
      const crowd = this.#crowds[(at * 13) % this.#crowds.length];
      crowd?.publish(at % this.#size.publishers, BigInt(at + 2));
      this.run(100);
    }
  }

  /** Kills this many data nodes at once. */
  lose(count: number): void {
    for (const node of this.#datas().slice(0, count)) this.#cluster.stop(node, "killed");
  }

  #datas() {
    return this.#cluster.nodesOf("data").filter(({ isRunning }) => isRunning);
  }
}

function scaled({ messages, bytes }: Count, factor: number): Count {
  return { messages: messages * factor, bytes: bytes * factor };
}

function planOf({ metas, datas, sessions }: ScaleSize): Plan {
  return {
    topology: "cluster",
    startMs: 1_750_000_000_000,
    nodes: [...nodes("m", metas, "meta"), ...nodes("d", datas, "data"), ...nodes("s", sessions, "session")],
    clients: 0,
    services: 0,
    zones: ["Z"],
    trafficMs: 0,
    operationMs: 1,
    clientFaultMs: 1,
    serverFaultMs: 1,
    clientFaults: [],
    serverFaults: [],
    sharedChance: 0,
    payloadChars: 0,
    weather: { delayMs: 1, spikeMs: 1, spikeChance: 0, splitChance: 0 },
    linkWeather: { delayMs: 1, spikeMs: 1, spikeChance: 0, splitChance: 0, noticeMs: 1 },
    clocks: { spreadMs: 100, drift: 0 },
    pauseMsMax: 0,
    absenceMs: 0,
    hasLeaving: false,
    // The defaults of the configuration.
    config: {
      ...drawConfig(new Dice(1)),
      sessionLeaseMs: 30_000,
      versionScanIntervalMs: 5_000,
      digestIntervalMs: 6_000,
      clientRegistrationsMax: 1_000_000,
      registrationsPerSecondMax: 10_000_000,
    },
    meta: {
      slotCount: 256,
      memberLeaseMs: 20_000,
      memberGoneMs: 1_000,
      leaderLeaseMs: 5_000,
      slotReplicas: 2,
      slotMovesMax: 8,
      dataNodesMin: 0,
      configValuesMax: 1_000,
      configValueBytesMax: 1024 * 1024,
      configBytesMax: 64 * 1024 * 1024,
      firstTableDelayMs: 500,
    },
  };
}

function nodes(prefix: string, count: number, role: Role): NodePlan[] {
  return Array.from({ length: count }, (_, at) => ({ machine: `${prefix}${at + 1}`, roles: [role] }));
}
