// Principals may do what operators have said. A node judges by identities and policies that the store has had, at any
// time; once all is calm, by those that it has had within the last seconds: then one whose right was taken away can do
// nothing with it at any node, and no one is refused who is allowed. A change that an operator was told of is in the
// store. The matching is written anew, and simply.

import type { AccessEdit } from "../../access/accessEdit.ts";
import { type AccessSet, NO_ACCESS_RECORDS } from "../../access/accessSet.ts";
import type { Identity } from "../../access/identity.ts";
import type { Action, Policy } from "../../access/policy.ts";
import type { MadeCredentials } from "../accessFacts.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";

// Members are counted out, a meta node leads and links are there within this.
const CALM_MS = 30_000;
// A meta node looks twice a second and another node asks it as often; the slowest messages take a third of a second.
const KNOWN_MS = 3_000;

// A store that fails, and changes of what there is not.
const EXPECTED = ["STORE_UNAVAILABLE", "STORE_OUTCOME_UNKNOWN", "IDENTITY_UNKNOWN", "POLICY_UNKNOWN"];

/** Identities and policies that the store has had, and until when. */
interface Stored {
  readonly set: AccessSet;
  untilMs: number;
}

/** A change that an operator waits for; `isSeen`: the store has had it since it was asked for. */
interface Waiting {
  readonly edit: AccessEdit;
  isSeen: boolean;
}

type Judged = Fact & { kind: "accessJudged" };

export class AccessChecker implements Checker {
  readonly #stored: Stored[] = [{ set: NO_ACCESS_RECORDS, untilMs: Number.POSITIVE_INFINITY }];
  readonly #waiting = new Map<number, Waiting>();
  #healedMs = Number.POSITIVE_INFINITY;

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "healed":
        this.#healedMs = nowMs;
        return undefined;
      case "accessAsked":
        this.#waiting.set(fact.change, { edit: fact.edit, isSeen: false });
        return undefined;
      case "accessSaved":
        return this.#saved(fact.stored, nowMs);
      case "failedOver":
        return fact.access && this.#saved(fact.access, nowMs);
      case "accessChanged":
        return this.#answered(fact);
      case "accessJudged":
        return this.#judged(fact, nowMs);
      default:
        return undefined;
    }
  }

  #saved(set: AccessSet, nowMs: number): undefined {
    const last = this.#stored.at(-1);
    if (last !== undefined) last.untilMs = nowMs;
    this.#stored.push({ set, untilMs: Number.POSITIVE_INFINITY });
    for (const waiting of this.#waiting.values()) waiting.isSeen ||= isMade(waiting.edit, set);
  }

  #answered({ change, error }: Fact & { kind: "accessChanged" }): Finding | undefined {
    const waiting = this.#waiting.get(change);
    this.#waiting.delete(change);
    if (error !== undefined && !EXPECTED.includes(error)) return found(`the change ${change} ends with ${error}`);
    if (error !== undefined || waiting?.isSeen !== false) return undefined;
    return found(`the change ${change} is acknowledged, and the store has never had it`);
  }

  #judged(judged: Judged, nowMs: number): Finding | undefined {
    const isCalm = nowMs >= this.#healedMs + CALM_MS;
    const sinceMs = isCalm ? nowMs - KNOWN_MS : 0;
    const possible = this.#stored.filter(({ untilMs }) => untilMs >= sinceMs);
    if (possible.some(({ set }) => may(set, judged) === judged.isAllowed)) return undefined;
    const { node, credentials, action, about = "", isAllowed } = judged;
    const who = credentials === undefined ? "a caller without credentials" : `${credentials.kind} ${credentials.name}`;
    const [epoch = 0n] = possible.map(({ set }) => set.epoch).slice(-1);
    return found(`${node} ${isAllowed ? "lets" : "refuses"} ${who}: ${action} ${about}, against the store's ${epoch}`);
  }
}

/** Whether the set is as the edit wants it. */
function isMade(edit: AccessEdit, set: AccessSet): boolean {
  switch (edit.kind) {
    case "putIdentity":
      return set.identity(edit.identity.name)?.secret === edit.identity.secret;
    case "changeIdentity":
      return set.identity(edit.name)?.roles.join() === (edit.change.roles ?? []).join();
    case "removeIdentity":
      return set.identity(edit.name) === undefined;
    case "putPolicy":
      return policyOf(set, edit.policy.name)?.effect === edit.policy.effect;
    case "removePolicy":
      return (policyOf(set, edit.name)?.actions ?? []).length === 0;
  }
}

function policyOf(set: AccessSet, name: string): Policy | undefined {
  return [...set.storedPolicies()].find((policy) => policy.name === name);
}

/** The principal, as the policies see it. */
interface Seen {
  readonly names: readonly string[];
  readonly roles: readonly string[];
}

const ANONYMOUS: Seen = { names: ["anonymous"], roles: [] };
const SERVICE_ACTIONS: readonly Action[] = ["publish", "subscribe", "list"];
const GRANTED: Readonly<Record<string, readonly Action[]>> = {
  client: SERVICE_ACTIONS,
  reader: ["read", "list"],
  operator: ["read", "operate", "list"],
};

function may(set: AccessSet, { credentials, action, about }: Judged): boolean {
  const policies = [...set.storedPolicies()];
  const principal = seen(set, policies, credentials, about === undefined);
  if (principal === undefined) return false;
  const isMeant = ({ actions, subjects: { names }, services: { namePrefixes } }: Policy) =>
    actions.includes(action) &&
    (names === undefined || principal.names.some((name) => names.includes(name))) &&
    (namePrefixes === undefined || namePrefixes.some((prefix) => about?.startsWith(prefix)));
  const meant = policies.filter((policy) => policy.name !== "anonymous-clients" && isMeant(policy));
  if (meant.some(({ effect }) => effect === "deny")) return false;
  if (meant.length > 0 || principal.roles.some((role) => GRANTED[role]?.includes(action))) return true;
  const isOpen = !policies.some(({ name }) => name === "anonymous-clients");
  return isOpen && principal === ANONYMOUS && SERVICE_ACTIONS.includes(action);
}

/** Undefined for credentials that are refused. */
function seen(
  set: AccessSet,
  policies: readonly Policy[],
  credentials: MadeCredentials | undefined,
  isOperation: boolean,
): Seen | undefined {
  if (credentials === undefined) return ANONYMOUS;
  const identities = [...set.identities()];
  const isLookedAt =
    credentials.kind === "token"
      ? isOperation || policies.some(({ name, actions }) => name === "anonymous-clients" || actions.some(isOfClients))
      : identities.some(({ kind }) => kind === "clientKey");
  if (!isLookedAt) return ANONYMOUS;
  const identity = identities.find(({ name, secret }) => name === credentials.name && secret === credentials.secret);
  return identity && worth(identity, identities);
}

function isOfClients(action: Action): boolean {
  return SERVICE_ACTIONS.includes(action);
}

/** The principal of an identity; a login has only what its user has, and ends when the user is changed. */
function worth({ name, roles, loginOf }: Identity, identities: readonly Identity[]): Seen | undefined {
  if (loginOf === undefined) return { names: [name], roles };
  const user = identities.find((one) => one.name === loginOf.name);
  if (user?.setMs !== loginOf.setMs) return undefined;
  return { names: [name, user.name], roles: roles.filter((role) => user.roles.includes(role)) };
}

function found(text: string): Finding {
  return { rule: "access: as operators have said", service: undefined, text };
}
