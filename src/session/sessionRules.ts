// The operators' rules at a session. They hold pushes, by which nothing is lost: a client whose pushes were held gets
// the newest lists and values when they are not held any more. And they change settings.
//
// A session may have a rule of its own, for the time when no meta node leads. It stands in the place of the rule of the
// same name until meta changes that one, and ends with the process.

import { DynamicOptions } from "../cluster/dynamicOptions.ts";
import type { RulesMessage } from "../cluster/messages/membership.ts";
import { type RulesTaken, RuleView } from "../cluster/ruleView.ts";
import type { DynamicValues } from "../model/dynamicKeys.ts";
import { hostOf, nodeNameOf } from "../model/ids.ts";
import type { Rule } from "../model/rule.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import type { Pushed, PushHolds } from "./pushHolds.ts";
import type { SessionOptions } from "./sessionPorts.ts";

/** `behind`: the whole rules must be asked for. `changed`: other pushes may be held now. */
export type RulesOutcome = "changed" | "taken" | "known" | "behind";

/** A rule of this session, and the epoch of meta's rule of that name when it was set. */
interface OwnRule {
  readonly rule: Rule;
  readonly over: bigint | undefined;
}

export class SessionRules implements PushHolds {
  readonly #view = new RuleView();
  readonly #own = new Map<string, OwnRule>();
  #rules: RuleSet = this.#view.rules;
  #holding = { meta: 0, session: 0 };
  readonly #session: string;
  readonly #dynamic: DynamicOptions<SessionOptions>;

  constructor(configured: SessionOptions) {
    this.#session = nodeNameOf(configured.id);
    this.#dynamic = new DynamicOptions(configured, { zone: configured.zone, name: this.#session });
  }

  /** The options in force: always the same object. */
  get options(): SessionOptions {
    return this.#dynamic.options;
  }

  /** The values that operators have set for this node. */
  get settings(): Partial<DynamicValues> {
    return this.#dynamic.settings;
  }

  /** The rules that hold here, with the epoch of those that meta has told. */
  get rules(): RuleSet {
    return this.#rules;
  }

  /** The number of rules in force that hold pushes: those of meta, and those of this session alone. */
  get holding(): { readonly meta: number; readonly session: number } {
    return this.#holding;
  }

  /** Takes rules from meta. */
  received(message: RulesMessage): RulesOutcome {
    const taken = this.#view.received(message);
    if (typeof taken === "string") return taken;
    for (const [id, { over }] of this.#own) if (this.#view.rules.get(id)?.epoch !== over) this.#own.delete(id);
    this.#arrange();
    this.#dynamic.rulesChanged(this.rules);
    return concernsPushes(taken) ? "changed" : "taken";
  }

  /** Takes a rule that holds at this session alone. It has an effect on pushes, or changes settings. */
  setOwn(rule: Rule): RulesOutcome {
    this.#own.set(rule.id, { rule, over: this.#view.rules.get(rule.id)?.epoch });
    this.#arrange();
    this.#dynamic.rulesChanged(this.rules);
    return "changed";
  }

  holds({ client, serviceKey, zone = "" }: Pushed): boolean {
    if (!this.#rules.has("holdPushes")) return false;
    const subject = { host: hostOf(client.id), serviceKey, zone, session: this.#session };
    return this.#rules.matches("holdPushes", { ...subject, registeredMs: Number.POSITIVE_INFINITY });
  }

  #arrange(): void {
    const { rules } = this.#view;
    const put = [...this.#own.values()].map(({ rule }) => rule);
    this.#rules = put.length === 0 ? rules : rules.changed({ put, removed: [] }, rules.epoch);
    const session = put.filter(holdsPushes).length;
    this.#holding = { meta: [...this.#rules.rules()].filter(holdsPushes).length - session, session };
  }
}

function holdsPushes({ effect, isInForce }: Rule): boolean {
  return effect === "holdPushes" && isInForce;
}

function concernsPushes({ before, change: { put, removed } }: RulesTaken): boolean {
  const earlier = [...removed, ...put.map(({ id }) => id)].map((id) => before.get(id));
  return [...earlier, ...put].some((rule) => rule?.effect === "holdPushes");
}
