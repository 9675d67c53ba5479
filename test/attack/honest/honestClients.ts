// The well-behaved clients beside an attack. Three of them, from three addresses of the machine (the first is the
// attacker's own), publish and subscribe the same services; something changes all the time, and short-lived clients
// come and are killed. Measured are the way of each change to each subscriber, and how long the killed stay listed;
// every list that is shown goes through the judge of the fault suite.

import { setTimeout as sleep } from "node:timers/promises";
import { SocketClient } from "../../faults/clients/socketClient.ts";
import { type HistoryEvent, monotonicMs } from "../../faults/history/event.ts";
import { judge } from "../../faults/history/judge.ts";
import type { Readers, Target } from "../target.ts";
import { Delays } from "./delays.ts";
import { HonestReaders } from "./honestReaders.ts";
import { honestAddress, honestRegistId, honestService } from "./names.ts";

export interface HonestReport {
  /** From the call to the push, over all changes and subscribers, in milliseconds. */
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Connections of honest clients that were closed. */
  readonly closed: number;
  /** Of killed clients, how long the last subscriber saw them. */
  readonly unlistedMs: readonly number[];
  /** The findings of the judge, or of the readers. */
  readonly findings: readonly string[];
}

const CLIENTS = 3;
const SERVICES = 4;
// A service changes each 640 ms: the server gathers changes that are nearer to each other, which is not measured here.
const CHANGE_MS = 160;
const MAYFLY_REST_MS = 1_000;
const SHOWN_MS_MAX = 15_000;
const POLL_MS = 5;
const SETTINGS = { reconnectMs: 500, retryMs: 500, connectTimeoutMs: 3_000 };
/** The service of the clients that are killed. */
const MAYFLIES = "honest-mayflies";

export class HonestClients {
  readonly #target: Target;
  readonly #events: HistoryEvent[] = [];
  readonly #delays = new Delays();
  readonly #clients = new Map<string, SocketClient>();
  readonly #readers: HonestReaders | undefined;
  readonly #unlistedMs: number[] = [];
  readonly #failures: string[] = [];
  #registrations = 0;
  #closed = 0;
  #isChanging = false;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(target: Target, readers: Readers | undefined) {
    this.#target = target;
    for (let number = 0; number < CLIENTS; number++) this.#begin(number);
    this.#readers = readers === undefined ? undefined : new HonestReaders(target, readers);
  }

  /** Whether all subscribers show all that is published; waits for it. */
  async settled(limitMs: number): Promise<boolean> {
    const endMs = monotonicMs() + limitMs;
    while (!this.#isSettled()) {
      if (monotonicMs() > endMs) return false;
      await sleep(POLL_MS);
    }
    this.#record({ kind: "converged", t: monotonicMs() });
    return true;
  }

  startChanging(hasMayflies: boolean): void {
    this.#isChanging = true;
    this.#changing = Promise.all([this.#change(), ...(hasMayflies ? [this.#killMayflies()] : [])]);
  }

  measure(nowMs: number): void {
    this.#delays.measureFrom(nowMs);
  }

  async end(settleMsMax: number): Promise<HonestReport> {
    this.#isChanging = false;
    await this.#changing;
    if (!(await this.settled(settleMsMax))) this.#failures.push("the lists did not become right after the attack");
    const found = judge(this.#events).map(({ rule, text }) => `${rule}: ${text}`);
    const readers = this.#readers?.findings() ?? [];
    const findings = [...this.#failures, ...found, ...readers];
    const closed = this.#closed + (this.#readers?.closed ?? 0);
    return { ...this.#delays.summary(monotonicMs()), closed, unlistedMs: this.#unlistedMs, findings };
  }

  #begin(number: number): void {
    const name = `honest${number}`;
    const client = this.#open(name, number);
    const subscribe = (subscription: string, service: string) => {
      client.subscribe(subscription, service);
      this.#delays.subscribed(subscription, service);
    };
    for (let service = 0; service < SERVICES; service++) {
      subscribe(`${name}-sub${service}`, honestService(service));
      client.publish(`${name}-pub${service}`, honestService(service));
    }
    subscribe(`${name}-mayflies`, MAYFLIES);
  }

  #open(name: string, number: number): SocketClient {
    const { host, boltPort: port } = this.#target;
    const client = new SocketClient({
      name,
      sessions: [{ name: "server", host, port }],
      first: "server",
      settings: SETTINGS,
      record: (event) => this.#record(event),
      localAddress: honestAddress(number),
      nextRegistId: () => honestRegistId(this.#registrations++),
    });
    this.#clients.set(name, client);
    return client;
  }

  async #change(): Promise<void> {
    for (let number = 0; this.#isChanging; number++) {
      const service = number % SERVICES;
      const name = `honest${Math.floor(number / SERVICES) % CLIENTS}`;
      this.#clients.get(name)?.publish(`${name}-pub${service}`, honestService(service));
      await sleep(CHANGE_MS);
    }
  }

  /** Clients that come, are seen by all, and are killed. */
  async #killMayflies(): Promise<void> {
    for (let number = 0; this.#isChanging; number++) {
      const name = `mayfly${number}`;
      // Where one address has had its share, its next client is kept out: these come from the others.
      const client = this.#open(name, 1 + (number % (CLIENTS - 1)));
      client.publish(`${name}-pub`, MAYFLIES);
      const isShown = await this.#delays.until(() => this.#delays.isShown(MAYFLIES, `${name}-pub`), SHOWN_MS_MAX);
      if (!isShown) this.#failures.push(`${name} was not shown to all within ${SHOWN_MS_MAX} ms`);
      client.die();
      const killedMs = monotonicMs();
      await this.#delays.until(() => !this.#delays.isListed(MAYFLIES, `${name}-pub`), SHOWN_MS_MAX);
      this.#unlistedMs.push(monotonicMs() - killedMs);
      this.#clients.delete(name);
      await sleep(MAYFLY_REST_MS);
    }
  }

  #record(event: HistoryEvent): void {
    this.#events.push(event);
    this.#delays.see(event);
    if (event.kind === "closed") this.#closed++;
  }

  #isSettled(): boolean {
    return this.#delays.isAllShown() && (this.#readers?.isSettled() ?? true);
  }
}
