// Programs that ask sessions what belongs to the clients at an address: at random times, and at the end about every
// client at every session.

import type { AddressAnswer, AddressAsker } from "../../registry/address.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import type { AddressAnswered } from "../facts.ts";
import type { Gate } from "../network/gate.ts";
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
// With all well each slot is answered for in much less.
const LAST_MS = 4_000;

export class AddressAskers {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #apps: readonly App[];
  /** Processes that stand still and were asked since. */
  readonly #unread = new WeakSet<Gate>();
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

  /** Every session is asked about every client, all at once, and nothing more. */
  last(): void {
    if (this.#environment.plan.asksAddresses !== true) return;
    this.#isOver = true;
    for (const node of this.#cluster.nodesOf("session")) {
      for (const app of this.#apps) this.#ask(node, app, LAST_MS);
    }
  }

  #next(): void {
    const { dice, scheduler } = this.#environment;
    scheduler.after(dice.below(PAUSE_MS_MAX), () => {
      if (this.#isOver) return;
      const waitMs = dice.below(WAIT_MS_MAX);
      const giveUp = this.#ask(dice.pick(this.#cluster.nodesOf("session")), dice.pick(this.#apps), waitMs);
      if (giveUp !== undefined && dice.chance(GIVE_UP_CHANCE)) scheduler.after(dice.below(waitMs + 1), giveUp);
      this.#next();
    });
  }

  /**
   * Asks, and returns what gives up; undefined if the node is not there, or has not read the last question: people ask
   * once and wait.
   */
  #ask({ session: host, process }: SimNode, app: App, waitMs: number): (() => void) | undefined {
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
      answer: (answer) => record({ kind: "addressAnswered", question, node, ...shown(answer) }),
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
        waitMs,
        isLast,
      });
      const untilMs = time.clock.nowMs() + waitMs;
      host.step({ kind: "askedAddress", asker, address, entriesMax: Number.MAX_SAFE_INTEGER, untilMs });
    });
    return () =>
      gate.message(() => {
        record({ kind: "addressGivenUp", question });
        host.step({ kind: "gaveUpAddress", asker });
      });
  }
}

function shown(answer: AddressAnswer): AddressAnswered {
  if (answer.kind === "failed") return { registrations: [], subscriptions: [], isWhole: false, error: answer.error };
  const { registrations, subscriptions, isWhole } = answer;
  return { registrations, subscriptions, isWhole };
}
