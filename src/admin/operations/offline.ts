// Addresses that operators take offline: what their clients publish is in no list, until they are online again.

import { fail } from "../../base/errors.ts";
import { isBlock } from "../../model/addressBlock.ts";
import type { Rule, RuleDraft, RuleMatch } from "../../model/rule.ts";
import { AddressList, withoutAddresses } from "../../model/ruleAddresses.ts";
import { matcherOf, type RuleSet } from "../../model/ruleSet.ts";
import { CHANGE_COLUMNS, changeRules, RULES_CHANGED, type RulePlan, rulesOf } from "../changeRules.ts";
import { isoTime } from "../isoTime.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import type { ListParameter } from "../parameter.ts";
import { draftOf, HELD_SUFFIX, isOfflineRule, ruleIdFor, rulesInForce } from "../ruleEdits.ts";
import {
  ADDRESSES_MAX,
  INTENT_PARAMETERS,
  intentOf,
  RULE_BODY_BYTES_MAX,
  RULE_FIELDS,
  shownNames,
  type Wish,
} from "../ruleRows.ts";
import { flag, type Json, list, object, text } from "../schema.ts";

type Addresses = ListParameter & { readonly of: { readonly type: "addressOrBlock" }; readonly isRequired: true };

const ADDRESSES: Addresses = {
  type: "list",
  of: { type: "addressOrBlock", about: "" },
  countMax: ADDRESSES_MAX,
  isRequired: true,
  about: "The addresses that the clients come from, and blocks of them.",
};

export const takeOffline = operation({
  name: "offline.add",
  method: "POST",
  path: "/offline",
  about: "Takes addresses offline: what their clients publish stays registered and is in no list.",
  parameters: {
    address: ADDRESSES,
    holdPushes: { type: "flag", about: "Whether to push nothing to these clients either." },
    rule: {
      type: "text",
      charsMax: 100,
      default: "",
      about:
        "The id of the rule; the addresses are added to the one that there is. Else it is made from the addresses.",
    },
    ...INTENT_PARAMETERS,
  },
  command: { words: ["offline"], columns: CHANGE_COLUMNS, fromFile: "address" },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  bodyBytesMax: RULE_BODY_BYTES_MAX,
  run(node, { address, holdPushes, rule, ...intent }, isPreview) {
    const addresses = [...new Set(address)];
    const everything = addresses.find((each) => each.endsWith("/0"));
    if (everything !== undefined) {
      const expected = "a smaller block: this one hides what everybody publishes";
      throw fail("FIELD_INVALID", { field: "address", value: everything, expected });
    }
    const counted = { effect: "hidePublications", match: { addresses } } as const;
    const offline = { addresses, holdPushes, rule, wish: intentOf(intent, node) };
    return changeRules(node, (rules) => offlinePlan(rules, offline), { isPreview, counted });
  },
});

interface Offline {
  readonly addresses: readonly string[];
  readonly holdPushes: boolean;
  /** Empty for one that is made from the addresses. */
  readonly rule: string;
  readonly wish: Wish;
}

function offlinePlan(rules: RuleSet, { addresses, holdPushes, rule, wish }: Offline): RulePlan {
  const match: RuleMatch = { addresses };
  const named = { word: "offline", effect: "hidePublications", match, names: addresses } as const;
  const id = rule === "" ? ruleIdFor(rules, named) : rule;
  const wanted = { isInForce: true, ...wish };
  const hide: RuleDraft = { id, effect: "hidePublications", match, ...wanted };
  const hold: RuleDraft = { id: `${id}${HELD_SUFFIX}`, effect: "holdPushes", match, ...wanted };
  const drafts = holdPushes ? [hide, hold] : [hide];
  const put = rule === "" ? drafts : drafts.map((draft) => addedTo(rules.get(draft.id), draft));
  const is = addresses.length === 1 ? "is" : "are";
  const effect = `published is in no list${holdPushes ? ", and nothing is pushed to them" : ""}`;
  const back = addresses.length <= 3 ? `roster online ${addresses.join(" ")}` : `roster rule remove ${id}`;
  return {
    put,
    removed: [],
    message: {
      done: `${shownNames(addresses)} ${is} offline: what their clients ${effect}; to bring them back: ${back}`,
      preview: `${shownNames(addresses)} would be offline`,
    },
  };
}

/** The draft with the addresses of the rule that there is. Throws FIELD_INVALID for a rule of another kind. */
function addedTo(known: Rule | undefined, draft: RuleDraft): RuleDraft {
  if (known === undefined) return draft;
  const added = draft.match.addresses ?? [];
  const { addresses = [], exceptAddresses = [], ...others } = known.match;
  const isOfAddresses = known.match.addresses !== undefined && Object.keys(others).length === 0;
  if (known.effect !== draft.effect || !isOfAddresses) {
    const expected = "the id of a rule that takes addresses offline, or a new one";
    throw fail("FIELD_INVALID", { field: "rule", value: known.id, expected });
  }
  const isAdded = new AddressList(added);
  const exceptions = exceptAddresses.filter((address) => !isAdded.contains(address));
  const isExcepted = new AddressList(exceptions);
  const excepted = added.find((address) => isExcepted.contains(address));
  if (excepted !== undefined) {
    const expected = `another rule: ${known.id} has an exception for it`;
    throw fail("FIELD_INVALID", { field: "address", value: excepted, expected });
  }
  const { reason, untilMs = known.untilMs } = draft;
  const match = {
    addresses: [...new Set([...addresses, ...added])],
    ...(exceptions.length > 0 && { exceptAddresses: exceptions }),
  };
  const end = untilMs === undefined ? {} : { untilMs };
  return { ...draft, match, reason: reason === "" ? known.reason : reason, ...end };
}

