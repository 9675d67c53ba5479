// Faults that wait for their moment: a batch, a copy, a notice or a removal has just been sent, a slot is held, a
// client has just been answered. Then the two ends of that message lose their connection, or one of them dies, so that
// the message under way is lost or late, every time and not once in a thousand.

import type { Cancel } from "../../base/ports.ts";
import type { App } from "../apps/app.ts";
import type { Workload } from "../apps/workload.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import type { Fact } from "../facts.ts";
import type { Aim } from "../plan.ts";

// The fault may skip the first of a few moments.
const MISSES_MAX = 4;
// A blow may come after the message has arrived, while its effects are under way.
const LATER_MS_MAX = 40;

/** The two ends of a message under way. */
interface Ends {
  readonly nodes: readonly string[];
  readonly client: string | undefined;
}

interface Waiting {
  readonly aim: Aim;
  misses: number;
  fromMs: number;
}

export class AimedFaults {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #waiting: readonly Waiting[];
  readonly #open = new Set<Cancel>();
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster, workload: Workload) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#workload = workload;
    const { plan, dice } = environment;
    this.#waiting = (plan.aims ?? []).map((aim) => ({
      aim,
      misses: dice.below(MISSES_MAX),
      fromMs: plan.startMs + dice.below(aim.everyMs),
    }));
  }

  /** Checks whether this fact is the moment of an aim. */
  see(fact: Fact): void {
    if (this.#isOver) return;
    const { scheduler, dice } = this.#environment;
    for (const one of this.#waiting) {
      if (scheduler.nowMs < one.fromMs || momentOf(fact) !== one.aim.moment || one.misses-- > 0) continue;
      one.misses = dice.below(MISSES_MAX);
      one.fromMs = scheduler.nowMs + one.aim.everyMs;
      this.#strike(one.aim, endsOf(fact));
    }
  }

  /** Ends all faults now, and begins no new ones. */
  stop(): void {
    this.#isOver = true;
    if (this.#waiting.length === 0) return;
    for (const open of this.#open) open();
    this.#open.clear();
    this.#cluster.heal();
  }

  #strike({ blow }: Aim, ends: Ends): void {
    // In the middle of the step that sends it.
    if (blow === "crashAtOnce") return this.#crash(this.#oneOf(ends));
    const { scheduler, dice } = this.#environment;
    scheduler.after(dice.chance(0.5) ? 0 : dice.below(LATER_MS_MAX), () => {
      if (!this.#isOver) this.#strikeNow(blow, ends);
    });
  }

  #strikeNow(blow: Aim["blow"], ends: Ends): void {
    const { dice, scheduler } = this.#environment;
    const [one, other] = this.#twoOf(ends);
    switch (blow) {
      case "reset":
        if (one !== undefined && other !== undefined) this.#cluster.reset(one.machine, other.machine);
        return;
      case "part":
        if (one === undefined || other === undefined) return;
        return this.#during(this.#cluster.partition([[one.machine], [other.machine]]), dice.between(20, 7_000));
      case "delay":
        return this.#during(this.#cluster.slowDown(dice.between(50, 1_500)), dice.between(200, 3_000));
      case "crash":
      case "crashAtOnce":
        return this.#crash(one);
      case "stop":
        return this.#stopInOrder(one);
      case "pause":
        if (one === undefined || !one.isRunning || one.isPaused) return;
        this.#cluster.pause(one);
        scheduler.after(dice.between(50, this.#environment.plan.pauseMsMax), () => this.#cluster.resume(one));
        return;
      case "cutClient":
        return this.#clientOf(ends)?.cut({ clientMs: dice.below(20), serverMs: dice.below(1_500) }, 0);
      case "endClient":
        return this.#endClient(this.#clientOf(ends));
      case "changeClient":
        return this.#change(this.#clientOf(ends));
    }
  }

  #endClient(app: App | undefined): void {
    const living = this.#workload.apps.filter(({ isDead }) => !isDead);
    // An empty world shows nothing.
    if (app !== undefined && living.length > 2) app.die(this.#environment.dice.pick(["killed", "vanished"]));
  }

  /** The client's next request overtakes the message under way. */
  #change(app: App | undefined): void {
    const { dice } = this.#environment;
    const registered = app?.publishers.filter(({ isRegistered }) => isRegistered) ?? [];
    if (app === undefined || registered.length === 0) return;
    const publisher = dice.pick(registered);
    if (dice.chance(0.5) && !app.isBeset) app.unpublish(publisher);
    else app.republish(publisher, true);
  }

  #crash(node: SimNode | undefined): void {
    if (node?.isRunning !== true) return;
    this.#cluster.stop(node, "killed");
    this.#startAfter(node, this.#environment.dice.between(10, 3_000));
  }

  #stopInOrder(node: SimNode | undefined): void {
    if (node === undefined || !node.isRunning || node.isPaused || node.isStopping) return;
    this.#cluster.note(`${node.machine} is asked to stop`);
    node.stopInOrder(() => this.#startAfter(node, this.#environment.dice.between(10, 2_000)));
  }

  #startAfter(node: SimNode, downMs: number): void {
    this.#environment.scheduler.after(downMs, () => node.start());
  }

  #during(open: Cancel, durationMs: number): void {
    this.#open.add(open);
    this.#environment.scheduler.after(durationMs, () => {
      open();
      this.#open.delete(open);
    });
  }

  #oneOf(ends: Ends): SimNode | undefined {
    return this.#twoOf(ends)[0];
  }

  /** The nodes at both ends in a random order; if there is only one, another one beside it. */
  #twoOf({ nodes }: Ends): readonly SimNode[] {
    const { dice } = this.#environment;
    const all = this.#cluster.nodes.filter(({ isRunning }) => isRunning);
    const ends = dice.shuffle(all.filter(({ process }) => process !== undefined && nodes.includes(process.id)));
    return ends.length > 1 ? ends : [...ends, ...dice.shuffle(all.filter((node) => !ends.includes(node)))];
  }

  #clientOf({ client, nodes }: Ends): App | undefined {
    const running = this.#workload.apps.filter((app) => app.isRunning);
    const meant = running.filter((app) => app.name === client || nodes.includes(app.session));
    const some = meant.length > 0 ? meant : running;
    return some.length === 0 ? undefined : this.#environment.dice.pick(some);
  }
}

