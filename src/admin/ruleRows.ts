// Rules as answers show them, and the parameters that all changes of rules have.

import type { Principal } from "../access/principal.ts";
import { fail } from "../base/errors.ts";
import type { ServiceKey } from "../model/ids.ts";
import { RULE_EFFECTS, type Rule, type RuleMatch } from "../model/rule.ts";
import { DEFAULT_GROUP, DEFAULT_NAMESPACE, parseServiceKey } from "../model/serviceKey.ts";
import { isoTime } from "./isoTime.ts";
import type { OperatedNode } from "./operatedNode.ts";
import type { ParameterTable } from "./parameter.ts";
import { flag, integer, type Json, list, long, oneOf, orNull, text, time } from "./schema.ts";

/** The most addresses that one rule may name: a mebibyte of them. */
export const ADDRESSES_MAX = 140_000;

/** A body with so many addresses, each in quotes. */
export const RULE_BODY_BYTES_MAX = 3 * 1024 * 1024;

/** The most services, beginnings of services, zones or sessions of a rule. */
export const NAMES_MAX = 1_000;

const TEXT_CHARS_MAX = 1_000;

/** The operator who wants a rule, the reason, and its end. */
export const INTENT_PARAMETERS = {
  reason: {
    type: "text",
    charsMax: TEXT_CHARS_MAX,
    default: "",
    about: "Why, for other operators.",
  },
  setBy: {
    type: "text",
    charsMax: TEXT_CHARS_MAX,
    default: "",
    about: "Who wants it; `roster` names the user of the machine that it runs on.",
  },
  for: { type: "duration", about: "The time after which it ends by itself; without it and `until` it stays." },
  until: { type: "time", about: "The point in time at which it ends by itself." },
} as const satisfies ParameterTable;

/** Values of `INTENT_PARAMETERS`. */
export interface Intent {
  readonly reason: string;
  readonly setBy: string;
  readonly for: number | undefined;
  readonly until: number | undefined;
}

/** The part of a rule that says who wants it. Throws FIELD_INVALID for an end that is past, or given twice. */
export function intentOf(
  { reason, setBy, for: forMs, until }: Intent,
  { caller, nowMs: now }: Pick<OperatedNode, "caller" | "nowMs">,
): Wish {
  const nowMs = now();
  if (forMs !== undefined && until !== undefined) {
    throw fail("FIELD_INVALID", {
      field: "until",
      value: isoTime(until),
      expected: "either for or until, and not both",
    });
  }
  if (until !== undefined && until <= nowMs) {
    throw fail("FIELD_INVALID", { field: "until", value: isoTime(until), expected: `a time after ${isoTime(nowMs)}` });
  }
  const untilMs = until ?? (forMs === undefined ? undefined : Math.ceil(nowMs + forMs));
  return { reason, setBy: setterOf(setBy, caller), ...(untilMs !== undefined && { untilMs }) };
}

/** The part of a rule that says who wants it, why and until when. */
export type Wish = Pick<Rule, "reason" | "setBy" | "untilMs">;

/** The setter of a change. A proved identity is named in any case: the other name is only what the operator says. */
export function setterOf(named: string, { kind, name, from }: Principal): string {
  if (kind === "anonymous") return named === "" ? `an operator at ${from}` : named;
  return named === "" || named === name ? name : `${named} (${name})`;
}

/** The fields of a rule in a list of rules. */
export const RULE_FIELDS = {
  id: text("Its id, by which it is changed and removed."),
  effect: oneOf(
    RULE_EFFECTS,
    "hidePublications: the publications stay registered and are in no list. holdPushes: the clients are pushed " +
      "nothing. changeSettings: nodes take other values of settings.",
  ),
  isInForce: flag("It has its effect. A rule that has none keeps its lists for the day on which it is put in force."),
  concerns: text("The clients and services that it is for, in words."),
  until: orNull(time("When it ends; null for a rule that stays until it is removed.")),
  setBy: text("Who set it, or the interface by which it was set."),
  setAt: time("When it was put or changed."),
  reason: text("Why."),
  epoch: long("Changes whenever the rule does; for `ifEpoch`."),
};

export function ruleRow({ id, effect, isInForce, match, settings, untilMs, setBy, setMs, reason, epoch }: Rule): {
  readonly [name: string]: Json;
} {
  const until = untilMs === undefined ? null : isoTime(untilMs);
  const who = { until, setBy, setAt: isoTime(setMs), reason, epoch: String(epoch) };
  return { id, effect, isInForce, concerns: concernsOfRule({ effect, match, settings }), ...who };
}

