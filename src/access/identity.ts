// Identities: the names under which principals prove who they are, with the hashes of their secrets. Operators keep
// them as records; no secret is kept.

import { fail, type RegistryError } from "../base/errors.ts";
import { checkedAbout, checkedName } from "./names.ts";
import { ACCESS_ROLES, type AccessRole, ANONYMOUS, IDENTITY_KINDS, type IdentityKind } from "./principal.ts";
import { secretKindOf } from "./secretForm.ts";

/** An identity as it is asked for, with its secret hashed already. */
export interface IdentityDraft {
  /** Unique among all kinds. */
  readonly name: string;
  readonly kind: IdentityKind;
  readonly roles: readonly AccessRole[];
  /** In the form of ./secretForm.ts. */
  readonly secret: string;
  readonly about: string;
  /** The time at which it ends; undefined for one that stays until it is removed. */
  readonly untilMs?: number;
  /** The user whose login it is: it is worth no more than that user, and ends when that user is changed. */
  readonly loginOf?: string;
}

export interface Identity extends Omit<IdentityDraft, "loginOf"> {
  /** The principal that has set it. */
  readonly setBy: string;
  readonly setMs: number;
  /** The user as the login was made for. */
  readonly loginOf?: { readonly name: string; readonly setMs: number };
}

/** The most identities: each node keeps all of them, some 300 bytes each. */
export const IDENTITIES_MAX = 10_000;

/** The principal of operators at the machine of a node: each node knows it without a record. */
export const LOCAL_OPERATOR = "local";

/** The principal that has the token of admin-token-file. */
export const CONFIGURED_OPERATOR = "configured";

/** The setter of an identity that a claim code has made. */
export const CLAIMANT = "claim";

const RESERVED: readonly string[] = [ANONYMOUS, LOCAL_OPERATOR, CONFIGURED_OPERATOR, CLAIMANT];

/** FIELD_INVALID for what no identity may have. */
export function identityFault(
  { name, kind, roles, secret, about, untilMs }: IdentityDraft,
  nowMs: number,
): RegistryError | undefined {
  const wrong = roles.find((role) => !ACCESS_ROLES.includes(role));
  if (wrong !== undefined || new Set(roles).size !== roles.length) {
    const expected = `each at most once of ${ACCESS_ROLES.join(", ")}`;
    return fail("FIELD_INVALID", { field: "roles", value: wrong ?? roles.join(","), expected });
  }
  if (RESERVED.includes(name)) {
    return fail("FIELD_INVALID", { field: "name", value: name, expected: "a name that is not the registry's own" });
  }
  if (!IDENTITY_KINDS.includes(kind)) {
    return fail("FIELD_INVALID", { field: "kind", value: kind, expected: `one of ${IDENTITY_KINDS.join(", ")}` });
  }
  if (secretKindOf(secret) !== kind) {
    return fail("FIELD_INVALID", { field: "secret", expected: `a hash in the form for a ${kind}` });
  }
  if (untilMs !== undefined && !(untilMs > nowMs && Number.isSafeInteger(untilMs))) {
    return fail("FIELD_INVALID", { field: "untilMs", value: untilMs, expected: `a time after ${Math.ceil(nowMs)}` });
  }
  return checkedName("name", name) ?? checkedAbout("about", about);
}

/** A change of an identity; fields that are not given stay as they are. */
export type IdentityChange = Partial<Pick<IdentityDraft, "roles" | "secret" | "about">>;

/** Whether the time of an identity is over. */
export function isOver({ untilMs }: Pick<Identity, "untilMs">, nowMs: number): boolean {
  return untilMs !== undefined && nowMs >= untilMs;
}
