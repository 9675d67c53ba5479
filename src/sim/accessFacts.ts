// Facts about identities and policies: what operators change, what the store has, and what nodes let principals do.

import type { AccessEdit } from "../access/accessEdit.ts";
import type { AccessSet } from "../access/accessSet.ts";
import type { Action } from "../access/policy.ts";
import type { NodeId } from "../model/ids.ts";

/** Credentials that an operator has made, at any time. */
export interface MadeCredentials {
  readonly kind: "token" | "clientKey";
  /** The name of the identity. */
  readonly name: string;
  /** As its owner has it, and as it is kept. */
  readonly shown: string;
  readonly secret: string;
}

export type AccessFact =
  /** An operator has asked a meta node for a change. Changes are numbered. */
  | { readonly kind: "accessAsked"; readonly node: NodeId; readonly change: number; readonly edit: AccessEdit }
  /** The store has made a change, and has this now. */
  | { readonly kind: "accessSaved"; readonly node: NodeId; readonly stored: AccessSet }
  /** The operator has the answer; `error`: the code of the reason why it was not made, or may not have been. */
  | { readonly kind: "accessChanged"; readonly change: number; readonly error: string | undefined }
  /** A node has judged a principal with these credentials, or none. */
  | {
      readonly kind: "accessJudged";
      readonly node: NodeId;
      readonly credentials: MadeCredentials | undefined;
      readonly action: Action;
      /** The name of the service; operations have none. */
      readonly about: string | undefined;
      readonly isAllowed: boolean;
      /** All is well, and nothing has been changed for long. */
      readonly isLast: boolean;
    };

/** A fact as one line for people. */
export function describeAccess(fact: AccessFact): string {
  switch (fact.kind) {
    case "accessAsked":
      return `${fact.change} ${fact.node} ${editText(fact.edit)}`;
    case "accessSaved":
      return `${fact.node} ${fact.stored.epoch} ${setText(fact.stored)}`;
    case "accessChanged":
      return `${fact.change} ${fact.error ?? "made"}`;
    case "accessJudged": {
      const { node, credentials, action, about, isAllowed, isLast } = fact;
      const who = credentials === undefined ? "anonymous" : `${credentials.name} with ${credentials.secret}`;
      return `${node} ${isAllowed ? "lets" : "refuses"} ${who}: ${action} ${about ?? ""}${isLast ? " last" : ""}`;
    }
  }
}

function editText(edit: AccessEdit): string {
  switch (edit.kind) {
    case "putIdentity":
      return `+${edit.identity.name} ${edit.identity.roles.join()} ${edit.identity.secret}`;
    case "changeIdentity":
      return `${edit.name} ${JSON.stringify(edit.change)}`;
    case "putPolicy":
      return `+${edit.policy.name} ${policyText(edit.policy)}`;
    default:
      return `-${edit.name}`;
  }
}

function policyText({ effect, actions, subjects, services }: (AccessEdit & { kind: "putPolicy" })["policy"]): string {
  return `${effect} ${actions.join()} ${JSON.stringify(subjects)} ${JSON.stringify(services)}`;
}

function setText(set: AccessSet): string {
  const identities = [...set.identities()].map(({ name, roles, secret }) => `${name} ${roles.join()} ${secret}`);
  const policies = [...set.storedPolicies()].map((policy) => `${policy.name} ${policyText(policy)}`);
  return [...identities, ...policies].join("; ");
}
