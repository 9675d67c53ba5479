// All identities and policies at one epoch, and the decision: may this principal do that? A set never changes; a change
// makes the next one.

import type { ServiceKey } from "../model/ids.ts";
import { parseServiceKey } from "../model/serviceKey.ts";
import { NO_VERSION } from "../model/version.ts";
import { type Identity, isOver } from "./identity.ts";
import {
  ACTIONS,
  type Action,
  ANONYMOUS_CLIENTS,
  CLIENT_ACTIONS,
  type ClientAction,
  DEFAULT_POLICIES,
  isClientAction,
  type Policy,
  type ValueKey,
} from "./policy.ts";
import { PolicyMatcher } from "./policyMatcher.ts";
import type { AccessRole, Principal } from "./principal.ts";

/** Identities and policies put and removed, from one epoch to the next. */
export interface AccessChange {
  readonly identities: readonly Identity[];
  readonly policies: readonly Policy[];
  /** Names. */
  readonly identitiesGone: readonly string[];
  readonly policiesGone: readonly string[];
}

export const NO_CHANGE: AccessChange = { identities: [], policies: [], identitiesGone: [], policiesGone: [] };

/** The decision, and the access role or the policy that has made it; undefined: nothing allows it. */
export interface Decision {
  readonly isAllowed: boolean;
  readonly by: string | undefined;
}

/** The part of all services, or values, for which a principal may do something. */
export type Reach = "all" | "some" | "none";

/** The actions that the access roles allow, for all services and values. */
const GRANTS: Readonly<Record<AccessRole, readonly Action[]>> = {
  admin: ACTIONS,
  operator: ["read", "operate", "configure", "list", "fetch", "store"],
  reader: ["read", "list", "fetch"],
  client: CLIENT_ACTIONS,
};

export class AccessSet {
  readonly epoch: bigint;
  readonly #identities: ReadonlyMap<string, Identity>;
  readonly #policies: ReadonlyMap<string, Policy>;
  readonly #byToken = new Map<string, Identity>();
  readonly #rules = new Map<Action, { readonly deny: PolicyMatcher[]; readonly allow: PolicyMatcher[] }>();
  /**
   * Whether operators have set anything about clients. Until then no proof gains a client anything, and what clients
   * send as one may be meant for another registry.
   */
  readonly judgesClients: boolean;

  constructor(epoch: bigint, identities: Iterable<Identity>, policies: Iterable<Policy>) {
    this.epoch = epoch;
    this.#identities = new Map([...identities].map((identity) => [identity.name, identity]));
    this.#policies = new Map([...policies].map((policy) => [policy.name, policy]));
    this.judgesClients = [...this.#policies.values()].some(
      ({ name, actions }) => name === ANONYMOUS_CLIENTS || actions.some(isClientAction),
    );
    for (const identity of this.#identities.values()) {
      if (identity.kind === "token") this.#byToken.set(identity.secret, identity);
    }
    for (const policy of this.policies()) {
      const matcher = new PolicyMatcher(policy);
      for (const action of new Set(policy.actions)) {
        const rules = this.#rules.get(action) ?? { deny: [], allow: [] };
        this.#rules.set(action, rules);
        rules[policy.effect].push(matcher);
      }
    }
  }

  identity(name: string): Identity | undefined {
    return this.#identities.get(name);
  }

  /** The identity with what it is worth now: undefined if it has ended, or is the login of a user that has changed. */
  worthOf(identity: Identity, nowMs: number): Identity | undefined {
    if (isOver(identity, nowMs)) return undefined;
    const { loginOf, roles } = identity;
    if (loginOf === undefined) return identity;
    const user = this.#identities.get(loginOf.name);
    if (user === undefined || user.setMs !== loginOf.setMs || isOver(user, nowMs)) return undefined;
    return { ...identity, roles: roles.filter((role) => user.roles.includes(role)) };
  }

  identities(): Iterable<Identity> {
    return this.#identities.values();
  }

  /** The identity of a token, by its hashed secret. */
  identityOfToken(secret: string): Identity | undefined {
    return this.#byToken.get(secret);
  }

  /** Policies that operators have set. */
  storedPolicies(): Iterable<Policy> {
    return this.#policies.values();
  }

  /** The policies in force: those of operators, and those that are there from the start unless one has its name. */
  policies(): readonly Policy[] {
    const others = DEFAULT_POLICIES.filter(({ name }) => !this.#policies.has(name));
    return [...others, ...this.#policies.values()];
  }

  policy(name: string): Policy | undefined {
    return this.policies().find((policy) => policy.name === name);
  }

  /** Whether an identity has the access role admin. As long as none has, the claim code counts. */
  isClaimed(nowMs: number): boolean {
    for (const { kind, roles, loginOf, ...identity } of this.#identities.values()) {
      // A login ends with its user, and a client key signs no operation.
      const isLasting = loginOf === undefined && kind !== "clientKey";
      if (isLasting && roles.includes("admin") && !isOver(identity, nowMs)) return true;
    }
    return false;
  }

  /**
   * Whether the principal may do that; `about` is the subject of what clients do, and operations have none. A policy
   * that denies beats everything that allows.
   */
  mayDo(principal: Principal, action: Action, about?: ServiceKey | ValueKey): Decision {
    const rules = this.#rules.get(action);
    const parts = typeof about === "string" ? parseServiceKey(about) : about;
    const isMeant = (matcher: PolicyMatcher) => matcher.matches(principal, parts);
    const denied = rules?.deny.find(isMeant);
    if (denied !== undefined) return { isAllowed: false, by: denied.name };
    const role = principal.roles.find((each) => GRANTS[each].includes(action));
    const by = role ?? rules?.allow.find(isMeant)?.name;
    return { isAllowed: by !== undefined, by };
  }

  /** The part of all services and values for which the principal may do that. */
  reach(principal: Principal, action: ClientAction): Reach {
    const { deny = [], allow = [] } = this.#rules.get(action) ?? {};
    const denied = deny.map((matcher) => matcher.reach(principal));
    if (denied.includes("all")) return "none";
    const allowed = allow.map((matcher) => matcher.reach(principal));
    const isAll = principal.roles.some((role) => GRANTS[role].includes(action)) || allowed.includes("all");
    if (isAll) return denied.includes("some") ? "some" : "all";
    return allowed.includes("some") ? "some" : "none";
  }

  /** The set after a change. */
  changed({ identities, policies, identitiesGone, policiesGone }: AccessChange, epoch: bigint): AccessSet {
    const nextIdentities = new Map(this.#identities);
    const nextPolicies = new Map(this.#policies);
    for (const name of identitiesGone) nextIdentities.delete(name);
    for (const name of policiesGone) nextPolicies.delete(name);
    for (const identity of identities) nextIdentities.set(identity.name, identity);
    for (const policy of policies) nextPolicies.set(policy.name, policy);
    return new AccessSet(epoch, nextIdentities.values(), nextPolicies.values());
  }

  /** Everything, as a change of the empty set. */
  asChange(): AccessChange {
    return { ...NO_CHANGE, identities: [...this.#identities.values()], policies: [...this.#policies.values()] };
  }
}

/** Before anything is known, and as long as operators have set nothing. */
export const NO_ACCESS_RECORDS = new AccessSet(NO_VERSION, [], []);

/** The principal that has proved to be this identity. */
export function principalOf({ kind, name, roles, loginOf }: Identity, from: string): Principal {
  return { kind, name, roles, from, ...(loginOf !== undefined && { loginOf: loginOf.name }) };
}
