// Programs that subscribe nothing and ask sessions for lists: at once, or when there is a later one. Some give up.

import type { ServiceKey } from "../../model/ids.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { NO_VERSION } from "../../model/version.ts";
import type { Asker, QueryAnswer } from "../../registry/registry.ts";
import { tokenOf } from "../checkers/commits.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";

const POLLERS = 2;
const START_SPREAD_MS = 3_000;
const PAUSE_MS_MAX = 1_500;
const WAIT_MS_MAX = 6_000;
const GIVE_UP_CHANCE = 0.1;
// With all well a list is here, or comes, in much less.
const LAST_MS = 3_000;

export class Pollers {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #services: readonly ServiceKey[];
  /** The version that each poller has, by its number and the service. */
  readonly #have = new Map<string, bigint>();
  #questions = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#services = Array.from({ length: environment.plan.services }, (_, at) =>
      makeServiceKey({ name: `s${at + 1}`, namespace: "", group: "" }),
    );
  }

  start(): void {
    const { scheduler, dice } = this.#environment;
    for (let at = 0; at < POLLERS; at++) scheduler.after(dice.below(START_SPREAD_MS), () => this.#next(at));
  }

  /** From now on nothing is asked but the last question for every list at every session, which is asked at once. */
  last(): void {
    this.#isOver = true;
    for (const node of this.#cluster.nodesOf("session")) {
      for (const service of this.#services) this.#ask(node, { service, since: NO_VERSION, waitMs: LAST_MS });
    }
  }

  #next(poller: number): void {
    if (this.#isOver) return;
    const { dice, scheduler } = this.#environment;
    const node = dice.pick(this.#cluster.nodesOf("session"));
    const service = dice.pick(this.#services);
    const key = `${poller} ${service}`;
    const since = dice.chance(0.7) ? (this.#have.get(key) ?? NO_VERSION) : NO_VERSION;
    const waitMs = dice.below(WAIT_MS_MAX);
    const stop = this.#ask(node, { service, since, waitMs }, (answer) => {
      if (answer.kind === "list") this.#have.set(key, answer.view.version);
    });
    if (stop !== undefined && dice.chance(GIVE_UP_CHANCE)) scheduler.after(dice.below(waitMs + 1), stop);
    scheduler.after(waitMs + dice.below(PAUSE_MS_MAX), () => this.#next(poller));
  }

  /** Asks, and returns what gives up; undefined if the node is not there. */
  #ask(
    { session: host, process }: SimNode,
    { service, since, waitMs }: { service: ServiceKey; since: bigint; waitMs: number },
    answered: (answer: QueryAnswer) => void = () => undefined,
  ): (() => void) | undefined {
    if (host === undefined || process === undefined) return undefined;
    const { record } = this.#environment;
    const { gate, id: node, time } = process;
    const question = ++this.#questions;
    const asker: Asker = {
      answer: (answer) => {
        // It may be killed in the middle of its step.
        if (!process.isRunning) return;
        record({ kind: "queryAnswered", question, node, service, ...shown(answer) });
        answered(answer);
      },
    };
    gate.message(() => {
      const untilMs = time.clock.nowMs() + waitMs;
      record({ kind: "queried", question, node, machine: process.machine, service, since, waitMs });
      host.step({ kind: "asked", asker, serviceKey: service, since, untilMs });
    });
    return () =>
      gate.message(() => {
        record({ kind: "queryGivenUp", question });
        host.step({ kind: "gaveUp", asker });
      });
  }
}

function shown(answer: QueryAnswer): { readonly version?: bigint; readonly isNewer: boolean; readonly list: string } {
  if (answer.kind === "failed") return { isNewer: false, list: answer.error.code };
  const entries = [...answer.view.publications.values()].map((one) => `${one.zone}/${tokenOf(one)}`);
  return { version: answer.view.version, isNewer: answer.isNewer, list: entries.sort().join("\n") };
}
