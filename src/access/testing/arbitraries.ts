// Random identities, policies and principals from a small world, so that they meet each other.

import fc from "fast-check";
import type { ServiceKey } from "../../model/ids.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { AccessSet } from "../accessSet.ts";
import { type Action, CLIENT_ACTIONS, PERMISSIONS, POLICY_EFFECTS, type Policy } from "../policy.ts";
import { ACCESS_ROLES, PRINCIPAL_KINDS, type Principal } from "../principal.ts";

const NAMES = ["ann", "bob", "ci"] as const;
const HOSTS = ["127.0.0.1", "10.0.0.7", "[::1]", "[2001:db8::7]"] as const;
const BLOCKS = ["127.0.0.0/8", "10.0.0.0/24", "10.0.0.7", "[::1]", "[2001:db8::]/32"] as const;
const SPACES = ["", "N"] as const;
const SERVICES = ["com.pay.A", "com.pay.B", "com.shop.C"] as const;
const PREFIXES = ["com.", "com.pay.", "com.pay.A"] as const;

const some = <Value>(values: readonly Value[]) => fc.uniqueArray(fc.constantFrom(...values), { maxLength: 3 });

export const principal: fc.Arbitrary<Principal> = fc.record(
  {
    kind: fc.constantFrom(...PRINCIPAL_KINDS),
    name: fc.constantFrom(...NAMES),
    roles: some(ACCESS_ROLES),
    from: fc.constantFrom(...HOSTS),
    loginOf: fc.constantFrom(...NAMES),
  },
  { requiredKeys: ["kind", "name", "roles", "from"] },
);

export const service: fc.Arbitrary<ServiceKey> = fc
  .record({
    name: fc.constantFrom(...SERVICES),
    namespace: fc.constantFrom(...SPACES),
    group: fc.constantFrom("", "G"),
  })
  .map((parts) => makeServiceKey(parts));

const subjects = fc.record(
  { names: some(NAMES), kinds: some(PRINCIPAL_KINDS), roles: some(ACCESS_ROLES), addresses: some(BLOCKS) },
  { requiredKeys: [] },
);

const services = fc.record(
  {
    namespaces: some(["DEFAULT_INSTANCE_ID", "N"]),
    groups: some(["DEFAULT_GROUP", "G"]),
    namePrefixes: some(PREFIXES),
  },
  { requiredKeys: [] },
);

const common = {
  name: fc.constantFrom("p1", "p2", "p3", "anonymous-clients"),
  subjects,
  reason: fc.constant(""),
  setBy: fc.constant("ann"),
  setMs: fc.nat(),
};

/** Policies that an edit would take. */
export const policy: fc.Arbitrary<Policy> = fc.oneof(
  fc.record({
    ...common,
    effect: fc.constantFrom(...POLICY_EFFECTS),
    actions: some<Action>(CLIENT_ACTIONS),
    services,
  }),
  fc.record({
    ...common,
    effect: fc.constantFrom(...POLICY_EFFECTS),
    actions: some<Action>(PERMISSIONS.filter((permission) => permission !== "admin")),
    services: fc.constant({}),
  }),
);

export const accessSet: fc.Arbitrary<AccessSet> = fc
  .array(policy, { maxLength: 4 })
  .map((policies) => new AccessSet(1n, [], policies));

/** An action with the service that it is about. */
export const wish: fc.Arbitrary<readonly [Action, ServiceKey | undefined]> = fc.oneof(
  fc.tuple(fc.constantFrom(...CLIENT_ACTIONS), service),
  fc.tuple(fc.constantFrom(...PERMISSIONS), fc.constant(undefined)),
);