export const bringOnline = operation({
  name: "offline.remove",
  method: "POST",
  path: "/online",
  about:
    "Brings addresses online again: every rule that takes them offline lets them go, also those of SOFARegistry's tools.",
  parameters: { address: { ...ADDRESSES, about: "Addresses that are offline, and blocks of them." } },
  command: { words: ["online"], columns: CHANGE_COLUMNS, fromFile: "address" },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: RULES_CHANGED,
  bodyBytesMax: RULE_BODY_BYTES_MAX,
  run(node, { address }, isPreview) {
    const taken = new AddressList(address);
    return changeRules(node, (rules) => onlinePlan(rules, { taken, nowMs: node.nowMs() }), { isPreview });
  },
});

interface Online {
  readonly taken: AddressList;
  readonly nowMs: number;
}

function onlinePlan(rules: RuleSet, { taken, nowMs }: Online): RulePlan {
  const addresses = [...taken.all];
  const put: RuleDraft[] = [];
  const removed: string[] = [];
  const exceptions: string[] = [];
  const inForce = rulesInForce(rules, nowMs);
  for (const rule of inForce.filter(isOfflineRule)) {
    const out = withoutAddresses(rule.match, taken);
    if (out === "same") continue;
    if (out.match === undefined) removed.push(rule.id);
    else put.push({ ...draftOf(rule), match: out.match });
    if (out.excepted.length > 0) exceptions.push(exceptionIn(rule, out.excepted));
  }
  const shown = shownNames(addresses);
  const isOne = addresses.length === 1;
  const notes = [...exceptions, ...stillHidden(inForce, addresses)].map((note) => `; ${note}`).join("");
  if (put.length + removed.length === 0) {
    const none = `no rule takes ${shown} offline${notes}`;
    return { put, removed, message: { done: none, preview: none } };
  }
  const done = `${shown} ${isOne ? "is" : "are"} online again${notes}`;
  return { put, removed, message: { done, preview: `${shown} would be online again${notes}` } };
}

function exceptionIn({ id, match: { addresses = [] } }: Rule, excepted: readonly string[]): string {
  const exception = new AddressList(excepted);
  // The block around it: the one that has it, and is not one of the exceptions.
  const around = addresses.filter((address) => isBlock(address) && !exception.contains(address));
  const blocks = around.filter((block) => excepted.some((address) => new AddressList([block]).contains(address)));
  const rest = blocks.length === 0 ? "all other addresses" : `the rest of ${shownNames(blocks)}`;
  return `the rule ${id} has an exception for ${shownNames(excepted)} now and keeps ${rest} offline`;
}

/** Rules for some services only: the addresses stay in them, which is said. */
function stillHidden(inForce: readonly Rule[], addresses: readonly string[]): string[] {
  const hosts = addresses.filter((address) => !isBlock(address)).slice(0, 100);
  const others = inForce.filter((rule) => {
    if (rule.effect !== "hidePublications" || rule.match.addresses === undefined || isOfflineRule(rule)) return false;
    const matcher = matcherOf(rule);
    return hosts.some((host) => matcher.mayConcernHost(host));
  });
  if (others.length === 0) return [];
  return [`some of their services are still hidden by ${shownNames(others.map(({ id }) => id))}: roster describe rule`];
}

const { until, setBy, setAt, reason } = RULE_FIELDS;

export const listOffline = operation({
  name: "offline.list",
  method: "GET",
  path: "/offline",
  about: "Lists the addresses that are offline: by which rule, who wants it, why and until when.",
  parameters: PAGE_PARAMETERS,
  command: { columns: ["address", "holdsPushes", "rule", "until", "setBy", "reason"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: object({
    items: list(
      object({
        address: text("An address or a block of them."),
        exceptions: list(text("An address or a block of them."), "Those of the block that are online."),
        holdsPushes: flag("Nothing is pushed to these clients either."),
        rule: text("The id of the rule."),
        until,
        setBy,
        setAt,
        reason,
      }),
      "A page of addresses.",
    ),
    ...PAGE_FIELDS,
  }),
  run(node, { limit, after }) {
    const { rules } = rulesOf(node);
    const inForce = rulesInForce(rules, node.nowMs()).filter(isOfflineRule);
    const hides = inForce.filter(({ effect }) => effect === "hidePublications");
    const entries = hides.flatMap((rule) => (rule.match.addresses ?? []).map((address) => ({ address, rule })));
    const keyOf = ({ address, rule }: OfflineAddress) => `${address} ${rule.id}`;
    const page = pageOf(entries, { limit, after, keyOf });
    const held = new Map(inForce.map(({ id, match }) => [id, new AddressList(match.addresses ?? [])]));
    const items = page.entries.map((entry) => offlineRow(entry, held.get(`${entry.rule.id}${HELD_SUFFIX}`)));
    return { items, total: page.total, next: page.next };
  },
});

interface OfflineAddress {
  readonly address: string;
  readonly rule: Rule;
}

function offlineRow({ address, rule }: OfflineAddress, held: AddressList | undefined): Json {
  const block = new AddressList([address]);
  const exceptions = (rule.match.exceptAddresses ?? []).filter((each) => block.contains(each));
  return {
    address,
    exceptions,
    holdsPushes: held?.contains(address) === true,
    rule: rule.id,
    until: rule.untilMs === undefined ? null : isoTime(rule.untilMs),
    setBy: rule.setBy,
    setAt: isoTime(rule.setMs),
    reason: rule.reason,
  };
}
