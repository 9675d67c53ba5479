// The actions of the applications of one world: they come up, publish, change, take back and subscribe, at random
// times.

import type { BoltDialect } from "../../encoding/bolt/frame.ts";
import type { Publisher } from "../../protocols/sofa/client/registration.ts";
import type { WireForm } from "../../protocols/sofa/codec/messages.ts";
import type { ServiceName } from "../../protocols/sofa/serviceName.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import { App } from "./app.ts";

const START_SPREAD_MS = 2_000;
const PUBLISHERS_MAX = 4;
const SUBSCRIBERS_MAX = 3;
const BURST_MAX = 8;
const BURST_MS = 200;
const LEAVE_MS = 2_000;

// With this bound, a client may register everything that it wants here.
const REGISTRATIONS_MAX = 100;

const FORMS: readonly WireForm[] = ["hessian-draft", "hessian-draft", "hessian-final", "protobuf"];
const DIALECTS: readonly BoltDialect[] = [
  { protocol: 1, version: 0, crc: false },
  { protocol: 1, version: 0, crc: false },
  { protocol: 2, version: 1, crc: true },
  { protocol: 2, version: 2, crc: true },
];

export class Workload {
  readonly apps: readonly App[];
  readonly #environment: SimEnvironment;
  readonly #services: readonly ServiceName[];
  readonly #cluster: Cluster;
  #strangers = 0;
  #pauseUntilMs = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
    const { plan } = environment;
    this.#services = Array.from({ length: plan.services }, (_, at) => ({
      dataId: `s${at + 1}`,
      instanceId: "",
      group: "",
    }));
    this.apps = Array.from({ length: plan.clients }, (_, at) => this.#app(at, cluster));
  }

  start(): void {
    const { scheduler, dice } = this.#environment;
    for (const app of this.apps) scheduler.after(dice.below(START_SPREAD_MS), () => this.#begin(app));
    this.#next();
  }

  /** Stops the workload for a while: a list that changes then has another cause. */
  pause(durationMs: number): void {
    this.#pauseUntilMs = Math.max(this.#pauseUntilMs, this.#environment.scheduler.nowMs + durationMs);
  }

  get isPaused(): boolean {
    return this.#environment.scheduler.nowMs < this.#pauseUntilMs;
  }

  /** Ends the workload. Where few registrations are allowed, clients then give up those that were refused. */
  stop(): void {
    this.#isOver = true;
    if (!this.#areFew) return;
    for (const app of this.apps) if (!app.isDead) app.giveUpUnacknowledged();
  }

  /** Ends all clients; some take back everything first. */
  leave(): void {
    const { scheduler, dice } = this.#environment;
    for (const app of this.apps) {
      if (app.isDead) continue;
      if (dice.chance(0.5)) app.takeAllBack();
      scheduler.after(dice.below(LEAVE_MS), () => app.die(dice.chance(0.7) ? "killed" : "vanished"));
    }
  }

  /** A new client on its way to the session of another one, or to any. */
  strangerTo(victim: App): App {
    const { plan, dice } = this.#environment;
    const at = ++this.#strangers;
    const isNear = dice.chance(0.5);
    return new App(this.#environment, {
      name: `x${at}`,
      address: `10.66.${at >> 8}.${at & 255}`,
      sessions: () => {
        const all = this.#cluster.nodesOf("session").filter((node) => !this.#cluster.isCopy(node));
        return isNear ? all.filter(({ process }) => process?.id === victim.session) : dice.shuffle(all);
      },
      client: {
        mode: "serial",
        form: "hessian-draft",
        dialect: { protocol: 1, version: 0, crc: false },
        dataCenter: plan.config.dataCenter,
        appName: "stranger",
        zone: plan.zones[0] ?? "Z1",
        acceptEncoding: null,
        answersPushes: true,
      },
    });
  }

  /** Clients may register less than they want. */
  get #areFew(): boolean {
    return this.#environment.plan.config.clientRegistrationsMax <= REGISTRATIONS_MAX;
  }

  #app(at: number, cluster: Cluster): App {
    const { plan, dice } = this.#environment;
    const form = dice.pick(FORMS);
    return new App(this.#environment, {
      name: `c${at + 1}`,
      address: `10.0.0.${at + 1}`,
      sessions: () => dice.shuffle(cluster.nodesOf("session").filter((node) => !cluster.isCopy(node))),
      client: {
        mode: dice.chance(0.9) ? "serial" : "pipelined",
        form,
        dialect: dice.pick(DIALECTS),
        dataCenter: plan.config.dataCenter,
        appName: `app-${at + 1}`,
        zone: dice.pick(plan.zones),
        acceptEncoding: form === "protobuf" && dice.chance(0.5) ? dice.pick(["zstd,gzip", "gzip"]) : null,
        answersPushes: !(form === "protobuf" && dice.chance(0.5)),
      },
    });
  }

  #begin(app: App): void {
    if (!app.isRunning) return;
    const { dice } = this.#environment;
    if (dice.chance(0.7)) this.#publish(app);
    if (dice.chance(0.6)) this.#subscribe(app);
  }

  #next(): void {
    const { scheduler, dice, plan } = this.#environment;
    scheduler.after(1 + dice.below(2 * plan.operationMs), () => {
      if (this.#isOver) return;
      if (!this.isPaused) this.#operate();
      this.#next();
    });
  }

  #operate(): void {
    const { dice } = this.#environment;
    const running = this.apps.filter((app) => app.isRunning);
    if (running.length === 0) return;
    const app = dice.pick(running);
    const roll = dice.next();
    if (roll < 0.4) this.#change(app);
    else if (roll < 0.55) this.#publish(app);
    else if (roll < 0.7) this.#unpublish(app);
    else if (roll < 0.8) this.#subscribe(app);
    else if (roll < 0.86) this.#unsubscribe(app);
    else if (roll < 0.94) this.#flap(app);
    else this.#burst(app);
  }

  #publish(app: App): void {
    const { dice, plan } = this.#environment;
    if (app.publishers.length >= PUBLISHERS_MAX) return;
    const service = dice.pick(this.#services);
    if (!dice.chance(plan.sharedChance)) return void app.publish(service);
    const others = this.apps.flatMap((other) => (other === app ? [] : other.publishers));
    const twins = others.filter((publisher) => publisher.service.dataId === service.dataId);
    const twin = twins.length === 0 ? undefined : dice.pick(twins);
    const isMine = app.publishers.some(({ registId }) => registId === twin?.registId);
    app.publish(service, isMine ? undefined : twin?.registId);
  }

  #change(app: App): void {
    const { dice } = this.#environment;
    const publisher = this.#registered(app);
    if (publisher !== undefined) app.republish(publisher, dice.chance(0.8));
  }

  #unpublish(app: App): void {
    const publisher = this.#registered(app);
    if (publisher !== undefined && !app.isBeset) app.unpublish(publisher);
  }

  /** Takes back and publishes again, under the same registration and with little time in between. */
  #flap(app: App): void {
    const { dice, scheduler } = this.#environment;
    const publisher = app.publishers.length === 0 ? undefined : dice.pick(app.publishers);
    if (publisher === undefined) return;
    if (publisher.isRegistered && !app.isBeset) app.unpublish(publisher);
    scheduler.after(dice.chance(0.5) ? 0 : dice.below(400), () => {
      if (this.#isOver && this.#areFew) return;
      if (app.isRunning && !publisher.isRegistered) app.republish(publisher, true);
    });
  }

  #burst(app: App): void {
    const { dice, scheduler } = this.#environment;
    const spanMs = dice.chance(0.3) ? 1 : BURST_MS;
    for (let left = dice.between(2, BURST_MAX); left > 0; left--) {
      const who = dice.chance(0.5) ? app : dice.pick(this.apps);
      scheduler.after(dice.below(spanMs), () => {
        if (who.isRunning) this.#change(who);
      });
    }
  }

  #subscribe(app: App): void {
    const { dice } = this.#environment;
    if (app.subscribers.length >= SUBSCRIBERS_MAX) return;
    const scope = dice.pick(["zone", "dataCenter", "global"] as const);
    app.subscribe(dice.pick(this.#services), scope, scope === "global" && dice.chance(0.2));
  }

  #unsubscribe(app: App): void {
    const { dice } = this.#environment;
    if (app.subscribers.length > 0) app.unsubscribe(dice.pick(app.subscribers));
  }

  #registered(app: App): Publisher | undefined {
    const registered = app.publishers.filter(({ isRegistered }) => isRegistered);
    return registered.length === 0 ? undefined : this.#environment.dice.pick(registered);
  }
}
