// The world of one scenario: its cluster, its clients by the names that the text gives them, and the lists that they
// were shown.

import type { NodeId } from "../../model/ids.ts";
import { slotOf } from "../../model/slot.ts";
import type { Publisher } from "../../protocols/sofa/client/registration.ts";
import { serviceKeyOf } from "../../protocols/sofa/serviceName.ts";
import { App } from "../apps/app.ts";
import type { Finding } from "../checkers/checker.ts";
import { Judge } from "../checkers/judge.ts";
import { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import { EventLog } from "../eventLog.ts";
import type { Fact } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { Dice } from "../random.ts";
import { Scheduler } from "../scheduler.ts";

/** A list that a subscriber took. */
export interface SeenList {
  readonly atMs: number;
  readonly addresses: readonly string[];
}

interface Actor {
  readonly app: App;
  sessions: readonly string[];
  /** By the service, or by the name under which it was published. */
  readonly publishers: Map<string, Publisher>;
}

export class Stage {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly log = new EventLog();
  readonly cluster: Cluster;
  readonly #dice = new Dice(1);
  readonly #judge: Judge;
  readonly #actors = new Map<string, Actor>();
  readonly #hosts = new Map<string, string>();
  // The published addresses, by the form in which subscribers see them.
  readonly #addresses = new Map<string, string>();
  // By client and service, all lists that were taken, oldest first.
  readonly #seen = new Map<string, SeenList[]>();
  readonly #watchers = new Set<(fact: Fact) => boolean>();
  readonly #changedMs = new Map<string, number>();
  readonly #names = new Map<string, string>();
  #hasStarted = false;

  constructor(plan: Plan) {
    this.plan = plan;
    this.scheduler = new Scheduler(plan.startMs);
    this.#judge = new Judge(plan);
    this.cluster = new Cluster(this.#environment());
  }

  get finding(): Finding | undefined {
    return this.#judge.finding;
  }

  get atMs(): number {
    return this.scheduler.nowMs - this.plan.startMs;
  }

  /** The time at which the service's registrations last changed. */
  changedMs(service: string): number {
    return this.#changedMs.get(service) ?? 0;
  }

  /** All clients that the text has named. */
  get apps(): readonly App[] {
    return [...this.#actors.values()].map(({ app }) => app);
  }

  /** All lists that subscribers have taken, by `client service`. */
  get seen(): ReadonlyMap<string, readonly SeenList[]> {
    return this.#seen;
  }

  /** Lets time pass; the nodes start at the first call. */
  pass(durationMs: number): void {
    this.start();
    this.scheduler.run(this.scheduler.nowMs + durationMs, () => this.finding !== undefined);
  }

  start(): void {
    if (this.#hasStarted) return;
    this.#hasStarted = true;
    this.cluster.start();
    this.pass(START_MS);
  }

  /** Records a fact that does not come from a node. */
  record(fact: Fact): void {
    this.#record(fact);
  }

  /** Calls `run` at the first fact that fits. */
  once(fits: (fact: Fact) => boolean): void {
    this.#watchers.add(fits);
  }

  /** A client by its name; `s1` is one that knows only that session. It has its own host, or shares another's. */
  actor(name: string, sessions: readonly string[] = [name], beside?: string): Actor {
    const known = this.#actors.get(name);
    if (known !== undefined) return known;
    const environment = this.#environment();
    const address = (beside === undefined ? undefined : this.#hosts.get(beside)) ?? `10.9.0.${this.#actors.size + 1}`;
    this.#hosts.set(name, address);
    const actor: Actor = {
      app: new App(environment, {
        name: `client-${name}`,
        address,
        sessions: () => this.#sessionsOf(actor),
        client: {
          mode: "serial",
          form: "hessian-draft",
          dialect: { protocol: 1, version: 0, crc: false },
          dataCenter: this.plan.config.dataCenter,
          appName: name,
          zone: "Z1",
          acceptEncoding: null,
          answersPushes: true,
        },
      }),
      sessions,
      publishers: new Map(),
    };
    this.#actors.set(name, actor);
    return actor;
  }

  /** Publishes, or changes the client's publication in this service under this name. */
  publish(who: string, service: string, { address, name }: { address: string; name: string | undefined }): void {
    const { app, publishers } = this.actor(who);
    const key = name ?? service;
    const known = publishers.get(key);
    this.#changedMs.set(service, this.scheduler.nowMs);
    if (known !== undefined) {
      this.#addresses.set(app.republish(known, true), address);
      return;
    }
    this.#addresses.set(app.publish(serviceName(service), name), address);
    const publisher = app.publishers.at(-1);
    if (publisher !== undefined) publishers.set(key, publisher);
  }

  unpublish(who: string, key: string): boolean {
    const { app, publishers } = this.actor(who);
    const publisher = publishers.get(key);
    if (publisher === undefined) return false;
    this.#changedMs.set(publisher.service.dataId, this.scheduler.nowMs);
    app.unpublish(publisher);
    return true;
  }

  /** The machine whose process leads the service's slot, by the stored table; or that process, if it is gone. */
  slotLeader(service: string): string | undefined {
    return this.#machineOf(this.#ownerOf(service)?.leader);
  }

  /** Gives a machine another name from now on. */
  call(name: string, machine: string): void {
    this.#names.set(name, machine);
  }

  /**
   * The machine behind a word: a name from the text, `@meta` for the leading meta node, `@orders` for the leader of the
   * service's slot, `@orders/follower` for its first follower.
   */
  resolve(word: string): string {
    if (!word.startsWith("@")) return this.#names.get(word) ?? word;
    const leading = this.cluster.nodesOf("meta").find(({ meta }) => meta?.isLeading === true);
    if (word === "@meta") return leading?.machine ?? word;
    const [service = "", part] = word.slice(1).split("/");
    const owner = this.#ownerOf(service);
    return this.#machineOf(part === "follower" ? owner?.followers[0] : owner?.leader) ?? word;
  }

  #ownerOf(service: string) {
    const slot = slotOf(serviceKeyOf(serviceName(service)), this.plan.meta.slotCount);
    return this.cluster.store.state.slotTable?.slots[slot];
  }

  #machineOf(id: NodeId | undefined): string | undefined {
    return this.cluster.nodes.find(({ process }) => process?.id === id)?.machine ?? id;
  }

  #sessionsOf({ sessions }: Actor) {
    return sessions.flatMap((machine) => this.cluster.node(machine) ?? []);
  }

  #environment(): SimEnvironment {
    const { plan, scheduler } = this;
    return { plan, scheduler, dice: this.#dice.fork(), record: (fact) => this.#record(fact) };
  }

  #record(fact: Fact): void {
    this.log.add(fact, this.atMs);
    this.#judge.see(fact, this.scheduler.nowMs);
    if (fact.kind === "pushed" && fact.isTaken) this.#pushed(fact);
    for (const watcher of [...this.#watchers]) if (watcher(fact)) this.#watchers.delete(watcher);
  }

  #pushed({ client, service, entries }: Fact & { kind: "pushed" }): void {
    const key = `${client.slice("client-".length)} ${service.slice(0, service.indexOf("#"))}`;
    const addresses = entries.map((entry) => this.#addresses.get(entry.slice(entry.indexOf("/") + 1)) ?? entry);
    const lists = this.#seen.get(key) ?? [];
    this.#seen.set(key, [...lists, { atMs: this.scheduler.nowMs, addresses: addresses.sort() }]);
  }
}

// Election, membership and the first slot table.
const START_MS = 3_000;

export function serviceName(service: string) {
  return { dataId: service, instanceId: "", group: "" };
}
