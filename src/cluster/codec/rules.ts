// The bytes of operators' rules: src/model/rule.ts.

import { brandServiceKey } from "../../model/ids.ts";
import { RULE_EFFECTS, type Rule, type RuleEffect, type RuleMatch } from "../../model/rule.ts";
import type { RulesMessage } from "../messages/membership.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

// Every condition travels as a list of texts, so that an earlier release can skip one that it does not know.
const CONDITION = {
  addresses: 1,
  exceptAddresses: 2,
  services: 3,
  servicePrefixes: 4,
  zones: 5,
  sessions: 6,
  registeredBeforeMs: 7,
} as const satisfies Record<keyof RuleMatch, number>;
// Settings travel among the conditions, names and values by turns: a release that knows none has no use for the rule.
const SETTINGS = 8;

const LISTS = ["addresses", "exceptAddresses", "services", "servicePrefixes", "zones", "sessions"] as const;

export function writeRules(writer: NodeWriter, { epoch, base, put, removed }: RulesMessage): void {
  writer.long(epoch);
  writer.flag(base !== undefined);
  if (base !== undefined) writer.long(base);
  writer.list(put, writeRule);
  writer.list(removed, writeText);
}

/** A rule that this release does not understand can't be applied: it is none, and its earlier state is gone. */
export function readRules(reader: NodeReader): RulesMessage {
  const epoch = reader.long();
  const base = reader.flag() ? reader.long() : undefined;
  const put: Rule[] = [];
  const unknown: string[] = [];
  for (const rule of reader.list(readRule)) {
    if (typeof rule === "string") unknown.push(rule);
    else put.push(rule);
  }
  const removed = [...reader.list(readText), ...unknown];
  return { kind: "rules", epoch, ...(base !== undefined && { base }), put, removed };
}

function writeRule(writer: NodeWriter, rule: Rule): void {
  writer.text(rule.id);
  writer.name(rule.effect);
  writer.flag(rule.isInForce);
  writer.text(rule.setBy);
  writer.varint(rule.setMs);
  writer.text(rule.reason);
  writer.flag(rule.untilMs !== undefined);
  if (rule.untilMs !== undefined) writer.varint(rule.untilMs);
  writer.long(rule.epoch);
  writeMatch(writer, rule);
  writer.endRecord();
}

/** The id of a rule that this release does not understand. */
function readRule(reader: NodeReader): Rule | string {
  const id = reader.text();
  const effect = reader.name();
  const fields = {
    isInForce: reader.flag(),
    setBy: reader.text(),
    setMs: reader.varint(),
    reason: reader.text(),
    ...(reader.flag() && { untilMs: reader.varint() }),
    epoch: reader.long(),
  };
  const conditions = readMatch(reader);
  reader.endRecord();
  return conditions === undefined || !isEffect(effect) ? id : { id, effect, ...fields, ...conditions };
}

function writeMatch(writer: NodeWriter, { match, settings }: Rule): void {
  const lists = LISTS.filter((name) => match[name] !== undefined);
  const { registeredBeforeMs } = match;
  const further = [registeredBeforeMs, settings].filter((one) => one !== undefined);
  writer.varint(lists.length + further.length);
  for (const name of lists) {
    writer.varint(CONDITION[name]);
    writer.list(match[name] ?? [], writeText);
    writer.endRecord();
  }
  if (registeredBeforeMs !== undefined) {
    writer.varint(CONDITION.registeredBeforeMs);
    writer.list([String(registeredBeforeMs)], writeText);
    writer.endRecord();
  }
  if (settings === undefined) return;
  writer.varint(SETTINGS);
  writer.list([...settings].flat(), writeText);
  writer.endRecord();
}

/** Undefined if a condition is not known. */
function readMatch(reader: NodeReader): Pick<Rule, "match" | "settings"> | undefined {
  const match: { -readonly [Name in keyof RuleMatch]: RuleMatch[Name] } = {};
  let settings: Map<string, string> | undefined;
  let isKnown = true;
  for (let left = reader.count(); left > 0; left--) {
    const condition = reader.varint();
    const texts = reader.list(readText);
    reader.endRecord();
    if (condition === CONDITION.registeredBeforeMs) match.registeredBeforeMs = Number(texts[0]);
    else if (condition === CONDITION.services) match.services = texts.map(brandServiceKey);
    else if (condition === SETTINGS) settings = pairsOf(texts);
    else {
      const name = LISTS.find((one) => CONDITION[one] === condition);
      if (name === undefined || name === "services") isKnown = false;
      else match[name] = texts;
    }
  }
  return isKnown ? { match, ...(settings && { settings }) } : undefined;
}

function pairsOf(texts: readonly string[]): Map<string, string> {
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < texts.length; at += 2) pairs.set(texts[at] ?? "", texts[at + 1] ?? "");
  return pairs;
}

function isEffect(text: string): text is RuleEffect {
  return RULE_EFFECTS.some((effect) => effect === text);
}

function writeText(writer: NodeWriter, text: string): void {
  writer.text(text);
}

function readText(reader: NodeReader): string {
  return reader.text();
}
