// The blacklist: services whose publications are in no list, from wherever they are published.

import { fail } from "../../base/errors.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Rule, RuleDraft, RuleMatch } from "../../model/rule.ts";
import { matcherOf, type RuleSet } from "../../model/ruleSet.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { CHANGE_COLUMNS, changeRules, RULES_CHANGED, type RulePlan, rulesOf } from "../changeRules.ts";
import { isoTime } from "../isoTime.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import type { ParameterTable } from "../parameter.ts";
import { draftOf, isBlacklistRule, ruleIdFor, rulesInForce, withoutNames } from "../ruleEdits.ts";
import {
  concernsOf,
  INTENT_PARAMETERS,
  intentOf,
  NAMES_MAX,
  RULE_BODY_BYTES_MAX,
  RULE_FIELDS,
  shortName,
} from "../ruleRows.ts";
import { list, object, oneOf, text } from "../schema.ts";

const OF = {
  service: { type: "list", of: { type: "service", about: "" }, countMax: NAMES_MAX, about: "Services." },
  prefix: {
    type: "list",
    of: { type: "text", charsMax: KEY_PART_CHARS_MAX, about: "" },
    countMax: NAMES_MAX,
    about: "Beginnings of the keys of services: each service that begins so is meant.",
  },
} as const satisfies ParameterTable;

interface Named {
  readonly service: readonly ServiceKey[] | undefined;
  readonly prefix: readonly string[] | undefined;
}

/** The conditions for what is named: one rule for services and one for beginnings, since all conditions must hold. */
function matchesOf({ service, prefix }: Named): { readonly match: RuleMatch; readonly names: readonly string[] }[] {
  if (prefix?.includes("")) {
    throw fail("FIELD_INVALID", { field: "prefix", value: "", expected: "at least one character" });
  }
  if (service === undefined && prefix === undefined) {
    throw fail("FIELD_INVALID", { field: "service", expected: "a service, or a prefix" });
  }
  const services = [...new Set(service)];
  const servicePrefixes = [...new Set(prefix)];
  return [
    ...(services.length === 0 ? [] : [{ match: { services }, names: services.map(shortName) }]),
    ...(servicePrefixes.length === 0 ? [] : [{ match: { servicePrefixes }, names: servicePrefixes }]),
  ];
}

export const blacklist = operation({
  name: "blacklist.add",
  method: "POST",
  path: "/blacklist/add",
  about: "Puts services on the blacklist: their publications stay registered and are in no list.",
  parameters: { ...OF, ...INTENT_PARAMETERS },
  command: { words: ["blacklist add"], positional: ["service"], columns: CHANGE_COLUMNS, fromFile: "service" },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  bodyBytesMax: RULE_BODY_BYTES_MAX,
  run(node, { service, prefix, ...intent }, isPreview) {
    const matches = matchesOf({ service, prefix });
    const effect = "hidePublications";
    const plan = (rules: RuleSet): RulePlan => {
      const wanted = intentOf(intent, node);
      const put = matches.map(({ match, names }): RuleDraft => {
        const id = ruleIdFor(rules, { word: "blacklist", effect, match, names });
        return { id, effect, match, isInForce: true, ...wanted };
      });
      const what = matches.map(({ match }) => concernsOf(match)).join("; ");
      return { put, removed: [], message: { done: `in no list: ${what}`, preview: `would be in no list: ${what}` } };
    };
    const [only, ...more] = matches;
    const counted = only === undefined || more.length > 0 ? undefined : ({ effect, match: only.match } as const);
    return changeRules(node, plan, { isPreview, counted });
  },
});

