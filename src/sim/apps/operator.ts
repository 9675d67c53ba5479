// Configuration: clients begin to watch values at random times, and an operator changes them.

import { type ServiceName, serviceKeyOf } from "../../protocols/sofa/serviceName.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";
import type { Workload } from "./workload.ts";

const CHANGE_MS = 700;
const WATCH_MS = 400;
const UNSET_CHANCE = 0.1;

export class Operator {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  readonly #values: readonly ServiceName[];
  readonly #watching = new Map<string, Set<ServiceName>>();
  #changes = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster, workload: Workload) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#workload = workload;
    this.#values = Array.from({ length: environment.plan.configs ?? 0 }, (_, at) => ({
      dataId: `value${at + 1}`,
      instanceId: "",
      group: "",
    }));
  }

  start(): void {
    if (this.#values.length === 0) return;
    const isOver = () => this.#isOver;
    repeatAtRandom(this.#environment, CHANGE_MS, () => this.#change(), isOver);
    repeatAtRandom(this.#environment, WATCH_MS, () => this.#watch(), isOver);
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Asks a meta node that believes it leads, as `roster config set` does. */
  #change(): void {
    const { dice } = this.#environment;
    const leads = this.#cluster.nodesOf("meta").filter((node) => node.meta?.isLeading === true && !node.isPaused);
    const [lead] = leads;
    if (lead === undefined) return;
    const data = dice.chance(UNSET_CHANCE) ? null : `change ${++this.#changes}`;
    lead.meta?.putConfig(serviceKeyOf(dice.pick(this.#values)), data);
  }

  #watch(): void {
    const { dice } = this.#environment;
    const running = this.#workload.apps.filter(({ isRunning }) => isRunning);
    if (running.length === 0) return;
    const app = dice.pick(running);
    const watched = this.#watching.get(app.name) ?? new Set();
    const value = this.#values.find((one) => !watched.has(one));
    if (value === undefined) return;
    this.#watching.set(app.name, watched.add(value));
    app.watchConfig(value);
  }
}
