// The operators' rules at a session. They hold pushes, by which nothing is lost: a client whose pushes were held gets
// the newest lists and values when they are not held any more. And they change settings.

import { DynamicOptions } from "../cluster/dynamicOptions.ts";
import type { RulesMessage } from "../cluster/messages/membership.ts";
import { type RulesTaken, RuleView } from "../cluster/ruleView.ts";
import type { DynamicValues } from "../model/dynamicKeys.ts";
import { hostOf, nodeNameOf } from "../model/ids.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import type { Pushed, PushHolds } from "./pushHolds.ts";
import type { SessionOptions } from "./sessionPorts.ts";

export class SessionRules implements PushHolds {
  readonly #view = new RuleView();
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

  /** The rules that hold here. */
  get rules(): RuleSet {
    return this.#view.rules;
  }

  /** Takes rules from meta. `behind`: the whole ones must be asked for. `changed`: other pushes may be held now. */
  received(message: RulesMessage): "changed" | "taken" | "known" | "behind" {
    const taken = this.#view.received(message);
    if (typeof taken === "string") return taken;
    this.#dynamic.rulesChanged(this.rules);
    return concernsPushes(taken) ? "changed" : "taken";
  }

  holds({ client, serviceKey, zone = "" }: Pushed): boolean {
    const { rules } = this.#view;
    if (!rules.has("holdPushes")) return false;
    const subject = { host: hostOf(client.id), serviceKey, zone, session: this.#session };
    return rules.matches("holdPushes", { ...subject, registeredMs: Number.POSITIVE_INFINITY });
  }
}

function concernsPushes({ before, change: { put, removed } }: RulesTaken): boolean {
  const earlier = [...removed, ...put.map(({ id }) => id)].map((id) => before.get(id));
  return [...earlier, ...put].some((rule) => rule?.effect === "holdPushes");
}