export const unlist = operation({
  name: "blacklist.remove",
  method: "POST",
  path: "/blacklist/remove",
  about: "Takes services off the blacklist, from every rule that names them.",
  parameters: OF,
  command: { words: ["blacklist remove"], positional: ["service"], columns: CHANGE_COLUMNS },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  bodyBytesMax: RULE_BODY_BYTES_MAX,
  run(node, named, isPreview) {
    const what = matchesOf(named)
      .map(({ match }) => concernsOf(match))
      .join("; ");
    const plan = (rules: RuleSet): RulePlan => {
      const { put, removed } = unlistPlan(rulesInForce(rules, node.nowMs()).filter(isBlacklistRule), named);
      const none = put.length + removed.length === 0;
      const message = none
        ? { done: `not on the blacklist: ${what}`, preview: `not on the blacklist: ${what}` }
        : { done: `listed again: ${what}`, preview: `would be listed again: ${what}` };
      return { put, removed, message };
    };
    return changeRules(node, plan, { isPreview });
  },
});

/** Throws RULE_IN_THE_WAY for a service that another rule hides by its beginning. */
function unlistPlan(rules: readonly Rule[], { service = [], prefix = [] }: Named): Pick<RulePlan, "put" | "removed"> {
  const put: RuleDraft[] = [];
  const removed: string[] = [];
  for (const rule of rules) {
    const { services: ofServices, servicePrefixes: ofPrefixes } = rule.match;
    const services = withoutNames(ofServices, service ?? []);
    const servicePrefixes = withoutNames(ofPrefixes, prefix ?? []);
    if (services === undefined || servicePrefixes === undefined) removed.push(rule.id);
    else if (services !== "same") put.push({ ...draftOf(rule), match: { ...rule.match, services } });
    else if (servicePrefixes !== "same") put.push({ ...draftOf(rule), match: { ...rule.match, servicePrefixes } });
    else checkUnlisted(rule, service ?? []);
  }
  return { put, removed };
}

function checkUnlisted(rule: Rule, services: readonly ServiceKey[]): void {
  const { id, match } = rule;
  const matcher = matcherOf(rule);
  const hidden = services.find((service) => matcher.mayConcern(service));
  if (hidden === undefined) return;
  const advice = "take the beginning off the blacklist, or remove the rule";
  throw fail("RULE_IN_THE_WAY", { rule: id, concerns: concernsOf(match), hidden, advice });
}

const { until, setBy, setAt, reason } = RULE_FIELDS;

export const listBlacklist = operation({
  name: "blacklist.list",
  method: "GET",
  path: "/blacklist",
  about: "Lists the services on the blacklist: by which rule, who wants it, why and until when.",
  parameters: PAGE_PARAMETERS,
  command: {
    words: ["get blacklist", "blacklist list"],
    columns: ["name", "kind", "rule", "until", "setBy", "reason"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: object({
    items: list(
      object({
        name: text("The key of a service, or its beginning."),
        kind: oneOf(["service", "prefix"], "Whether it is the whole key or its beginning."),
        rule: text("The id of the rule."),
        until,
        setBy,
        setAt,
        reason,
      }),
      "A page of them.",
    ),
    ...PAGE_FIELDS,
  }),
  run(node, { limit, after }) {
    const rules = rulesInForce(rulesOf(node).rules, node.nowMs()).filter(isBlacklistRule);
    const entries = rules.flatMap((rule) => {
      const { services = [], servicePrefixes = [] } = rule.match;
      return [
        ...services.map((name) => ({ name: String(name), kind: "service", rule })),
        ...servicePrefixes.map((name) => ({ name, kind: "prefix", rule })),
      ];
    });
    const page = pageOf(entries, { limit, after, keyOf: ({ name, kind, rule }) => `${name} ${kind} ${rule.id}` });
    const items = page.entries.map(({ name, kind, rule }) => ({
      name,
      kind,
      rule: rule.id,
      until: rule.untilMs === undefined ? null : isoTime(rule.untilMs),
      setBy: rule.setBy,
      setAt: isoTime(rule.setMs),
      reason: rule.reason,
    }));
    return { items, total: page.total, next: page.next };
  },
});
