// Settings of the whole cluster, which operators change while it runs. Each is a rule with an id of its own;
// SOFARegistry's switches, and rules that operators put themselves, may change the same settings.

import { fail } from "../../base/errors.ts";
import { DYNAMIC_KEY_NAMES, type DynamicKey } from "../../model/dynamicKeys.ts";
import { nodeId, nodeNameOf } from "../../model/ids.ts";
import type { Rule, RuleMatch } from "../../model/rule.ts";
import type { RuleSet } from "../../model/ruleSet.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { CHANGE_COLUMNS, changeRules, RULES_CHANGED } from "../changeRules.ts";
import { isoTime } from "../isoTime.ts";
import type { SettingRow } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import type { ChoiceParameter, ParameterTable } from "../parameter.ts";
import { INTENT_PARAMETERS, intentOf, NAMES_MAX, nodesOf } from "../ruleRows.ts";
import { type Json, list, object, orNull, text, time } from "../schema.ts";

/** The setting: a key of the configuration. */
const SETTING: ChoiceParameter & { readonly isRequired: true } = {
  type: "choice",
  oneOf: DYNAMIC_KEY_NAMES,
  isRequired: true,
  about: "The setting, a key of the configuration.",
};

const VALUE_CHARS_MAX = 1_000;

const PLACES = {
  zones: {
    type: "list",
    of: { type: "text", charsMax: KEY_PART_CHARS_MAX, about: "" },
    countMax: NAMES_MAX,
    about: "Only at nodes of these zones.",
  },
  nodes: {
    type: "list",
    of: { type: "node", about: "" },
    countMax: NAMES_MAX,
    about: "Only at these data nodes and sessions: all runs of them.",
  },
} as const satisfies ParameterTable;

/** The id of the rule that `setting set` puts. */
export function settingRuleId(setting: string): string {
  return `setting:${setting}`;
}

export const listSettings = operation({
  name: "settings.list",
  method: "GET",
  path: "/settings",
  about:
    "Lists the settings that can be changed while the cluster runs: the value in force at each data node and " +
    "session, and who has set it.",
  parameters: {
    changed: { type: "flag", about: "Whether to list only those that operators have changed." },
  },
  command: { columns: ["setting", "inForce", "configured", "nodes", "until", "setBy", "reason"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "any" },
  answer: object({
    items: list(
      object({
        setting: text("The key of the configuration."),
        inForce: text("The value in force."),
        configured: text("The value of the nodes' own configuration."),
        nodes: list(text("A node's id."), "The data nodes and sessions with these values."),
        rule: orNull(text("The id of the rule that has set it; null for the configured value.")),
        until: orNull(time("When the rule ends; null for one that stays.")),
        setBy: text("Who set it, or the interface by which it was set; empty for the configured value."),
        reason: text("Why; empty for the configured value."),
      }),
      "One entry for each setting, and more where nodes differ.",
    ),
    unreachable: list(
      object({ node: text("The node's id."), reason: text("Why it did not answer.") }),
      "Nodes that did not answer.",
    ),
  }),
  run(node, { changed }) {
    const settings = node.settings().filter(({ rule }) => !changed || rule !== undefined);
    return { settings: settings.map(rowOf) };
  },
  gather({ parts, unreachable }) {
    const rows = parts.flatMap(({ node, body }) =>
      (body as { readonly settings: readonly Row[] }).settings.map((row) => ({ row, node })),
    );
    const groups = Map.groupBy(rows, ({ row }) => JSON.stringify(row));
    const items = [...groups.values()].flatMap((group): (Row & { readonly nodes: readonly string[] })[] => {
      const [first] = group;
      return first === undefined ? [] : [{ ...first.row, nodes: group.map(({ node }) => node) }];
    });
    const place = ({ setting }: Row) => DYNAMIC_KEY_NAMES.indexOf(setting);
    return { items: items.sort((one, other) => place(one) - place(other)), unreachable: [...unreachable] };
  },
});

type Row = { readonly setting: DynamicKey } & { readonly [name: string]: Json };

function rowOf({ setting, inForce, configured, rule }: SettingRow): Row {
  const until = rule?.untilMs === undefined ? null : isoTime(rule.untilMs);
  const who = { rule: rule?.id ?? null, until, setBy: rule?.setBy ?? "", reason: rule?.reason ?? "" };
  return { setting, inForce, configured, ...who };
}

export const setSetting = operation({
  name: "settings.set",
  method: "PUT",
  path: "/setting",
  about: "Changes a setting of the whole cluster, or of some nodes, while it runs; restarts keep it.",
  parameters: {
    setting: SETTING,
    value: {
      type: "text",
      charsMax: VALUE_CHARS_MAX,
      isRequired: true,
      about: "The value, as a flag of `roster server` has it.",
    },
    ...PLACES,
    ...INTENT_PARAMETERS,
  },
  command: { columns: CHANGE_COLUMNS },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  run(node, { setting, value, zones, nodes, ...intent }, isPreview) {
    const names = nodes?.map((each) => nodeNameOf(nodeId(each)));
    const match: RuleMatch = { ...(zones && { zones }), ...(names && { sessions: names }) };
    const id = settingRuleId(setting);
    const settings = new Map([[setting, value]]);
    const draft = { id, effect: "changeSettings", match, settings, isInForce: true } as const;
    const words = `${setting}=${value} at ${nodesOf(match)}`;
    const put = [{ ...draft, ...intentOf(intent, node) }];
    const message = {
      done: `${words}; to undo it: roster setting unset ${setting}`,
      preview: `it would be: ${words}`,
    };
    return changeRules(node, () => ({ put, removed: [], message }), { isPreview });
  },
});

export const unsetSetting = operation({
  name: "settings.unset",
  method: "DELETE",
  path: "/setting",
  about: "Ends the change of a setting: each node has its own configured value again.",
  parameters: { setting: SETTING },
  command: { columns: CHANGE_COLUMNS },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  run(node, { setting }, isPreview) {
    const id = settingRuleId(setting);
    const plan = (rules: RuleSet) => {
      const others = [...rules.rules()].filter((rule) => rule.id !== id && changes(rule, setting));
      if (rules.get(id) === undefined) throw notSet(setting, others);
      const [other] = others;
      const what =
        other === undefined ? `each node has its configured ${setting}` : `${setting} is as the rule ${other.id} says`;
      return { put: [], removed: [id], message: { done: what, preview: `then ${what}` } };
    };
    return changeRules(node, plan, { isPreview });
  },
});

function changes({ settings, isInForce }: Rule, setting: string): boolean {
  return isInForce && settings?.has(setting) === true;
}

function notSet(setting: string, [other]: readonly Rule[]): Error {
  const expected =
    other === undefined
      ? "a setting that operators have changed; `roster get settings --changed` lists them"
      : `another command: the rule ${other.id} has set it; roster rule remove ${other.id}`;
  return fail("FIELD_INVALID", { field: "setting", value: setting, expected });
}
