// Changes of identities and policies as operators ask for them, checked against what there is.

import { fail, RegistryError } from "../base/errors.ts";
import { type AccessChange, type AccessSet, NO_CHANGE } from "./accessSet.ts";
import { IDENTITIES_MAX, type IdentityDraft, identityFault } from "./identity.ts";
import { checkedPolicy, DEFAULT_POLICIES, POLICIES_MAX, type PolicyDraft } from "./policy.ts";

export type AccessEdit =
  /** `isNew`: it is refused if there is an identity of this name already. */
  | { readonly kind: "putIdentity"; readonly identity: IdentityDraft; readonly isNew: boolean }
  | { readonly kind: "removeIdentity"; readonly name: string }
  | { readonly kind: "putPolicy"; readonly policy: PolicyDraft }
  | { readonly kind: "removePolicy"; readonly name: string };

/** The circumstances of a change. */
export interface EditContext {
  readonly setBy: string;
  readonly nowMs: number;
}

/** The change that an edit makes of this set, or the reason why it can't be made. */
export function changeOf(edit: AccessEdit, set: AccessSet, context: EditContext): AccessChange | RegistryError {
  switch (edit.kind) {
    case "putIdentity":
      return putIdentity(edit, set, context);
    case "removeIdentity": {
      const { name } = edit;
      if (set.identity(name) === undefined) return fail("IDENTITY_UNKNOWN", { identity: name });
      return keepsAdmin({ ...NO_CHANGE, identitiesGone: [name] }, set, context);
    }
    case "putPolicy":
      return putPolicy(edit.policy, set, context);
    default:
      return removePolicy(edit.name, set, context);
  }
}

function putIdentity(
  { identity, isNew }: AccessEdit & { readonly kind: "putIdentity" },
  set: AccessSet,
  context: EditContext,
): AccessChange | RegistryError {
  const { setBy, nowMs } = context;
  const fault = identityFault(identity, nowMs);
  if (fault !== undefined) return fault;
  const known = set.identity(identity.name);
  if (known !== undefined && (isNew || known.kind !== identity.kind)) {
    return fail("IDENTITY_EXISTS", { identity: identity.name, kind: known.kind });
  }
  if (known === undefined && [...set.identities()].length >= IDENTITIES_MAX) {
    return fail("ACCESS_EXHAUSTED", { identities: IDENTITIES_MAX });
  }
  return keepsAdmin({ ...NO_CHANGE, identities: [{ ...identity, setBy, setMs: Math.floor(nowMs) }] }, set, context);
}

/** A slip must not leave a cluster that is administered without anybody who can do so. */
function keepsAdmin(change: AccessChange, set: AccessSet, { nowMs }: EditContext): AccessChange | RegistryError {
  if (!set.isClaimed(nowMs) || set.changed(change, set.epoch).isClaimed(nowMs)) return change;
  return fail("ADMIN_NEEDED", {});
}

function putPolicy(draft: PolicyDraft, set: AccessSet, { setBy, nowMs }: EditContext): AccessChange | RegistryError {
  const policy = checkedPolicy(draft);
  if (policy instanceof RegistryError) return policy;
  const others = [...set.storedPolicies()].filter(({ name }) => name !== policy.name);
  if (others.length >= POLICIES_MAX) return fail("ACCESS_EXHAUSTED", { policies: POLICIES_MAX });
  return { ...NO_CHANGE, policies: [{ ...policy, setBy, setMs: Math.floor(nowMs) }] };
}

/** A policy that is there from the start can't go; a record without actions takes its place. */
function removePolicy(name: string, set: AccessSet, context: EditContext): AccessChange | RegistryError {
  const known = set.policy(name);
  if (known === undefined) return fail("POLICY_UNKNOWN", { policy: name });
  const isDefault = DEFAULT_POLICIES.some((policy) => policy.name === name);
  if (!isDefault) return { ...NO_CHANGE, policiesGone: [name] };
  return putPolicy({ ...known, actions: [], reason: "switched off" }, set, context);
}
