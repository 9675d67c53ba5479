// Whose pushes the operators' rules hold. Nothing is lost by it: a client whose pushes were held gets the newest lists
// and values when they are not held any more.

import type { RulesMessage } from "../cluster/messages/membership.ts";
import { type RulesTaken, RuleView } from "../cluster/ruleView.ts";
import { hostOf, type NodeId, nodeNameOf, type ServiceKey } from "../model/ids.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import type { Client } from "./client.ts";

/** A push: the list of a service for subscribers of a zone, or a configuration value, which has none. */
export interface Pushed {
  readonly client: Client;
  readonly serviceKey: ServiceKey;
  readonly zone?: string;
}

export class PushHolds {
  readonly #view = new RuleView();
  readonly #session: string;

  constructor(session: NodeId) {
    this.#session = nodeNameOf(session);
  }

  /** All rules that this session has heard of. */
  get rules(): RuleSet {
    return this.#view.rules;
  }

  /** The epoch of the rules that hold here. */
  get epoch(): bigint {
    return this.#view.rules.epoch;
  }

  /** Takes rules from meta. `behind`: the whole ones must be asked for. `changed`: other pushes may be held now. */
  received(message: RulesMessage): "changed" | "taken" | "known" | "behind" {
    const taken = this.#view.received(message);
    if (typeof taken === "string") return taken;
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
