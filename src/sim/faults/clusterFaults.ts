// The faults of a cluster's nodes, of the network between them and of their store.

import type { Cancel } from "../../base/ports.ts";
import { repeatAtRandom } from "../apps/repeatAtRandom.ts";
import type { Workload } from "../apps/workload.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import { STORE } from "../cluster/store.ts";
import type { Fact } from "../facts.ts";
import type { ServerFault } from "../plan.ts";

const REST_BEFORE_MS = 2_500;
const REST_AFTER_MS = 6_000;
// A kill that waits for a message of some kind waits for one of this many.
const MESSAGES_MAX = 60;
// A message after which a node may die, and the end that dies.
const DEADLY = ["told", "asked", "replicated", "followed", "saved", "learned", "leads", "acknowledged"] as const;
// The time between two nodes of a rolling restart.
const ROLLING_MS = 3_000;
const JUMP_MS_MAX = 3_600_000;

export class ClusterFaults {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #open = new Set<Cancel>();
  #deadly: { kind: Fact["kind"]; left: number } | undefined;
  #storeDowns = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster, workload: Workload) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#workload = workload;
  }

  start(): void {
    const { plan, scheduler, dice } = this.#environment;
    if (plan.absenceMs > 0) scheduler.after(dice.between(3_000, 8_000), () => this.#sendAway(plan.absenceMs));
    if (plan.serverFaults.length === 0) return;
    repeatAtRandom(
      this.#environment,
      plan.serverFaultMs,
      () => this.#trouble(),
      () => this.#isOver,
    );
  }

  /** Ends all faults now, and begins no new ones. */
  stop(): void {
    this.#isOver = true;
    this.#deadly = undefined;
    for (const open of this.#open) open();
    this.#open.clear();
    this.#cluster.heal();
  }

  /** Kills a node in the middle of its step, if one is to die at this message. */
  see(fact: Fact): void {
    const deadly = this.#deadly;
    if (deadly === undefined || fact.kind !== deadly.kind || --deadly.left > 0) return;
    this.#deadly = undefined;
    const ids = endsOf(fact);
    const nodes = this.#cluster.nodes.filter(({ process }) => process !== undefined && ids.includes(process.id));
    if (nodes.length > 0) this.#crash(this.#environment.dice.pick(nodes));
  }

  #trouble(): void {
    const { dice, plan, scheduler } = this.#environment;
    const fault = dice.pick(plan.serverFaults);
    if (!dice.chance(0.4)) return this.#break(fault);
    this.#workload.pause(REST_BEFORE_MS + REST_AFTER_MS);
    scheduler.after(REST_BEFORE_MS, () => {
      if (!this.#isOver) this.#break(fault);
    });
  }

  #break(fault: ServerFault): void {
    const { dice, plan } = this.#environment;
    const node = this.#someNode();
    switch (fault) {
      case "crash":
        return node === undefined ? undefined : this.#crash(node);
      case "crashAtMessage":
        this.#deadly = { kind: dice.pick(DEADLY), left: dice.between(1, MESSAGES_MAX) };
        return;
      case "vanish":
        return node === undefined ? undefined : this.#vanish(node);
      case "pause":
        return node === undefined ? undefined : this.#pause(node, this.#durationMs(100, plan.pauseMsMax));
      case "drain":
        return node === undefined ? undefined : this.#restartInOrder(node, dice.between(100, 3_000));
      case "rolling":
        return this.#roll(dice.shuffle(this.#cluster.nodes.filter((one) => !this.#cluster.isCopy(one))));
      case "copy":
        return node === undefined ? undefined : this.#copy(node);
      case "clock":
        return node === undefined ? undefined : this.#jumpClock(node);
      case "storm":
        return this.#storm();
      case "dataLoss":
        return this.#crashAll(this.#cluster.nodesOf("data"));
      case "blackout":
        return this.#crashAll(this.#cluster.nodes);
      default:
        return fault.startsWith("store") && fault !== "storeCut"
          ? this.#troubleStore(fault)
          : this.#troubleNetwork(fault);
    }
  }

  #troubleNetwork(fault: ServerFault): void {
    const { dice } = this.#environment;
    const machines = dice
      .shuffle(this.#cluster.nodes.filter(({ isRunning }) => isRunning))
      .map(({ machine }) => machine);
    const [one = "", other = ""] = machines;
    if (machines.length < 2) return;
    switch (fault) {
      case "link":
        return this.#cluster.reset(one, other);
      case "isolate":
        return this.#during(
          this.#cluster.partition([[one], [...machines.slice(1), ...(dice.chance(0.5) ? [STORE] : [])]]),
        );
      case "halves": {
        const at = dice.between(1, machines.length - 1);
        const [left, right] = [machines.slice(0, at), machines.slice(at)];
        return this.#during(this.#cluster.partition(dice.chance(0.5) ? [[...left, STORE], right] : [left, right]));
      }
      case "oneWay":
        return this.#during(this.#cluster.block([{ from: one, to: other }], `nothing passes from ${one} to ${other}`));
      case "ring":
        return this.#during(this.#ring(machines));
      case "storeCut": {
        const metas = dice.shuffle(this.#cluster.nodesOf("meta")).slice(0, dice.between(1, 2));
        return this.#during(this.#cluster.partition([[STORE], metas.map(({ machine }) => machine)]));
      }
      case "dataCut":
      case "sessionCut":
      case "metaCut":
        return this.#cutForLong(fault);
      default:
        return this.#during(this.#cluster.slowDown(dice.between(50, 4_000)));
    }
  }

  /**
   * For longer than leases last: a session loses all data nodes and stays a member; or loses everything; or the meta
   * nodes lose everything but the store.
   */
  #cutForLong(fault: "dataCut" | "sessionCut" | "metaCut"): void {
    const { dice, scheduler } = this.#environment;
    const machinesOf = (nodes: readonly SimNode[]) => nodes.map(({ machine }) => machine);
    const session = [dice.pick(this.#cluster.nodesOf("session")).machine];
    const all = machinesOf(this.#cluster.nodes);
    const cut = fault === "metaCut" ? machinesOf(this.#cluster.nodesOf("meta")) : session;
    const from = fault === "dataCut" ? machinesOf(this.#cluster.nodesOf("data")) : all;
    const open = this.#cluster.partition([cut, from.filter((machine) => !cut.includes(machine))]);
    this.#open.add(open);
    scheduler.after(dice.between(5_000, 40_000), open);
  }

  /** Each machine reaches a majority, no two the same one. */
  #ring(machines: readonly string[]): Cancel {
    const count = machines.length;
    const reach = Math.floor(count / 4) + 1;
    const ways = machines.flatMap((from, at) =>
      machines.flatMap((to, other) => {
        const apart = Math.min((at - other + count) % count, (other - at + count) % count);
        return apart > reach ? [{ from, to }] : [];
      }),
    );
    return this.#cluster.block(ways, `ring ${machines.join(" ")}`);
  }

  #troubleStore(fault: ServerFault): void {
    const { dice } = this.#environment;
    const { store } = this.#cluster;
    this.#cluster.note(fault);
    switch (fault) {
      case "storeDown":
        return this.#during(this.#storeDown());
      case "storeSlow":
        store.setSlow(dice.between(100, 5_000));
        return this.#during(() => store.setSlow(0));
      case "storeUnsure":
        store.setUnknown(dice.pick([0.1, 0.5, 0.9]));
        return this.#during(() => store.setUnknown(0));
      case "storeClock":
        return store.jumpClock(dice.pick([-1, 1]) * dice.between(100, 60_000));
      default:
        return this.#failOver();
    }
  }

  /** The copy takes over when it is sure that the first is gone, which takes longer than any lease. */
  #failOver(): void {
    const { dice, scheduler, record } = this.#environment;
    const { store } = this.#cluster;
    const up = this.#storeDown();
    scheduler.after(dice.between(6_000, 12_000), () => {
      if (this.#isOver) return;
      store.failOver(dice.between(0, 2_000));
      record({ kind: "failedOver", table: store.state.slotTable, rules: store.rules, access: store.access });
      up();
    });
  }

  /** The store is away until the returned function is called, and all others that keep it away. */
  #storeDown(): Cancel {
    const { store } = this.#cluster;
    this.#storeDowns++;
    store.setDown(true);
    let isUp = false;
    return () => {
      if (isUp) return;
      isUp = true;
      if (--this.#storeDowns === 0) store.setDown(false);
    };
  }

  #crash(node: SimNode): void {
    const { dice } = this.#environment;
    this.#cluster.stop(node, "killed");
    this.#startAfter(node, dice.chance(0.2) ? dice.between(5_000, 30_000) : dice.between(10, 4_000));
  }

  #crashAll(nodes: readonly SimNode[]): void {
    const { dice } = this.#environment;
    const downMs = dice.between(10, 4_000);
    for (const node of nodes) {
      if (!node.isRunning || this.#cluster.isCopy(node)) continue;
      this.#cluster.stop(node, "killed");
      this.#startAfter(node, downMs + dice.below(2_000));
    }
  }

  #vanish(node: SimNode): void {
    this.#cluster.stop(node, "vanished");
    this.#startAfter(node, this.#environment.dice.between(500, 40_000));
  }

  /** One node is away for very long, and comes back with its memory, or on its old disk. */
  #sendAway(durationMs: number): void {
    const node = this.#someNode();
    if (node === undefined) return;
    const { dice, scheduler } = this.#environment;
    const how = dice.pick(["pause", "cut", "gone"] as const);
    if (how === "pause") return this.#pause(node, durationMs);
    if (how === "gone") {
      this.#cluster.stop(node, "vanished");
      return this.#startAfter(node, durationMs);
    }
    const others = this.#cluster.nodes.filter((other) => other !== node).map(({ machine }) => machine);
    const open = this.#cluster.partition([[node.machine], [...others, STORE]]);
    this.#open.add(open);
    scheduler.after(durationMs, open);
  }

  #startAfter(node: SimNode, downMs: number): void {
    this.#environment.scheduler.after(downMs, () => node.start());
  }

  #pause(node: SimNode, durationMs: number): void {
    this.#cluster.pause(node);
    this.#environment.scheduler.after(durationMs, () => this.#cluster.resume(node));
  }

  #restartInOrder(node: SimNode, downMs: number, done: () => void = () => undefined): void {
    const { scheduler } = this.#environment;
    this.#cluster.note(`${node.machine} is asked to stop`);
    node.stopInOrder(() =>
      scheduler.after(downMs, () => {
        node.start();
        done();
      }),
    );
  }

  #roll([node, ...rest]: readonly SimNode[]): void {
    if (node === undefined || this.#isOver) return;
    const next = () => this.#environment.scheduler.after(ROLLING_MS, () => this.#roll(rest));
    if (node.isRunning && !node.isStopping && !node.isPaused) this.#restartInOrder(node, 100, next);
    else next();
  }

  #copy(node: SimNode): void {
    const { dice, scheduler } = this.#environment;
    const copy = this.#cluster.startCopy(node);
    // An operator notices it, sooner or later.
    scheduler.after(dice.between(1_000, 15_000), () => this.#cluster.stop(copy, "killed"));
  }

  #jumpClock(node: SimNode): void {
    const { dice } = this.#environment;
    const byMs = dice.pick([-1, 1]) * dice.between(1_000, JUMP_MS_MAX);
    this.#cluster.note(`${node.machine}'s clock jumps by ${byMs} ms`);
    node.clock = { ...node.clock, offsetMs: node.clock.offsetMs + byMs };
  }

  #storm(): void {
    const { dice } = this.#environment;
    const sessions = this.#cluster.nodesOf("session").filter(({ session }) => session !== undefined);
    if (sessions.length === 0) return;
    const { machine, session } = dice.pick(sessions);
    this.#cluster.note(`all clients of ${machine} lose their connections`);
    for (const wire of session?.wires ?? []) wire.cut({ clientMs: dice.below(100), serverMs: dice.below(100) });
  }

  #someNode(): SimNode | undefined {
    const nodes = this.#cluster.nodes.filter((node) => node.isRunning && !node.isPaused && !this.#cluster.isCopy(node));
    return nodes.length === 0 ? undefined : this.#environment.dice.pick(nodes);
  }

  /** Ends after a while, or when everything ends. */
  #during(open: Cancel): void {
    this.#open.add(open);
    this.#environment.scheduler.after(this.#durationMs(200, 40_000), () => {
      open();
      this.#open.delete(open);
    });
  }

  /** Short durations are more frequent. */
  #durationMs(fromMs: number, toMs: number): number {
    const share = this.#environment.dice.next();
    return Math.floor(fromMs + share * share * share * (toMs - fromMs));
  }
}

function endsOf(fact: Fact): readonly string[] {
  switch (fact.kind) {
    case "told":
    case "asked":
    case "replicated":
    case "followed":
      return [fact.from, fact.to];
    case "saved":
      return [fact.by];
    case "learned":
    case "leads":
      return [fact.node];
    case "acknowledged":
      return [fact.session];
    default:
      return [];
  }
}
