// Operations on the rules themselves, in their general form. The forms of daily work are in offline.ts, pushes.ts and
// blacklist.ts.

import { fail } from "../../base/errors.ts";
import { nodeId, nodeNameOf, type ServiceKey } from "../../model/ids.ts";
import { RULE_EFFECTS, type Rule, type RuleDraft, type RuleEffect, type RuleMatch } from "../../model/rule.ts";
import { matcherOf } from "../../model/ruleSet.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { CHANGE_COLUMNS, COUNTED_MAX, changeRules, RULES_CHANGED, rulesOf } from "../changeRules.ts";
import { countRegistrations, gatherCounts } from "../countRegistrations.ts";
import type { OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import type { ChoiceParameter, ListParameter, ParameterTable, TextParameter, VersionParameter } from "../parameter.ts";
import { rulesInForce } from "../ruleEdits.ts";
import {
  ADDRESSES_MAX,
  COUNT_FIELDS,
  INTENT_PARAMETERS,
  intentOf,
  MATCH_FIELDS,
  matchRow,
  NAMES_MAX,
  RULE_BODY_BYTES_MAX,
  RULE_FIELDS,
  ruleRow,
} from "../ruleRows.ts";
import { type Json, list, object, text, texts } from "../schema.ts";

const ID: TextParameter & { readonly isRequired: true } = {
  type: "text",
  charsMax: 128,
  isRequired: true,
  about: "The id of the rule: 1 to 128 letters, digits, dots, dashes, colons.",
};

const IF_EPOCH: VersionParameter = {
  type: "version",
  about:
    "The change is made only if the rule has this epoch, as it was read; 0: only if there is no such rule. Without " +
    "it the change is made in any case.",
};

// Rules that change settings are put by operations of their own, which know the settings.
const CLIENT_EFFECTS = ["hidePublications", "holdPushes"] as const satisfies readonly RuleEffect[];

const EFFECT = {
  type: "choice",
  oneOf: CLIENT_EFFECTS,
  isRequired: true,
  about: "hidePublications: publications are in no list. holdPushes: clients are pushed nothing.",
} as const satisfies ChoiceParameter;

/** The conditions of a rule, with at most so many names and addresses each. */
function matchParameters({ names, addresses }: { readonly names: number; readonly addresses: number }) {
  const blocks = { type: "list", of: { type: "addressOrBlock", about: "" }, countMax: addresses } as const;
  const name = { type: "text", charsMax: KEY_PART_CHARS_MAX, about: "" } as const;
  const texts = { type: "list", of: name, countMax: names } as const;
  const nodes = { type: "list", of: { type: "node", about: "" }, countMax: names } as const;
  const services: ListParameter & { readonly of: { readonly type: "service" } } = {
    type: "list",
    of: { type: "service", about: "" },
    countMax: names,
    about: "Services.",
  };
  return {
    addresses: { ...blocks, about: "Addresses of clients, and blocks of them." },
    exceptAddresses: { ...blocks, about: "Addresses for which the rule does not hold, though the rest says so." },
    services,
    servicePrefixes: { ...texts, about: "Beginnings of the keys of services." },
    zones: { ...texts, about: "Zones of clients." },
    sessions: { ...nodes, about: "Session nodes that hold the clients: all runs of them." },
    registeredBefore: { type: "time", about: "Only registrations that a session took before this time." },
  } as const satisfies ParameterTable;
}

interface Conditions extends Omit<RuleMatch, "registeredBeforeMs"> {
  readonly registeredBefore?: number | undefined;
}

/** The conditions that are given. Throws FIELD_INVALID for one that is no condition. */
function matchOf(given: { readonly [Name in keyof Conditions]-?: Conditions[Name] | undefined }): RuleMatch {
  const { registeredBefore, addresses, exceptAddresses, services, servicePrefixes, zones, sessions } = given;
  if (servicePrefixes?.includes("")) {
    throw fail("FIELD_INVALID", { field: "servicePrefixes", value: "", expected: "at least one character" });
  }
  const names = sessions?.map((session) => nodeNameOf(nodeId(session)));
  const lists = { addresses, exceptAddresses, services, servicePrefixes, zones, sessions: names };
  const set = Object.entries(lists).filter(([, list]) => list !== undefined);
  return {
    ...(Object.fromEntries(set) as RuleMatch),
    ...(registeredBefore !== undefined && { registeredBeforeMs: registeredBefore }),
  };
}

/** For the audit trail. */
function stateOfRule(node: OperatedNode, { id }: { readonly id: string }): Json | undefined {
  const rule = node.meta?.rules().get(id);
  return rule && { ...ruleRow(rule), ...matchRow(rule.match) };
}

export const listRules = operation({
  name: "rules.list",
  method: "GET",
  path: "/rules",
  about: "Lists the rules of operators: what is hidden and held, who wants it, why and until when.",
  parameters: {
    effect: { type: "choice", oneOf: RULE_EFFECTS, about: "Only rules with this effect." },
    address: { type: "address", about: "Only rules whose addresses have this one." },
    service: { type: "service", about: "Only rules that may concern this service." },
    inForce: { type: "flag", about: "Whether to list only rules that have an effect now." },
    ...PAGE_PARAMETERS,
  },
  command: { columns: ["id", "effect", "isInForce", "concerns", "until", "setBy", "reason"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: object({
    items: list(object(RULE_FIELDS), "A page of rules, by id."),
    ...PAGE_FIELDS,
    behind: list(
      text("A node's id."),
      "Data nodes and sessions that have not confirmed the newest rules: they do so within a second, and those of an " +
        "earlier release apply none.",
    ),
  }),
  run(node, { effect, address, service, inForce, limit, after }) {
    const { rules } = rulesOf(node);
    const all = inForce ? rulesInForce(rules, node.nowMs()) : [...rules.rules()];
    const wanted = all.filter((rule) => isWanted(rule, { effect, address, service }));
    const { entries, total, next } = pageOf(wanted, { limit, after, keyOf: ({ id }) => id });
    return { items: entries.map(ruleRow), total, next, behind: nodesBehind(node) };
  },
});

interface Wanted {
  readonly effect: string | undefined;
  readonly address: string | undefined;
  readonly service: ServiceKey | undefined;
}

function isWanted(rule: Rule, { effect, address, service }: Wanted): boolean {
  if (effect !== undefined && effect !== rule.effect) return false;
  if (service !== undefined && !matcherOf(rule).mayConcern(service)) return false;
  return address === undefined || matcherOf(rule).mayConcernHost(address);
}

function nodesBehind(node: OperatedNode): string[] {
  const { meta, rules } = rulesOf(node);
  return [...meta.members()].filter(([, { rulesEpoch }]) => rulesEpoch !== rules.epoch).map(([{ id }]) => id);
}

export const describeRule = operation({
  name: "rules.describe",
  method: "GET",
  path: "/rule",
  about: "Shows a rule with all its conditions.",
  parameters: { id: ID },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: object({ ...RULE_FIELDS, ...MATCH_FIELDS, settings: texts("The values of the settings that it changes.") }),
  run(node, { id }) {
    const rule = rulesOf(node).rules.get(id);
    if (rule === undefined) throw fail("RULE_UNKNOWN", { rule: id });
    return { ...ruleRow(rule), ...matchRow(rule.match), settings: Object.fromEntries(rule.settings ?? []) };
  },
});

export const putRule = operation({
  name: "rules.put",
  method: "PUT",
  path: "/rule",
  about: "Puts a rule, in the place of the one with its id: all given conditions must hold.",
  parameters: {
    id: ID,
    effect: EFFECT,
    ...matchParameters({ names: NAMES_MAX, addresses: ADDRESSES_MAX }),
    notInForce: { type: "flag", about: "Whether to keep the rule without an effect." },
    ...INTENT_PARAMETERS,
    ifEpoch: IF_EPOCH,
  },
  command: { words: ["rule put"], columns: CHANGE_COLUMNS, fromFile: "addresses" },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  state: stateOfRule,
  bodyBytesMax: RULE_BODY_BYTES_MAX,
  run(node, { id, effect, notInForce, ifEpoch, ...values }, isPreview) {
    const draft: RuleDraft = {
      id,
      effect,
      match: matchOf(values),
      isInForce: !notInForce,
      ...intentOf(values, node),
    };
    return changeRules(
      node,
      (rules) => {
        checkEpoch(rules.get(id), { id, ifEpoch });
        const message = { done: `the rule ${id} is set`, preview: `the rule ${id} would be set` };
        return { put: [draft], removed: [], message };
      },
      { isPreview, counted: draft },
    );
  },
});

export const removeRule = operation({
  name: "rules.remove",
  method: "DELETE",
  path: "/rule",
  about: "Removes a rule: what it hid or held is shown and pushed again.",
  parameters: { id: ID, ifEpoch: IF_EPOCH },
  command: { words: ["rule remove"], columns: CHANGE_COLUMNS },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  state: stateOfRule,
  run(node, { id, ifEpoch }, isPreview) {
    const rule = node.meta?.rules().get(id);
    return changeRules(
      node,
      (rules) => {
        const known = rules.get(id);
        checkEpoch(known, { id, ifEpoch });
        if (known === undefined) throw fail("RULE_UNKNOWN", { rule: id });
        const message = { done: `the rule ${id} is removed`, preview: `the rule ${id} would be removed` };
        return { put: [], removed: [id], message };
      },
      { isPreview, counted: rule?.effect === "changeSettings" ? undefined : rule },
    );
  },
});

/** Throws RULE_CHANGED if the rule has another epoch than the operator has read. */
function checkEpoch(rule: Rule | undefined, { id, ifEpoch }: { id: string; ifEpoch: bigint | undefined }): void {
  const epoch = rule?.epoch ?? 0n;
  if (ifEpoch !== undefined && ifEpoch !== epoch) throw fail("RULE_CHANGED", { rule: id, ifEpoch, epoch });
}

export const countRule = operation({
  name: "rules.count",
  method: "GET",
  path: "/rules/count",
  about: "Counts the registrations, and the clients with them, that a rule with these conditions would concern.",
  parameters: {
    effect: EFFECT,
    ...matchParameters({ names: COUNTED_MAX, addresses: COUNTED_MAX }),
  },
  command: { words: ["rule count"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "session" },
  answer: object(COUNT_FIELDS),
  run: (node, { effect, ...values }) => countRegistrations(node, effect, matchOf(values)),
  gather: gatherCounts,
});
