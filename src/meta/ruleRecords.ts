// Operators' rules as records: one for each, and one for the epoch of them all.

import { brandServiceKey } from "../model/ids.ts";
import { RULE_EFFECTS, type Rule, type RuleMatch } from "../model/rule.ts";
import { Damage, fieldsOf, keyPart, type RecordCodec, textIn, versionIn } from "./metaRecords.ts";

const LISTS = ["addresses", "exceptAddresses", "services", "servicePrefixes", "zones", "sessions"] as const;
const RESTORE = "restore a backup";

export const RULE_RECORDS: RecordCodec<Rule> = {
  prefix: "meta/rule/",
  nameOf: ({ id }) => keyPart(id),
  toJson: ({ settings, ...rule }) => ({
    ...rule,
    ...(settings && { settings: Object.fromEntries(settings) }),
    epoch: String(rule.epoch),
  }),
  fromJson(json) {
    const { id, effect, match, settings, isInForce, setBy, setMs, reason, untilMs, epoch } = fieldsOf(json);
    const known = RULE_EFFECTS.find((one) => one === effect);
    if (known === undefined) throw new Damage("effect is not known");
    if (typeof isInForce !== "boolean") throw new Damage("isInForce is neither true nor false");
    const words = { id: textIn({ id }), setBy: textIn({ setBy }), reason: textIn({ reason }) };
    const end = untilMs === undefined ? {} : { untilMs: timeIn({ untilMs }) };
    const numbers = { setMs: timeIn({ setMs }), ...end, epoch: versionIn({ epoch }) };
    const values = settings === undefined ? {} : { settings: settingsIn(settings) };
    return { ...words, effect: known, match: matchIn(match), ...values, isInForce, ...numbers };
  },
  advice: `${RESTORE}; or stop the meta nodes, delete this record, start them and set the rule again`,
};

/** The epoch of all rules: each change of them gives it a new one. */
export const RULES_EPOCH_RECORD: RecordCodec<bigint> = {
  prefix: "meta/rules",
  nameOf: () => "",
  toJson: (epoch) => ({ epoch: String(epoch) }),
  fromJson: (json) => versionIn({ epoch: fieldsOf(json)["epoch"] }),
  advice: `${RESTORE}; or stop the meta nodes, delete this record and start them: members are told the rules anew`,
};

function matchIn(json: unknown): RuleMatch {
  const match: { -readonly [Name in keyof RuleMatch]: RuleMatch[Name] } = {};
  for (const [name, value] of Object.entries(fieldsOf(json))) {
    const list = LISTS.find((one) => one === name);
    if (name === "registeredBeforeMs") match.registeredBeforeMs = timeIn({ [name]: value });
    else if (list === undefined) throw new Damage(`the condition ${name} is not known`);
    else if (list === "services") match.services = textsIn({ [name]: value }).map(brandServiceKey);
    else match[list] = textsIn({ [name]: value });
  }
  return match;
}

function settingsIn(json: unknown): Map<string, string> {
  return new Map(Object.entries(fieldsOf(json)).map(([name, value]) => [name, textIn({ [name]: value })]));
}

function textsIn(field: Readonly<Record<string, unknown>>): string[] {
  const [[name, list] = ["", undefined]] = Object.entries(field);
  if (!Array.isArray(list)) throw new Damage(`${name} is no list`);
  return list.map((text: unknown) => textIn({ [name]: text }));
}

function timeIn(field: Readonly<Record<string, unknown>>): number {
  const [[name, time] = ["", undefined]] = Object.entries(field);
  if (typeof time !== "number" || !Number.isSafeInteger(time) || time < 0) throw new Damage(`${name} is no time`);
  return time;
}
