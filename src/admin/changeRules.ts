// Changes of rules, as all operations make them: one change, one commit. A change is worked out from the rules as they
// are, and is worked out anew if another operator was faster; so no operator undoes what another one has just done.

import { fail, RegistryError } from "../base/errors.ts";
import { checkedRule, RULES_PER_CHANGE_MAX, type RuleDraft, type RuleEffect, type RuleMatch } from "../model/rule.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import { isoTime } from "./isoTime.ts";
import type { OperatedMeta, OperatedNode } from "./operatedNode.ts";
import { COUNT_FIELDS, concernsOfRule } from "./ruleRows.ts";
import { flag, type Json, list, long, object, oneOf, orNull, type Schema, text, time } from "./schema.ts";

/** The rules that a change puts and removes, and what it says to the operator. */
export interface RulePlan {
  readonly put: readonly RuleDraft[];
  readonly removed: readonly string[];
  /** The sentence when it is made, and when it would be. */
  readonly message: { readonly done: string; readonly preview: string };
}

/** The answer of every change of rules. */
export const RULES_CHANGED: Schema = object({
  isDone: flag("False for a preview: nothing was changed."),
  message: text("What was done, or would be, and how to undo it."),
  concerned: orNull(object(COUNT_FIELDS)),
  items: list(
    object({
      id: text("The id of the rule."),
      change: oneOf(["created", "changed", "removed"], "What was done to it, or would be."),
      effect: text("Its effect."),
      concerns: text("The clients and services that it is for, in words; of a removed rule, those that it was for."),
      until: orNull(time("When it ends.")),
      epoch: long("For `ifEpoch`; of a preview and of a removed rule the one before, 0 for none."),
    }),
    "The rules that were put or removed; none if nothing had to be changed.",
  ),
});

/** The columns of their tables. */
export const CHANGE_COLUMNS = ["id", "change", "effect", "concerns", "until"];

/** The role meta with the rules. Throws ROLE_NEEDED, or STORE_UNAVAILABLE from a leader that does not know them yet. */
export function rulesOf({ meta }: OperatedNode): { readonly meta: OperatedMeta; readonly rules: RuleSet } {
  if (meta === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
  if (!meta.isReady()) {
    throw fail("STORE_UNAVAILABLE", { reason: "the leading meta node has not read the rules from the store yet" });
  }
  return { meta, rules: meta.rules() };
}

// Two operators make a few changes a minute; scripts that run side by side some more.
const TRIES_MAX = 20;

interface Changing {
  readonly isPreview: boolean;
  /** For a preview: the rule whose publications or clients are counted. */
  readonly counted?: { readonly effect: RuleEffect; readonly match: RuleMatch } | undefined;
}

/**
 * Makes the change that `plan` works out from the rules, or says what it would be. Rejects with an error of `plan`,
 * with FIELD_INVALID, RULES_EXHAUSTED or one of the store; nothing is changed then.
 */
export async function changeRules(
  node: OperatedNode,
  plan: (rules: RuleSet) => RulePlan,
  { isPreview, counted }: Changing,
): Promise<Json> {
  for (let tries = 1; ; tries++) {
    const { meta, rules } = rulesOf(node);
    const planned = plan(rules);
    check(planned, node.nowMs());
    if (isPreview) {
      const concerned = counted === undefined ? null : await countConcerned(node, counted);
      return { isDone: false, message: planned.message.preview, concerned, items: rowsOf(planned, rules, rules) };
    }
    if (planned.put.length + planned.removed.length > 0 && !(await isMade(meta, planned, { rules, tries }))) continue;
    return {
      isDone: true,
      message: planned.message.done,
      concerned: null,
      items: rowsOf(planned, rules, meta.rules()),
    };
  }
}

/** Makes the change; false if another operator was faster, and it can be worked out anew. */
async function isMade(
  meta: OperatedMeta,
  { put, removed }: RulePlan,
  { rules, tries }: { readonly rules: RuleSet; readonly tries: number },
): Promise<boolean> {
  const ids = [...put.map(({ id }) => id), ...removed];
  const expected = new Map(ids.map((id) => [id, rules.get(id)?.epoch]));
  try {
    await meta.changeRules({ put, removed, expected });
    return true;
  } catch (error) {
    const isOvertaken = error instanceof RegistryError && error.code === "RULE_CHANGED";
    if (!isOvertaken || tries >= TRIES_MAX) throw error;
    return false;
  }
}

/** A preview is refused like the change. */
function check({ put, removed }: RulePlan, nowMs: number): void {
  const rules = put.length + removed.length;
  if (rules > RULES_PER_CHANGE_MAX) {
    const expected = `a change of at most ${RULES_PER_CHANGE_MAX} rules; name fewer addresses or services at a time`;
    throw fail("FIELD_INVALID", { field: "rules", value: rules, expected });
  }
  for (const draft of put) {
    const checked = checkedRule(draft, nowMs);
    if (checked instanceof RegistryError) throw checked;
  }
}

function rowsOf({ put, removed }: RulePlan, before: RuleSet, after: RuleSet): Json[] {
  return [
    ...put.map((draft): Json => {
      const change = before.get(draft.id) === undefined ? "created" : "changed";
      return changeRow(draft, change, after);
    }),
    ...removed.flatMap((id): Json[] => {
      const rule = before.get(id);
      return rule === undefined ? [] : [changeRow(rule, "removed", before)];
    }),
  ];
}

function changeRow({ id, effect, match, settings, untilMs }: RuleDraft, change: string, rules: RuleSet): Json {
  const until = untilMs === undefined ? null : isoTime(untilMs);
  return {
    id,
    change,
    effect,
    concerns: concernsOfRule({ effect, match, settings }),
    until,
    epoch: String(rules.get(id)?.epoch ?? 0n),
  };
}

/** The most addresses or services that a preview counts clients of. */
export const COUNTED_MAX = 500;

/** How many registrations and clients a rule would concern; null if that is not known cheaply. */
async function countConcerned(node: OperatedNode, { effect, match }: NonNullable<Changing["counted"]>): Promise<Json> {
  const { registeredBeforeMs, ...lists } = match;
  if (Object.values(lists).some((list) => list.length > COUNTED_MAX)) return null;
  const before = registeredBeforeMs === undefined ? {} : { registeredBefore: isoTime(registeredBeforeMs) };
  const { status, body } = await node.ask("rules.count", { effect, ...lists, ...before });
  return status === 200 ? body : null;
}
