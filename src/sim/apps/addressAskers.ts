// Programs that ask sessions what belongs to the clients at an address: at random times, some for few entries. At the
// end they ask every session about every client, once for all entries and once for few.

import type { AddressAnswer, AddressAsker } from "../../registry/address.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import type { AddressAnswered } from "../facts.ts";
import type { Gate } from "../network/gate.ts";
import { Dice } from "../random.ts";
import type { App } from "./app.ts";

const PAUSE_MS_MAX = 2_000;
const WAIT_MS_MAX = 4_000;
const GIVE_UP_CHANCE = 0.15;
// Forms of an address that name the same host, and a text that names none.
const FORMS: readonly ((address: string) => string)[] = [
  (address) => address,
  (address) => `::ffff:${address}`,
  (address) => `[0:0:0:0:0:FFFF:${address}]`,
];
const NO_ADDRESS = "10.0.0.256";
const NO_ADDRESS_CHANCE = 0.05;
const ALL = Number.MAX_SAFE_INTEGER;
const FEW_CHANCE = 0.3;
const FEW_MAX = 3;
// With all well each slot is answered for in much less.
const LAST_MS = 4_000;
const LAST_MS_MIN = 2_000;
// A session takes 100, and some earlier ones may wait.
const LAST_AT_ONCE = 50;

/** How a session is asked. */
interface Asking {
  readonly waitMs: number;
  readonly entriesMax: number;
  readonly answered?: () => void;
}

export class AddressAskers {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #apps: readonly App[];
  /** Processes that stand still and were asked since. */
  readonly #unread = new WeakSet<Gate>();
  /** These say only how many entries are wanted: what else happens does not depend on it. */
  readonly #few = new Dice(1);
  #questions = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster, apps: readonly App[]) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#apps = apps;
  }

  start(): void {
    if (this.#environment.plan.asksAddresses === true) this.#next();
  }

  /** Every session is asked about every client, some questions at once, and nothing more. */
  last(): void {
    if (this.#environment.plan.asksAddresses !== true) return;
    this.#isOver = true;
    const { scheduler } = this.#environment;
    const endMs = scheduler.nowMs + LAST_MS;
    const few = this.#few.between(1, FEW_MAX);
    for (const node of this.#cluster.nodesOf("session")) {
      const left = [ALL, few].flatMap((entriesMax) => this.#apps.map((app) => ({ app, entriesMax })));
      const next = () => {
        const waitMs = endMs - scheduler.nowMs;
        const one = waitMs < LAST_MS_MIN ? undefined : left.shift();
        if (one === undefined) return;
        const { app, entriesMax } = one;
        this.#ask(node, app, { waitMs, entriesMax, answered: () => void scheduler.after(0, next) });
      };
      for (let at = 0; at < LAST_AT_ONCE; at++) next();
    }
  }

  #next(): void {
    const { dice, scheduler } = this.#environment;
    scheduler.after(dice.below(PAUSE_MS_MAX), () => {
      if (this.#isOver) return;
      const waitMs = dice.below(WAIT_MS_MAX);
      const entriesMax = this.#few.chance(FEW_CHANCE) ? this.#few.between(1, FEW_MAX) : ALL;
      const node = dice.pick(this.#cluster.nodesOf("session"));
      const giveUp = this.#ask(node, dice.pick(this.#apps), { waitMs, entriesMax });
      if (giveUp !== undefined && dice.chance(GIVE_UP_CHANCE)) scheduler.after(dice.below(waitMs + 1), giveUp);
      this.#next();
    });
  }

  /**
   * Asks, and returns what gives up; undefined if the node is not there, or has not read the last question: people ask
   * once and wait.
   */
  #ask(
    { session: host, process }: SimNode,
    app: App,
    { waitMs, entriesMax, answered }: Asking,
  ): (() => void) | undefined {
    if (host === undefined || process === undefined) return undefined;
    const { record, dice } = this.#environment;
    const { gate, id: node, time, machine } = process;
    if (!gate.isPaused) this.#unread.delete(gate);
    else if (this.#unread.has(gate)) return undefined;
    else this.#unread.add(gate);
    const question = ++this.#questions;
    const isLast = this.#isOver;
    const isAddress = isLast || !dice.chance(NO_ADDRESS_CHANCE);
    const address = isAddress ? dice.pick(FORMS)(app.address) : NO_ADDRESS;
    const asker: AddressAsker = {
      answer: (answer) => {
        // It may be killed in the middle of its step.
        if (!process.isRunning) return;
        record({ kind: "addressAnswered", question, node, ...shown(answer) });
        answered?.();
      },
    };
    gate.message(() => {
      record({
        kind: "addressAsked",
        question,
        node,
        machine,
        client: app.name,
        host: app.address,
        isAddress,
        entriesMax,
        waitMs,
        isLast,
      });
      const untilMs = time.clock.nowMs() + waitMs;
      host.step({ kind: "askedAddress", asker, address, entriesMax, untilMs });
    });
    return () =>
      gate.message(() => {
        record({ kind: "addressGivenUp", question });
        host.step({ kind: "gaveUpAddress", asker });
      });
  }
}

function shown(answer: AddressAnswer): AddressAnswered {
  if (answer.kind === "failed") {
    const nothing = { registrations: [], subscriptions: [], clients: 0, configWatches: 0 };
    return { ...nothing, isWhole: false, isCut: false, error: answer.error };
  }
  const { registrations, subscriptions, clients, configWatches, isWhole, isCut } = answer;
  const counts = { clients: clients.length, configWatches: configWatches.length };
  return { registrations, subscriptions, ...counts, isWhole, isCut };
}
