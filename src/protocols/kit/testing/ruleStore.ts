// The rules of a meta node in memory, which change as the leading one changes them.

import { fail, RegistryError } from "../../../base/errors.ts";
import { checkedRule, type RuleDraft, type RuleEdit } from "../../../model/rule.ts";
import { RuleSet } from "../../../model/ruleSet.ts";
import type { MetaNodeView } from "../gateway.ts";

const NOW_MS = 1_700_000_000_000;

/** Beyond the whole numbers of JavaScript. */
const FIRST_EPOCH = 9_007_199_254_740_993n;

export class RuleStore implements Pick<MetaNodeView, "rules" | "changeRules" | "isLeading"> {
  #rules = new RuleSet(FIRST_EPOCH, []);
  /** The edits that were made. */
  readonly edits: RuleEdit[] = [];
  /** Called once, in the middle of the next change: another operator is faster. */
  overtaken: (() => void) | undefined;
  /** The reason why the store takes nothing. */
  refusal: RegistryError | undefined;
  readonly isLeading = () => true;
  readonly rules = () => this.#rules;

  readonly changeRules = async (edit: RuleEdit): Promise<void> => {
    const { overtaken } = this;
    this.overtaken = undefined;
    overtaken?.();
    if (this.refusal !== undefined) throw this.refusal;
    for (const [rule, epoch] of edit.expected) {
      if (this.#rules.get(rule)?.epoch !== epoch) throw fail("RULE_CHANGED", { rule });
    }
    const checked = edit.put.map((draft) => checkedRule(draft, NOW_MS));
    const refused = checked.find((rule) => rule instanceof RegistryError);
    if (refused !== undefined) throw refused;
    this.set(checked as RuleDraft[], edit.removed);
    this.edits.push(edit);
  };

  /** Changes rules as an operator at another interface. */
  set(drafts: readonly RuleDraft[], removed: readonly string[] = []): void {
    const epoch = this.#rules.epoch + 1n;
    this.#rules = this.#rules.changed(
      { put: drafts.map((draft) => ({ ...draft, setMs: NOW_MS, epoch })), removed },
      epoch,
    );
  }
}