function momentOf(fact: Fact): Aim["moment"] | undefined {
  switch (fact.kind) {
    case "asked":
      return fact.isLost ? undefined : ASKED[fact.message.kind];
    case "told":
      return TOLD[fact.message.kind];
    case "followed":
      return "follow";
    case "replicated":
      return fact.message.kind === "notLeader" ? undefined : fact.message.kind;
    case "learned":
      return fact.message.kind === "slotTable" ? "table" : undefined;
    case "heartbeat":
      return (fact.message.slots?.held.length ?? 0) > 0 ? "holding" : undefined;
    case "pushed":
      return "shown";
    case "acknowledged":
      return "accepted";
    case "unpublished":
      return "takenBack";
    case "lost":
      return fact.side === "server" ? "lost" : undefined;
    default:
      return undefined;
  }
}

const ASKED: Readonly<Record<string, Aim["moment"]>> = {
  publish: "publish",
  fetch: "fetch",
  digests: "digests",
  inventory: "inventory",
  recalled: "recall",
};
const TOLD: Readonly<Record<string, Aim["moment"]>> = {
  taken: "taken",
  delta: "notice",
  changed: "notice",
  snapshot: "notice",
  wanted: "wanted",
  differs: "digests",
  recall: "recall",
};

function endsOf(fact: Fact): Ends {
  const client = "client" in fact ? fact.client : undefined;
  switch (fact.kind) {
    case "asked":
    case "told":
    case "followed":
    case "replicated":
      return { nodes: [fact.from, fact.to], client };
    case "heartbeat":
      return { nodes: [fact.from], client };
    case "learned":
      return { nodes: [fact.node], client };
    case "pushed":
    case "acknowledged":
    case "lost":
      return { nodes: [fact.session], client };
    default:
      return { nodes: [], client };
  }
}
