// A member's copy of the operators' rules. Session and data nodes share it.

import { NO_RULES, type RuleChange, RuleSet } from "../model/ruleSet.ts";
import type { RulesMessage } from "./messages/membership.ts";

/** Rules that have changed: as they were before, if they were, and as they are, if they still are. */
export interface RulesTaken {
  readonly before: RuleSet;
  readonly change: RuleChange;
}

export class RuleView {
  #rules = NO_RULES;

  get rules(): RuleSet {
    return this.#rules;
  }

  /** Takes rules from meta. `behind`: they change rules that are not here, and the whole ones must be asked for. */
  received({ epoch, base, put, removed }: RulesMessage): RulesTaken | "known" | "behind" {
    const before = this.#rules;
    if (epoch <= before.epoch) return "known";
    if (base !== undefined) {
      if (base !== before.epoch) return "behind";
      this.#rules = before.changed({ put, removed }, epoch);
      return { before, change: { put, removed } };
    }
    // A rule that is the same stays the same object, and what is known of it stays known.
    const rules = put.map((rule) => {
      const known = before.get(rule.id);
      return known?.epoch === rule.epoch ? known : rule;
    });
    this.#rules = new RuleSet(epoch, rules);
    return { before, change: before.changeTo(this.#rules) };
  }
}