const NAMES = "null: no condition.";

/** The conditions of a rule, each whole. */
export const MATCH_FIELDS = {
  addresses: orNull(list(text("An address or a block of them."), `The clients' addresses; ${NAMES}`)),
  exceptAddresses: list(text("An address or a block of them."), "Addresses for which it does not hold."),
  services: orNull(list(text("The key of a service."), `The services; ${NAMES}`)),
  servicePrefixes: orNull(list(text("A beginning."), `Beginnings of the keys of services; ${NAMES}`)),
  zones: orNull(list(text("A zone."), `The clients' zones; ${NAMES}`)),
  sessions: orNull(list(text("A node's name."), `The session nodes that hold the clients; ${NAMES}`)),
  registeredBefore: orNull(time("Only registrations that a session took before; null: all.")),
};

export function matchRow(match: RuleMatch): { readonly [name: string]: Json } {
  const { addresses, exceptAddresses, services, servicePrefixes, zones, sessions, registeredBeforeMs } = match;
  return {
    addresses: addresses ?? null,
    exceptAddresses: exceptAddresses ?? [],
    services: services ?? null,
    servicePrefixes: servicePrefixes ?? null,
    zones: zones ?? null,
    sessions: sessions ?? null,
    registeredBefore: registeredBeforeMs === undefined ? null : isoTime(registeredBeforeMs),
  };
}

/** The number of clients and of their registrations that meet the conditions of a rule. */
export const COUNT_FIELDS = {
  registrations: integer("Publications, or subscriptions and watches where pushes would be held."),
  clients: integer("Connected clients that have them."),
  isAtLeast: flag("There are more: some session has too many to count, or has not answered."),
};

const SHOWN_MAX = 3;

/** The clients and services that conditions are for, in words. */
export function concernsOf(match: RuleMatch): string {
  const { addresses, exceptAddresses, services, servicePrefixes, zones, sessions, registeredBeforeMs } = match;
  const parts = [
    ...(addresses === undefined ? [] : [some("clients at", addresses)]),
    ...(exceptAddresses === undefined ? [] : [some("except those at", exceptAddresses)]),
    ...(services === undefined ? [] : [some("service", services.map(shortName))]),
    ...(servicePrefixes === undefined ? [] : [some("services that begin with", servicePrefixes)]),
    ...(zones === undefined ? [] : [some("zone", zones)]),
    ...(sessions === undefined ? [] : [some("session", sessions)]),
    ...(registeredBeforeMs === undefined ? [] : [`registered before ${isoTime(registeredBeforeMs)}`]),
  ];
  const isForSome = addresses !== undefined || parts.length > (exceptAddresses === undefined ? 0 : 1);
  return [...(isForSome ? [] : ["all clients"]), ...parts].join("; ");
}

function some(word: string, names: readonly string[]): string {
  if (names.length === 0) return `${word} none`;
  return `${word} ${shownNames(names)}`;
}

/** Names, of many only the first. */
export function shownNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN_MAX).join(", ");
  return names.length > SHOWN_MAX ? `${shown} and ${names.length - SHOWN_MAX} more` : shown;
}

/** A service of the default namespace and group by its name alone. */
export function shortName(service: ServiceKey): string {
  const { name, namespace, group } = parseServiceKey(service);
  return namespace === DEFAULT_NAMESPACE && group === DEFAULT_GROUP ? name : service;
}

/** The subject of a rule, in words: clients and services, or settings and nodes. */
export function concernsOfRule({
  effect,
  match,
  settings,
}: Pick<Rule, "effect" | "match"> & { readonly settings: Rule["settings"] | undefined }): string {
  if (effect !== "changeSettings") return concernsOf(match);
  const values = [...(settings ?? [])].map(([name, value]) => `${name}=${value}`);
  return `${values.join(", ")}; ${nodesOf(match)}`;
}

/** The data nodes and sessions for which settings are, in words. */
export function nodesOf({ zones, sessions }: RuleMatch): string {
  const parts = [
    ...(zones === undefined ? [] : [some("nodes of zone", zones)]),
    ...(sessions === undefined ? [] : [some("node", sessions)]),
  ];
  return parts.length === 0 ? "all nodes" : parts.join("; ");
}
