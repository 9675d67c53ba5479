// The switch of pushes: operators stop them for all, for services or for addresses, and start them again. Nothing is
// lost while they are stopped: clients get the newest lists and values afterwards.

import { fail } from "../../base/errors.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Rule, RuleDraft, RuleMatch } from "../../model/rule.ts";
import { AddressList, withoutAddresses } from "../../model/ruleAddresses.ts";
import { RuleMatcher, type RuleSet } from "../../model/ruleSet.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { CHANGE_COLUMNS, changeRules, RULES_CHANGED, type RulePlan, rulesOf } from "../changeRules.ts";
import { operation } from "../operation.ts";
import type { ParameterTable } from "../parameter.ts";
import { draftOf, isStopRule, ruleIdFor, rulesInForce, STOP_PUSH_ID, withoutNames } from "../ruleEdits.ts";
import {
  ADDRESSES_MAX,
  concernsOf,
  INTENT_PARAMETERS,
  intentOf,
  NAMES_MAX,
  RULE_BODY_BYTES_MAX,
  RULE_FIELDS,
  ruleRow,
  shortName,
} from "../ruleRows.ts";
import { list, object, oneOf, text } from "../schema.ts";

const OF = {
  all: { type: "flag", about: "Whether all pushes are meant." },
  address: {
    type: "list",
    of: { type: "addressOrBlock", about: "" },
    countMax: ADDRESSES_MAX,
    about: "Pushes to the clients at these addresses, or blocks of them.",
  },
  service: {
    type: "list",
    of: { type: "service", about: "" },
    countMax: NAMES_MAX,
    about: "Pushes of the lists of these services.",
  },
  prefix: {
    type: "list",
    of: { type: "text", charsMax: KEY_PART_CHARS_MAX, about: "" },
    countMax: NAMES_MAX,
    about: "Pushes of the lists of services whose keys begin so.",
  },
} as const satisfies ParameterTable;

interface Pushes {
  readonly all: boolean;
  readonly address: readonly string[] | undefined;
  readonly service: readonly ServiceKey[] | undefined;
  readonly prefix: readonly string[] | undefined;
}

/** The one way in which the pushes are named: an empty variable in a script must not mean all. Throws FIELD_INVALID. */
function checkOneOf({ all, address, service, prefix }: Pushes): void {
  const given = [all || undefined, address, service, prefix].filter((one) => one !== undefined);
  if (prefix?.includes("")) {
    throw fail("FIELD_INVALID", { field: "prefix", value: "", expected: "at least one character; all for everything" });
  }
  if (given.length === 1) return;
  throw fail("FIELD_INVALID", { field: "all", expected: "one of all, address, service and prefix" });
}

export const stopPushes = operation({
  name: "pushes.stop",
  method: "POST",
  path: "/pushes/stop",
  about: "Stops pushes: clients keep what they have, and get the newest when pushes are started again.",
  parameters: { ...OF, ...INTENT_PARAMETERS },
  command: { words: ["switch stop-push"], columns: CHANGE_COLUMNS },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  bodyBytesMax: RULE_BODY_BYTES_MAX,
  run(node, { reason, setBy, for: forMs, until, ...pushes }, isPreview) {
    checkOneOf(pushes);
    const match = stopMatch(pushes);
    const names = match.addresses ?? match.services?.map(shortName) ?? match.servicePrefixes ?? [];
    const plan = (rules: RuleSet): RulePlan => {
      const named = { word: "stop-push", effect: "holdPushes", match, names } as const;
      const id = pushes.all ? STOP_PUSH_ID : ruleIdFor(rules, named);
      const intent = intentOf({ reason, setBy, for: forMs, until }, node);
      const concerned = concernsOf(match);
      const undo = pushes.all ? "roster switch start-push --all" : `roster rule remove ${id}`;
      const done = `nothing is pushed: ${concerned}; to go on: ${undo}`;
      return {
        put: [{ id, effect: "holdPushes", match, isInForce: true, ...intent }],
        removed: [],
        message: { done, preview: `nothing would be pushed: ${concerned}` },
      };
    };
    return changeRules(node, plan, { isPreview, counted: { effect: "holdPushes", match } });
  },
});

function stopMatch({ address, service, prefix }: Pushes): RuleMatch {
  if (address !== undefined) return { addresses: [...new Set(address)] };
  if (service !== undefined) return { services: [...new Set(service)] };
  return prefix === undefined ? {} : { servicePrefixes: [...new Set(prefix)] };
}

