// Changes of identities and policies as operators ask for them, checked against what there is.

import { fail, RegistryError } from "../base/errors.ts";
import { type AccessChange, type AccessSet, NO_CHANGE } from "./accessSet.ts";
import { IDENTITIES_MAX, type Identity, type IdentityChange, type IdentityDraft, identityFault } from "./identity.ts";
import { checkedPolicy, DEFAULT_POLICIES, POLICIES_MAX, type PolicyDraft } from "./policy.ts";

export type AccessEdit =
  /** `isNew`: it is refused if there is an identity of this name already. */
  | { readonly kind: "putIdentity"; readonly identity: IdentityDraft; readonly isNew: boolean }
  | { readonly kind: "changeIdentity"; readonly name: string; readonly change: IdentityChange }
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
    case "changeIdentity":
      return changeIdentity(edit, set, context);
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
  const { loginOf: user, ...draft } = identity;
  const login = user === undefined ? {} : loginOf(user, set);
  if (login instanceof RegistryError) return login;
  // One of this name is replaced, not removed: a commit has one operation for each record.
  const identitiesGone = user === undefined ? [] : endedLogins(set, nowMs).filter((name) => name !== identity.name);
  const left = [...set.identities()].length - identitiesGone.length;
  if (known === undefined && left >= IDENTITIES_MAX) return fail("ACCESS_EXHAUSTED", { identities: IDENTITIES_MAX });
  const stored = { ...draft, ...login, setBy, setMs: changeMs(identity.name, set, nowMs) };
  return keepsAdmin({ ...NO_CHANGE, identities: [stored], identitiesGone }, set, context);
}

function loginOf(user: string, set: AccessSet): Pick<Identity, "loginOf"> | RegistryError {
  const known = set.identity(user);
  if (known?.kind !== "user") return fail("IDENTITY_UNKNOWN", { identity: user, kind: "user" });
  return { loginOf: { name: user, setMs: known.setMs } };
}

// A commit has a bound; the next login removes the rest.
const ENDED_AT_ONCE_MAX = 50;

/** Logins are made every day and never removed by hand. */
function endedLogins(set: AccessSet, nowMs: number): string[] {
  return [...set.identities()]
    .filter((identity) => identity.loginOf !== undefined && set.worthOf(identity, nowMs) === undefined)
    .slice(0, ENDED_AT_ONCE_MAX)
    .map(({ name }) => name);
}

function changeIdentity(
  { name, change }: AccessEdit & { readonly kind: "changeIdentity" },
  set: AccessSet,
  context: EditContext,
): AccessChange | RegistryError {
  const known = set.identity(name);
  if (known === undefined) return fail("IDENTITY_UNKNOWN", { identity: name });
  const { setBy, nowMs } = context;
  const { loginOf: login, ...rest } = known;
  if (login !== undefined) {
    return fail("FIELD_INVALID", { field: "name", value: name, expected: "no login: change its user instead" });
  }
  const changed = { ...rest, ...change };
  // The end of one that is over stays as it is.
  const { untilMs: _, ...checked } = changed;
  const fault = identityFault(checked, nowMs);
  const stored = { ...changed, setBy, setMs: changeMs(name, set, nowMs) };
  return fault ?? keepsAdmin({ ...NO_CHANGE, identities: [stored] }, set, context);
}

/**
 * The time of a change of this identity. Logins end when the time of their user is another one, so it is later at each
 * change, by whatever clock, and later than that of a user of this name who was removed and has logins left.
 */
function changeMs(name: string, set: AccessSet, nowMs: number): number {
  let beforeMs = set.identity(name)?.setMs ?? -1;
  for (const { loginOf: user } of set.identities()) if (user?.name === name) beforeMs = Math.max(beforeMs, user.setMs);
  return Math.max(Math.floor(nowMs), beforeMs + 1);
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
