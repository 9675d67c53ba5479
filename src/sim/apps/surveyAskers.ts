// Programs that ask sessions for surveys: at random times, of any kind and with any conditions, some for few rows. At
// the end they ask every session for everything that there is, for each kind.

import { makeServiceKey } from "../../model/serviceKey.ts";
import { SURVEY_KINDS, type Survey } from "../../model/survey.ts";
import type { SurveyAnswer, SurveyAsker } from "../../registry/survey.ts";
import type { Cluster } from "../cluster/cluster.ts";
import type { SimEnvironment } from "../cluster/environment.ts";
import type { SimNode } from "../cluster/simNode.ts";
import type { SurveyAnswered } from "../facts.ts";
import type { Gate } from "../network/gate.ts";
import type { App } from "./app.ts";

const PAUSE_MS_MAX = 2_000;
const WAIT_MS_MAX = 4_000;
const GIVE_UP_CHANCE = 0.15;
const ALONE_CHANCE = 0.1;
const CONDITION_CHANCE = 0.3;
const FEW_CHANCE = 0.2;
const FEW_MAX = 3;
const ALL = 100_000;
// With all well every session answers in much less.
const LAST_MS = 4_000;

/** How a session is asked. */
interface Asking {
  readonly survey: Survey;
  readonly reach: "cluster" | "session";
  /** The client whose host is asked for. */
  readonly app?: App;
  readonly waitMs: number;
}

export class SurveyAskers {
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
    if (this.#environment.plan.asksSurveys === true) this.#next();
  }

  /** Every session is asked for all that there is, and nothing more. */
  last(): void {
    if (this.#environment.plan.asksSurveys !== true) return;
    this.#isOver = true;
    const { dice } = this.#environment;
    for (const node of this.#cluster.nodesOf("session")) {
      for (const kind of SURVEY_KINDS) {
        const survey = { of: kind, serviceKey: undefined, host: "", appName: "", rowsMax: ALL };
        const asking = { survey, reach: "cluster", waitMs: LAST_MS } as const;
        this.#ask(node, asking);
        const app = dice.pick(this.#apps);
        this.#ask(node, { ...asking, survey: { ...survey, host: app.address }, app });
      }
    }
  }

  #next(): void {
    const { dice, scheduler } = this.#environment;
    scheduler.after(dice.below(PAUSE_MS_MAX), () => {
      if (this.#isOver) return;
      const waitMs = dice.below(WAIT_MS_MAX);
      const giveUp = this.#ask(dice.pick(this.#cluster.nodesOf("session")), { ...this.#any(), waitMs });
      if (giveUp !== undefined && dice.chance(GIVE_UP_CHANCE)) scheduler.after(dice.below(waitMs + 1), giveUp);
      this.#next();
    });
  }

  #any(): Omit<Asking, "waitMs"> {
    const { dice, plan } = this.#environment;
    const app = dice.pick(this.#apps);
    const isAtHost = dice.chance(CONDITION_CHANCE);
    const service = { name: `s${dice.between(1, plan.services)}`, namespace: "", group: "" };
    const survey = {
      of: dice.pick(SURVEY_KINDS),
      serviceKey: dice.chance(CONDITION_CHANCE) ? makeServiceKey(service) : undefined,
      host: isAtHost ? app.address : "",
      appName: dice.chance(CONDITION_CHANCE) ? app.appName : "",
      rowsMax: dice.chance(FEW_CHANCE) ? dice.between(1, FEW_MAX) : ALL,
    };
    return { survey, reach: dice.chance(ALONE_CHANCE) ? "session" : "cluster", ...(isAtHost && { app }) };
  }

  /**
   * Asks, and returns what gives up; undefined if the node is not there, or has not read the last question: people ask
   * once and wait.
   */
  #ask({ session: host, process }: SimNode, { survey, reach, app, waitMs }: Asking): (() => void) | undefined {
    if (host === undefined || process === undefined) return undefined;
    const { record } = this.#environment;
    const { gate, id: node, time, machine } = process;
    if (!gate.isPaused) this.#unread.delete(gate);
    else if (this.#unread.has(gate)) return undefined;
    else this.#unread.add(gate);
    const question = ++this.#questions;
    const isLast = this.#isOver;
    const asker: SurveyAsker = {
      answer: (answer) => record({ kind: "surveyAnswered", question, node, ...shown(answer) }),
    };
    const client = app?.name ?? "";
    const hosts = new Map(this.#apps.map(({ name, address }) => [name, address]));
    gate.message(() => {
      record({ kind: "surveyAsked", question, node, machine, survey, reach, client, waitMs, isLast, hosts });
      host.step({ kind: "askedSurvey", asker, survey, reach, untilMs: time.clock.nowMs() + waitMs });
    });
    return () =>
      gate.message(() => {
        record({ kind: "surveyGivenUp", question });
        host.step({ kind: "gaveUpSurvey", asker });
      });
  }
}

function shown(answer: SurveyAnswer): SurveyAnswered {
  if (answer.kind === "failed") {
    return { sessions: [], unanswered: [], isWhole: false, isCut: false, error: answer.error };
  }
  const { sessions, unanswered, isWhole, isCut } = answer;
  return { sessions, unanswered, isWhole, isCut };
}