export const startPushes = operation({
  name: "pushes.start",
  method: "POST",
  path: "/pushes/start",
  about:
    "Starts pushes again: all of them, or those of some services; for some addresses while the others wait (grey opening).",
  parameters: OF,
  command: { words: ["switch start-push"], columns: CHANGE_COLUMNS },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  bodyBytesMax: RULE_BODY_BYTES_MAX,
  run(node, pushes, isPreview) {
    checkOneOf(pushes);
    const plan = (rules: RuleSet) => startPlan(rulesInForce(rules, node.nowMs()).filter(isStopRule), pushes);
    return changeRules(node, plan, { isPreview });
  },
});

function startPlan(stops: readonly Rule[], pushes: Pushes): RulePlan {
  const { all, service, prefix } = pushes;
  const address = pushes.address && new AddressList(pushes.address);
  const put: RuleDraft[] = [];
  const removed: string[] = [];
  for (const rule of stops) {
    const left = all ? undefined : startedMatch(rule.match, { address, service, prefix });
    if (left === undefined) removed.push(rule.id);
    else if (left !== "same") put.push({ ...draftOf(rule), match: left });
  }
  const after = stops
    .filter(({ id }) => !removed.includes(id))
    .map((rule) => put.find(({ id }) => id === rule.id) ?? rule);
  checkStarted(after, pushes);
  const what = concernsOf(stopMatch(pushes));
  if (put.length + removed.length === 0) {
    const none = `no pushes were stopped: ${what}`;
    return { put, removed, message: { done: none, preview: none } };
  }
  return { put, removed, message: { done: `pushed again: ${what}`, preview: `would be pushed again: ${what}` } };
}

interface Started {
  readonly address: AddressList | undefined;
  readonly service: readonly ServiceKey[] | undefined;
  readonly prefix: readonly string[] | undefined;
}

/** The conditions of a rule that stops no longer what is started; undefined if nothing is left of it. */
function startedMatch(
  { ...match }: RuleMatch,
  { address, service = [], prefix = [] }: Started,
): RuleMatch | "same" | undefined {
  if (address !== undefined) {
    const out = withoutAddresses(match, address);
    return out === "same" ? out : out.match;
  }
  const services = withoutNames(match.services, service);
  const servicePrefixes = withoutNames(match.servicePrefixes, prefix);
  if (services === "same" && servicePrefixes === "same") return "same";
  if (services === undefined || servicePrefixes === undefined) return undefined;
  return {
    ...match,
    ...(services !== "same" && { services }),
    ...(servicePrefixes !== "same" && { servicePrefixes }),
  };
}

/** Throws RULE_IN_THE_WAY if a service that is started is stopped by a rule that does not name it. */
function checkStarted(stops: readonly (Rule | RuleDraft)[], { service = [], prefix = [] }: Partial<Pushes>): void {
  for (const { id, match } of stops) {
    if (match.addresses !== undefined) continue;
    const matcher = new RuleMatcher(match);
    const stopped = service.find((each) => matcher.mayConcern(each)) ?? prefix.find((each) => isWithin(match, each));
    if (stopped === undefined) continue;
    const advice = "start all pushes, or those to some addresses, or remove the rule";
    throw fail("RULE_IN_THE_WAY", { rule: id, concerns: concernsOf(match), stopped, advice });
  }
}

/** Whether all services with this beginning are meant. */
function isWithin({ services, servicePrefixes }: RuleMatch, prefix: string): boolean {
  return services === undefined && servicePrefixes?.some((each) => prefix.startsWith(each)) !== false;
}

const { effect: _, isInForce: __, ...HOLD_FIELDS } = RULE_FIELDS;

export const showPushes = operation({
  name: "pushes.get",
  method: "GET",
  path: "/pushes",
  about: "Shows whether pushes are stopped: for which clients and services, who wants it, why and until when.",
  parameters: {},
  command: {
    words: ["switch show", "get switches"],
    columns: ["id", "concerns", "until", "setBy", "reason"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: object({
    state: oneOf(["pushed", "stopped for some", "stopped"], "Whether clients are pushed to."),
    open: list(text("An address or a block of them."), "While all pushes are stopped: those that are pushed to."),
    items: list(object(HOLD_FIELDS), "The rules that stop pushes, those to addresses that are offline among them."),
  }),
  run(node) {
    const inForce = rulesInForce(rulesOf(node).rules, node.nowMs()).filter(({ effect }) => effect === "holdPushes");
    const whole = inForce.filter(({ match: { exceptAddresses: ___, ...others } }) => Object.keys(others).length === 0);
    const open = whole.flatMap(({ match }) => match.exceptAddresses ?? []);
    const forSome = inForce.length > 0 ? "stopped for some" : "pushed";
    const state = whole.length > 0 ? "stopped" : forSome;
    const items = inForce.map((rule) => {
      const { effect: ___, isInForce: ____, ...row } = ruleRow(rule);
      return row;
    });
    return { state, open: [...new Set(open)], items };
  },
});
