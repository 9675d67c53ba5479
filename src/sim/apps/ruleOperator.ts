// Rules: an operator takes clients offline and brings them back, holds pushes and releases them, and changes settings,
// at random times. Only the first clients are taken offline; the checkers know which.

import type { RuleDraft, RuleMatch } from "../../model/rule.ts";
import { serviceKeyOf } from "../../protocols/sofa/serviceName.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import { repeatAtRandom } from "./repeatAtRandom.ts";
import type { Workload } from "./workload.ts";

const CHANGE_MS = 1_200;
const LIFT_MS = 500;
// Within this the last leader is there, or it is too late for this world.
const LIFTS_MAX = 20;
const LASTS_MS = { min: 500, max: 5_000 };
const HOLD = "hold";

export class RuleOperator {
  readonly #environment: SimEnvironment;
  readonly #cluster: Cluster;
  readonly #workload: Workload;
  #lifts = 0;
  #isOver = false;

  constructor(environment: SimEnvironment, cluster: Cluster, workload: Workload) {
    this.#environment = environment;
    this.#cluster = cluster;
    this.#workload = workload;
  }

  start(): void {
    if (this.#environment.plan.ruledClients === undefined) return;
    repeatAtRandom(
      this.#environment,
      CHANGE_MS,
      () => this.#change(),
      () => this.#isOver,
    );
  }

  /** Ends the changes; in half of the worlds all rules are lifted then. */
  stop(): void {
    this.#isOver = true;
    if (this.#environment.plan.ruledClients !== undefined && this.#environment.dice.chance(0.5)) this.#lift();
  }

  #change(): void {
    const { dice } = this.#environment;
    const roll = dice.next();
    if (roll < 0.4) this.#takeOffline();
    else if (roll < 0.62) this.#remove();
    else if (roll < 0.77) this.#hold();
    else if (roll < 0.9) this.#put(HOLD, undefined);
    else this.#changeSettings();
  }

  #takeOffline(): void {
    const { dice, plan } = this.#environment;
    const app = dice.pick(this.#workload.apps.slice(0, plan.ruledClients));
    const addresses = [dice.chance(0.3) ? `${app.address}/32` : app.address];
    const service = { dataId: `s${dice.between(1, plan.services)}`, instanceId: "", group: "" };
    const match = dice.chance(0.25) ? { addresses, services: [serviceKeyOf(service)] } : { addresses };
    this.#put(`off-${app.name}`, { effect: "hidePublications", match });
  }

  #hold(): void {
    const { dice, plan } = this.#environment;
    const addresses = this.#workload.apps.slice(0, plan.ruledClients).map(({ address }) => address);
    const match = dice.pick<RuleMatch>([{}, { exceptAddresses: addresses }, { addresses }]);
    this.#put(HOLD, { effect: "holdPushes", match });
  }

  /** Settings that loosen no bound by which the checkers judge. Two rules may disagree about one. */
  #changeSettings(): void {
    const { dice, plan } = this.#environment;
    const { pushWindowMaxMs, digestIntervalMs } = plan.config;
    const values: readonly [string, string][] = [
      ["push-compress", String(dice.chance(0.5))],
      ["push-encodings", dice.pick(["", "gzip", "zstd,gzip"])],
      ["push-window-max-ms", String(dice.between(0, pushWindowMaxMs))],
      ["digest-interval-ms", String(dice.between(1_000, digestIntervalMs))],
    ];
    const settings = new Map(values.filter(() => dice.chance(0.5)));
    if (settings.size === 0) return;
    const sessions = dice.pick(this.#cluster.nodesOf("session")).machine;
    const match = dice.pick<RuleMatch>([
      {},
      {},
      { zones: [plan.config.zone] },
      { zones: ["Z9"] },
      { sessions: [sessions] },
    ]);
    this.#put(`setting:${dice.between(1, 2)}`, { effect: "changeSettings", match, settings });
  }

  #remove(): void {
    const rules = [...(this.#leader()?.meta?.rules.rules() ?? [])];
    if (rules.length > 0) this.#put(this.#environment.dice.pick(rules).id, undefined);
  }

  /** Puts a rule, or removes it, as `roster offline` does; perhaps it is to end by itself, or is not in force yet. */
  #put(id: string, rule: Pick<RuleDraft, "effect" | "match" | "settings"> | undefined): void {
    const { dice } = this.#environment;
    const leader = this.#leader();
    const nowMs = leader?.process?.time.clock.nowMs();
    if (leader?.meta === undefined || nowMs === undefined) return;
    const isConditional = dice.chance(0.5);
    const expected = new Map(isConditional ? [[id, leader.meta.rules.get(id)?.epoch]] : []);
    const end = dice.chance(0.3) ? { untilMs: Math.ceil(nowMs) + dice.between(LASTS_MS.min, LASTS_MS.max) } : {};
    const draft = rule && { id, ...rule, isInForce: dice.chance(0.9), setBy: "operator", reason: "", ...end };
    leader.meta.changeRules({ put: draft === undefined ? [] : [draft], removed: draft ? [] : [id], expected });
  }

  #lift(): void {
    const { scheduler } = this.#environment;
    const leader = this.#leader();
    const removed = [...(leader?.meta?.rules.rules() ?? [])].map(({ id }) => id);
    if (removed.length > 0) leader?.meta?.changeRules({ put: [], removed, expected: new Map() });
    if (this.#cluster.store.rules.rules.length === 0 || ++this.#lifts === LIFTS_MAX) return;
    scheduler.after(LIFT_MS, () => this.#lift());
  }

  /** A meta node that believes it leads. */
  #leader(): SimNode | undefined {
    return this.#cluster.nodesOf("meta").find((node) => node.meta?.isLeading === true && !node.isPaused);
  }
}
