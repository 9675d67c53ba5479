// The clients of the tree of one world: they work, move, break off, close their sessions and die.

import type { Cluster } from "../../cluster/cluster.ts";
import type { SimEnvironment } from "../../cluster/environment.ts";
import { TREE_SESSION_MS } from "../../cluster/treeHost.ts";
import { repeatAtRandom } from "../repeatAtRandom.ts";
import { TreeClient } from "./treeClient.ts";
import { TreeWork } from "./treeWork.ts";

const START_SPREAD_MS = 1_500;
const TROUBLE_MS = 2_500;

interface Working {
  readonly client: TreeClient;
  readonly work: TreeWork;
}

export class TreeClients {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #actMs: number;
  #all: Working[] = [];
  #connections = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#actMs = environment.dice.pick([15, 60, 200]);
  }

  start(count: number): void {
    const { scheduler, dice } = this.#environment;
    for (let left = count; left > 0; left--) scheduler.after(dice.below(START_SPREAD_MS), () => this.#add());
    const isOver = () => this.#isOver;
    repeatAtRandom(this.#environment, this.#actMs, () => this.#act(), isOver);
    repeatAtRandom(this.#environment, TROUBLE_MS, () => this.#trouble(), isOver);
  }

  /** Clients go on with their sessions, and do nothing else. */
  stop(): void {
    this.#isOver = true;
  }

  /** Tells which clients live. */
  last(): void {
    for (const { client } of this.#living) {
      const { name, session, on } = client;
      this.#environment.record({ kind: "treeLives", client: name, session, isConnected: on !== undefined });
    }
  }

  /** All clients go. */
  leave(): void {
    for (const { client } of this.#living) client.die(false);
  }

  get #living(): Working[] {
    return this.#all.filter(({ client }) => !client.isDead);
  }

  #add(): void {
    const { dice } = this.#environment;
    const number = this.#all.length + 1;
    const client: TreeClient = new TreeClient(
      { ...this.#environment, dice: dice.fork() },
      this.#cluster,
      {
        name: `z${number}`,
        address: `10.2.0.${number}`,
        timeoutMs: dice.pick(TREE_SESSION_MS),
        begun: () => work.begin(),
        lost: () => work.lost(),
      },
      () => ++this.#connections,
    );
    const work = new TreeWork({ ...this.#environment, dice: dice.fork() }, client);
    this.#all.push({ client, work });
    client.connect();
  }

  #act(): void {
    if (this.#living.length > 0) this.#environment.dice.pick(this.#living).work.act();
  }

  #trouble(): void {
    const { dice } = this.#environment;
    const living = this.#living;
    if (living.length === 0) return;
    const { client, work } = dice.pick(living);
    const roll = dice.next();
    if (roll < 0.5) return client.break(dice.chance(0.2));
    if (roll < 0.7) return work.close();
    client.die(dice.chance(0.5));
    this.#add();
  }
}
