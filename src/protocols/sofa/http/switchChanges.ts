// Changes of switches as operators ask for them at a node that can't make them itself: by name, with one text. The node
// asks the leading meta node, whose rules are the newest.

import { fail } from "../../../base/errors.ts";
import type { HttpResponse } from "../../../base/http.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import { readServiceKey } from "../../../model/serviceKey.ts";
import type { AskedNode, MetaNodeView, OtherNodes } from "../../kit/gateway.ts";
import { rawResponse } from "./answers.ts";
import {
  type ChangeOrigin,
  changeSwitch,
  clientsOff,
  clientsOpen,
  type RulesNode,
  serviceBlacklisted,
} from "./changeSwitch.ts";
import { offListText } from "./offList.ts";
import { readAddresses, readOffList, type SwitchEdit } from "./ruleSwitches.ts";

/** A change by its name. */
export interface SwitchChange extends ChangeOrigin {
  readonly change: string;
  readonly text: string;
}

type Change = (text: string) => (rules: RuleSet) => SwitchEdit;

const opened: Change = (text) => {
  const addresses = addressesIn(text);
  return (rules) => clientsOpen(rules, addresses);
};

const blacklisted =
  (isListed: boolean): Change =>
  (text) => {
    const serviceKey = readServiceKey(text, "dataInfoId");
    return (rules) => serviceBlacklisted(rules, { serviceKey, isListed });
  };

const CHANGES: Readonly<Record<string, Change>> = {
  clientOff: (text) => {
    const hidden = addressesIn(text);
    return (rules) => clientsOff(rules, { hidden, held: [] });
  },
  clientOffWithSub: (text) => {
    const lists = readOffList("ips", text);
    if (lists.hidden.length === 0) throw fail("FIELD_INVALID", { field: "ips", value: text, expected: "an address" });
    return (rules) => clientsOff(rules, lists);
  },
  clientOpen: opened,
  // In SOFARegistry the connected clients stay off until they come back. Here nothing of them was taken away.
  reduce: opened,
  blacklistAdd: blacklisted(true),
  blacklistDelete: blacklisted(false),
};

/** The changes of the list of clients that are off: the last parts of their paths. */
export const OFF_ACTIONS = ["clientOff", "clientOffWithSub", "clientOpen", "reduce"] as const;

// The store answers, or fails, within a few seconds.
const CHANGE_MS_MAX = 10_000;
const QUESTION_MS_MAX = 3_000;

/** The leading meta node as changes need it. */
type LeadingNode = RulesNode & Pick<MetaNodeView, "isLeading">;

/** Has the leading meta node make a change. Returns the epoch of the rules that have it. */
export async function askForChange(others: OtherNodes, change: SwitchChange): Promise<bigint> {
  // Nonsense is refused here; the leader reads it again.
  editOf(change);
  const answer = await others.askLeader({ name: "changeSwitch", parameters: change, waitMs: CHANGE_MS_MAX });
  return BigInt((answer as { readonly epoch: string }).epoch);
}

/** As `askForChange`, at a meta node, which may lead. */
export async function changeAtLeader(node: LeadingNode, others: OtherNodes, change: SwitchChange): Promise<bigint> {
  return node.isLeading() ? changeSwitch(node, change, editOf(change)) : askForChange(others, change);
}

/** The leading meta node's list of clients that are off. */
export async function askOffList(others: OtherNodes): Promise<HttpResponse> {
  const answer = await others.askLeader({ name: "offList", parameters: {}, waitMs: QUESTION_MS_MAX });
  return rawResponse((answer as { readonly text: string }).text);
}

/** Whether a meta node leads, and can make changes. */
export async function askIsLed(others: OtherNodes): Promise<boolean> {
  const answer = await others.askLeader({ name: "isLed", parameters: {}, waitMs: QUESTION_MS_MAX });
  return (answer as { readonly isLed: boolean }).isLed;
}

/** Answers these questions at a meta node. */
export async function answerAtMeta(
  node: LeadingNode & Pick<MetaNodeView, "isStoreReachable">,
  { name, parameters }: AskedNode,
): Promise<unknown> {
  if (!node.isLeading()) throw fail("NOT_META_LEADER", { leader: "unknown" });
  switch (name) {
    case "changeSwitch": {
      const change = readChange(parameters);
      return { epoch: String(await changeSwitch(node, change, editOf(change))) };
    }
    case "offList":
      return { text: offListText(node.rules()) };
    case "isLed":
      return { isLed: node.isStoreReachable() };
    default:
      throw fail("FIELD_INVALID", { field: "question", value: name, expected: "a question of this release" });
  }
}

function readChange(parameters: unknown): SwitchChange {
  const { change, text, from, request } = parameters as Partial<Record<keyof SwitchChange, unknown>>;
  const isText = [change, text, from, request].every((value) => typeof value === "string");
  if (!isText) throw fail("FIELD_INVALID", { field: "parameters", expected: "four texts" });
  return { change, text, from, request } as SwitchChange;
}

/** Throws FIELD_INVALID. */
function editOf({ change, text }: SwitchChange): (rules: RuleSet) => SwitchEdit {
  const known = Object.hasOwn(CHANGES, change) ? CHANGES[change] : undefined;
  if (known === undefined) throw fail("FIELD_INVALID", { field: "change", value: change, expected: "a known change" });
  return known(text);
}

/** The addresses of a field, separated by semicolons. Throws FIELD_INVALID. */
export function addressesIn(ips: string): string[] {
  const texts = ips
    .split(";")
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (texts.length === 0) throw fail("FIELD_INVALID", { field: "ips", value: ips, expected: "10.0.0.1;10.0.0.2" });
  return readAddresses(texts);
}
