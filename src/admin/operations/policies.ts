// Operations on policies.

import { ACTIONS, CONDITION_VALUES_MAX, POLICY_EFFECTS, type Policy, type PolicyDraft } from "../../access/policy.ts";
import { ACCESS_ROLES, PRINCIPAL_KINDS } from "../../access/principal.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { isoTime } from "../isoTime.ts";
import type { OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import { PAGE_FIELDS, PAGE_PARAMETERS, pageOf } from "../paging.ts";
import type { ListParameter, ParameterTable, TextParameter } from "../parameter.ts";
import { type Json, list, object, oneOf, orNull, text, time } from "../schema.ts";
import { DONE } from "./nodes.ts";

const NAME: TextParameter & { readonly isRequired: true } = {
  type: "text",
  charsMax: 128,
  isRequired: true,
  about: "The name of the policy.",
};

const texts = (charsMax: number, about: string) =>
  ({ type: "list", of: { type: "text", charsMax, about: "" }, countMax: CONDITION_VALUES_MAX, about }) as const;

const SUBJECTS = {
  names: texts(128, "Only for identities of these names."),
  kinds: {
    type: "list",
    of: { type: "choice", oneOf: PRINCIPAL_KINDS, about: "" },
    countMax: PRINCIPAL_KINDS.length,
    about: "Only for principals of these kinds; anonymous ones have proved nothing.",
  },
  roles: {
    type: "list",
    of: { type: "choice", oneOf: ACCESS_ROLES, about: "" },
    countMax: ACCESS_ROLES.length,
    about: "Only for principals with one of these access roles.",
  },
  addresses: {
    type: "list",
    of: { type: "addressOrBlock", about: "" },
    countMax: CONDITION_VALUES_MAX,
    about: "Only for callers from these addresses, or blocks of them.",
  },
} as const satisfies Record<string, ListParameter>;

const SERVICES = {
  namespaces: texts(KEY_PART_CHARS_MAX, "Only for services of these namespaces."),
  groups: texts(KEY_PART_CHARS_MAX, "Only for services of these groups."),
  namePrefixes: texts(KEY_PART_CHARS_MAX, "Only for services whose names begin with one of these."),
} as const satisfies ParameterTable;

const POLICY_ROW = object({
  name: text("Its name."),
  effect: oneOf(POLICY_EFFECTS, "A policy that denies beats everything that allows."),
  actions: list(oneOf(ACTIONS, "An action."), "The actions that it is about; none for a policy that is switched off."),
  subjects: object(
    Object.fromEntries(Object.entries(SUBJECTS).map(([name, { about }]) => [name, list(text("A value."), about)])),
    Object.keys(SUBJECTS),
  ),
  services: object(
    Object.fromEntries(Object.entries(SERVICES).map(([name, { about }]) => [name, list(text("A value."), about)])),
    Object.keys(SERVICES),
  ),
  reason: text("Why."),
  setBy: text("The principal that has set it; empty for one that is there from the start."),
  setAt: orNull(time("When it was set; null for one that is there from the start.")),
});

function policyRow({ name, effect, actions, subjects, services, reason, setBy, setMs }: Policy): Json {
  const setAt = setBy === "" ? null : isoTime(setMs);
  return { name, effect, actions, subjects: { ...subjects }, services: { ...services }, reason, setBy, setAt } as Json;
}

function stateOfPolicy(node: OperatedNode, { name }: { readonly name: string }): Json | undefined {
  const policy = node.access.set().policy(name);
  return policy && policyRow(policy);
}

export const listPolicies = operation({
  name: "policies.list",
  method: "GET",
  path: "/policies",
  about: "Lists the policies in force: who may do what without an access role, and who may not in spite of one.",
  parameters: PAGE_PARAMETERS,
  command: {
    words: ["get policies", "policy list"],
    columns: ["name", "effect", "actions", "subjects", "services", "setBy", "reason"],
  },
  isChange: false,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "meta" },
  answer: object({ items: list(POLICY_ROW, "A page of policies, by name."), ...PAGE_FIELDS }),
  run(node, { limit, after }) {
    const keyOf = ({ name }: Policy) => name;
    const { entries, total, next } = pageOf(node.access.set().policies(), { limit, after, keyOf });
    return { items: entries.map(policyRow), total, next };
  },
});

export const putPolicy = operation({
  name: "policies.put",
  method: "PUT",
  path: "/policy",
  about: "Sets a policy, in the place of the one with its name: all given conditions must hold.",
  parameters: {
    name: NAME,
    effect: {
      type: "choice",
      oneOf: POLICY_EFFECTS,
      isRequired: true,
      about: "Whether to allow the actions or to deny them.",
    },
    actions: {
      type: "list",
      of: { type: "choice", oneOf: ACTIONS, about: "" },
      countMax: ACTIONS.length,
      isRequired: true,
      about:
        "The actions: publish, subscribe and list with a service, fetch and store with a value; the others are permissions of operations.",
    },
    ...SUBJECTS,
    ...SERVICES,
    reason: { type: "text", charsMax: 500, default: "", about: "Why, for other operators." },
  },
  command: { words: ["policy put"], positional: ["name"] },
  isChange: true,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfPolicy,
  async run(node, { names, kinds, roles, addresses, namespaces, groups, namePrefixes, ...rest }) {
    const subjects = given({ names, kinds, roles, addresses });
    const services = given({ namespaces, groups, namePrefixes });
    // The edit checks each of its words.
    const policy = { ...rest, subjects, services } as unknown as PolicyDraft;
    await node.access.change({ kind: "putPolicy", policy }, node.caller.name);
    return { isDone: true, message: `the policy ${policy.name} is set` };
  },
});

function given<Of extends object>(conditions: Of): Of {
  return Object.fromEntries(Object.entries(conditions).filter(([, values]) => values !== undefined)) as Of;
}

export const removePolicy = operation({
  name: "policies.remove",
  method: "DELETE",
  path: "/policy",
  about: "Removes a policy; one that is there from the start is switched off instead.",
  parameters: { name: NAME },
  command: { words: ["policy remove"] },
  isChange: true,
  permission: "admin",
  canBePreviewed: false,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfPolicy,
  async run(node, { name }) {
    await node.access.change({ kind: "removePolicy", name }, node.caller.name);
    return { isDone: true, message: `the policy ${name} is no longer in force` };
  },
});
