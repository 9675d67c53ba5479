// The rules that the commands of daily work make and find again: one rule for each command, with a name that says what
// it is for; SOFARegistry's switches are rules under their own names.

import type { Rule, RuleDraft, RuleEffect, RuleMatch } from "../model/rule.ts";
import type { RuleSet } from "../model/ruleSet.ts";

/** Behind the id of a rule that takes addresses offline: that of the rule that holds the pushes to them. */
export const HELD_SUFFIX = ":sub";

/** Stopped pushes of all clients; SOFARegistry's switch of this name is the same rule. */
export const STOP_PUSH_ID = "session.stop.push.data.switch";

// The rules of `roster offline`, and those of SOFARegistry's list of clients that are off, and blacklist of addresses.
const OFFLINE_IDS = /^(?:offline-|registry\.client\.off\.list|session\.blacklist\.data)/;

/** The rules that have an effect now, by id. One whose time is over is removed in a moment. */
export function rulesInForce(rules: RuleSet, nowMs: number): Rule[] {
  const found = [...rules.rules()].filter(({ isInForce, match, untilMs = Number.POSITIVE_INFINITY }) => {
    const { exceptAddresses: _, ...conditions } = match;
    // SOFARegistry's switches keep their rules when their lists are empty.
    const isForNone = Object.values(conditions).some((list) => Array.isArray(list) && list.length === 0);
    return isInForce && untilMs > nowMs && !isForNone;
  });
  return found.sort(({ id: one }, { id: other }) => (one < other ? -1 : 1));
}

/** Whether a rule takes addresses offline: it hides what they publish, or holds pushes beside such a rule. */
export function isOfflineRule({ id, effect, match }: Rule): boolean {
  if (match.addresses === undefined && match.exceptAddresses === undefined) return false;
  if (OFFLINE_IDS.test(id) || (effect === "holdPushes" && id.endsWith(HELD_SUFFIX))) return true;
  return effect === "hidePublications" && match.services === undefined && match.servicePrefixes === undefined;
}

/** Whether a rule stops pushes, and is not that of an address that is offline. */
export function isStopRule(rule: Rule): boolean {
  return rule.effect === "holdPushes" && !isOfflineRule(rule);
}

/** Whether a rule keeps services out of all lists. */
export function isBlacklistRule({ effect, match: { services, servicePrefixes, ...others } }: Rule): boolean {
  return (
    effect === "hidePublications" && (services ?? servicePrefixes) !== undefined && Object.keys(others).length === 0
  );
}

/** A rule as an operator would write it. */
export function draftOf({ epoch: _, setMs: __, ...draft }: Rule): RuleDraft {
  return draft;
}

interface Named {
  /** The word that the id begins with. */
  readonly word: string;
  readonly effect: RuleEffect;
  readonly match: RuleMatch;
  /** The addresses or services that it names. */
  readonly names: readonly string[];
}

// An id has 128 characters at the most, and a number may follow.
const NAME_CHARS_MAX = 80;

/**
 * The id of a command's rule: `offline-10.0.0.7`, `offline-10.0.0.7-and-2-more`. The same command again means the same
 * rule; another one with such a name gets a number.
 */
export function ruleIdFor(rules: RuleSet, { word, effect, match, names }: Named): string {
  const name = (names[0] ?? "")
    .replace(/[^A-Za-z0-9._:]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, NAME_CHARS_MAX);
  const base = names.length > 1 ? `${word}-${name}-and-${names.length - 1}-more` : `${word}-${name}`;
  for (let number = 1; ; number++) {
    const id = number === 1 ? base : `${base}-${number}`;
    const known = rules.get(id);
    if (known === undefined || (known.effect === effect && concernsTheSame(known.match, match))) return id;
  }
}

/** Exceptions made since do not make another rule of it. */
function concernsTheSame(one: RuleMatch, other: RuleMatch): boolean {
  return textOf(one) === textOf(other);
}

function textOf({ exceptAddresses: _, ...match }: RuleMatch): string {
  const lists = Object.entries(match).map(([name, list]) => [name, Array.isArray(list) ? [...list].sort() : list]);
  return JSON.stringify(lists.sort(([one], [other]) => (String(one) < String(other) ? -1 : 1)));
}

/** A list without some names; `same` if it has none of them, undefined if nothing is left. */
export function withoutNames<Name extends string>(
  list: readonly Name[] | undefined,
  names: readonly Name[],
): readonly Name[] | "same" | undefined {
  const taken = new Set(names);
  const left = list?.filter((name) => !taken.has(name));
  if (list === undefined || left === undefined || left.length === list.length) return "same";
  return left.length === 0 ? undefined : left;
}
