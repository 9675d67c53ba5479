import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { AddressBlocks } from "../model/addressBlock.ts";
import type { ServiceKey } from "../model/ids.ts";
import { makeServiceKey, parseServiceKey } from "../model/serviceKey.ts";
import { AccessSet, NO_ACCESS_RECORDS } from "./accessSet.ts";
import { ACTIONS, type Action, CLIENT_ACTIONS, type Policy } from "./policy.ts";
import { ACCESS_ROLES, type AccessRole, anonymous, certified, type Principal } from "./principal.ts";
import { accessSet, policy, principal, service, wish } from "./testing/arbitraries.ts";

const ORDERS = makeServiceKey({ name: "com.pay.Orders", namespace: "", group: "" });

function user(roles: readonly AccessRole[] = [], from = "10.0.0.7"): Principal {
  return { kind: "user", name: "ann", roles, from };
}

function policyOf(changes: Partial<Policy>): Policy {
  const draft = { name: "p", effect: "allow", actions: ["publish"], subjects: {}, services: {}, reason: "" } as const;
  return { ...draft, setBy: "ann", setMs: 1, ...changes };
}

function allowed(policies: readonly Policy[], principalOf: Principal, action: Action, of?: ServiceKey): boolean {
  return new AccessSet(1n, [], policies).mayDo(principalOf, action, of).isAllowed;
}

const WITHOUT_RECORDS: readonly (readonly [who: string, principal: Principal, may: readonly Action[]])[] = [
  ["an anonymous client", anonymous("10.0.0.7"), CLIENT_ACTIONS],
  ["an anonymous caller at the node's machine", anonymous("127.0.0.1"), [...CLIENT_ACTIONS, "read"]],
  ["the same by IPv6", anonymous("[::1]"), [...CLIENT_ACTIONS, "read"]],
  ["a client with a certificate", certified({ commonName: "shop" }, "127.0.0.1"), CLIENT_ACTIONS],
  ["a user without an access role", user(), []],
  ["a client", user(["client"]), CLIENT_ACTIONS],
  ["a reader", user(["reader"]), ["list", "fetch", "read"]],
  ["an operator", user(["operator"]), ["list", "fetch", "store", "read", "operate", "configure"]],
  ["an admin", user(["admin"]), ACTIONS],
  ["two roles", user(["reader", "client"]), [...CLIENT_ACTIONS, "read"]],
];

for (const [who, principalOf, may] of WITHOUT_RECORDS) {
  test(`without any record, ${who} may do exactly: ${may.join(", ") || "nothing"}`, () => {
    const found = [
      ...CLIENT_ACTIONS.filter((action) => NO_ACCESS_RECORDS.mayDo(principalOf, action, ORDERS).isAllowed),
      ...(["read", "operate", "configure", "admin"] as const).filter(
        (action) => NO_ACCESS_RECORDS.mayDo(principalOf, action).isAllowed,
      ),
    ];
    assert.deepEqual(found, may);
  });
}

test("a policy is for its namespaces, groups and beginnings of names, and for its subjects", () => {
  const services = { namespaces: ["DEFAULT_INSTANCE_ID"], groups: ["DEFAULT_GROUP"], namePrefixes: ["com.pay."] };
  const pay = policyOf({ subjects: { names: ["ann"], addresses: ["10.0.0.0/24"] }, services });
  const may = (parts: Partial<{ name: string; namespace: string; group: string }>, who = user()) =>
    allowed([pay], who, "publish", makeServiceKey({ name: "com.pay.A", namespace: "", group: "", ...parts }));
  assert.ok(may({}));
  assert.ok(!may({ name: "com.shop.A" }));
  assert.ok(!may({ namespace: "N" }));
  assert.ok(!may({ group: "G" }));
  assert.ok(!may({}, user([], "10.0.1.7")));
  assert.ok(!may({}, { ...user(), name: "bob" }));
});

test("what a policy says of a user by name is for the user's logins, to allow and to deny", () => {
  const login: Principal = { ...user(["client"]), kind: "token", name: "ann-login-1", loginOf: "ann" };
  const effect = (changes: Partial<Policy>, who: Principal) =>
    allowed([policyOf({ ...changes, subjects: { names: ["ann"] } })], who, "publish", ORDERS);
  assert.ok(!effect({ effect: "deny" }, login));
  assert.ok(effect({}, { ...login, roles: [] }));
  assert.ok(!effect({}, { ...login, roles: [], loginOf: "bob" }));
  const set = new AccessSet(1n, [], [policyOf({ effect: "deny", subjects: { names: ["ann"] } })]);
  assert.equal(set.reach(login, "publish"), "none");
});

test("the decision names the policy or the access role that made it", () => {
  const set = new AccessSet(
    1n,
    [],
    [policyOf({ name: "no-pay", effect: "deny", services: { namePrefixes: ["com.pay."] } })],
  );
  assert.deepEqual(set.mayDo(user(["client"]), "publish", ORDERS), { isAllowed: false, by: "no-pay" });
  assert.deepEqual(set.mayDo(user(["client"]), "subscribe", ORDERS), { isAllowed: true, by: "client" });
  assert.deepEqual(set.mayDo(anonymous("10.0.0.7"), "subscribe", ORDERS), { isAllowed: true, by: "anonymous-clients" });
  assert.deepEqual(set.mayDo(user(), "subscribe", ORDERS), { isAllowed: false, by: undefined });
});

test("a stored policy takes the place of the one of its name that is there from the start", () => {
  const off = policyOf({ name: "anonymous-clients", actions: [] });
  assert.ok(!allowed([off], anonymous("10.0.0.7"), "publish", ORDERS));
  assert.ok(allowed([off], anonymous("127.0.0.1"), "read"));
});

/** The decision as the words of a policy say it, without any arrangement. */
function plainDecision(
  policies: readonly Policy[],
  who: Principal,
  action: Action,
  of: ServiceKey | undefined,
): boolean {
  const holds = (condition: readonly string[] | undefined, isMet: (value: string) => boolean) =>
    condition === undefined || condition.some(isMet);
  const concerns = ({ actions, subjects, services }: Policy) => {
    const { name = "", namespace = "", group = "" } = of === undefined ? {} : parseServiceKey(of);
    return (
      actions.includes(action) &&
      holds(subjects.names, (value) => value === who.name || value === who.loginOf) &&
      holds(subjects.kinds, (value) => value === who.kind) &&
      holds(subjects.roles, (value) => who.roles.some((role) => role === value)) &&
      holds(subjects.addresses, (value) => value === who.from || new AddressBlocks([value]).has(who.from)) &&
      (of === undefined ||
        (holds(services.namespaces, (value) => value === namespace) &&
          holds(services.groups, (value) => value === group) &&
          holds(services.namePrefixes, (value) => name.startsWith(value))))
    );
  };
  const has = (effect: Policy["effect"]) => policies.some((one) => one.effect === effect && concerns(one));
  if (has("deny")) return false;
  const isGranted = who.roles.some((role) => allowed([], user([role]), action, of));
  return isGranted || has("allow");
}

test("the decision is the one that the words of the policies say", () => {
  fc.assert(
    fc.property(accessSet, principal, wish, (set, who, [action, of]) => {
      assert.equal(set.mayDo(who, action, of).isAllowed, plainDecision(set.policies(), who, action, of));
    }),
    { numRuns: 2_000 },
  );
});

test("one more policy that denies allows nothing, and one more that allows denies nothing", () => {
  fc.assert(
    fc.property(accessSet, policy, principal, wish, (set, more, who, [action, of]) => {
      const added = { ...more, name: "one-more" };
      const before = set.mayDo(who, action, of).isAllowed;
      const after = new AccessSet(2n, [], [...set.storedPolicies(), added]).mayDo(who, action, of).isAllowed;
      assert.ok(added.effect === "deny" ? !after || before : after || !before);
    }),
    { numRuns: 2_000 },
  );
});

test("the order of policies and of access roles makes no difference", () => {
  fc.assert(
    fc.property(accessSet, principal, wish, (set, who, [action, of]) => {
      const turned = new AccessSet(1n, [], [...set.storedPolicies()].reverse());
      const other = { ...who, roles: [...who.roles].reverse() };
      assert.equal(turned.mayDo(other, action, of).isAllowed, set.mayDo(who, action, of).isAllowed);
    }),
  );
});

test("an admin can always say who may do what", () => {
  fc.assert(
    fc.property(accessSet, principal, (set, who) => {
      assert.ok(set.mayDo({ ...who, roles: ["admin"] }, "admin").isAllowed);
    }),
  );
});

test("an access role beside another one takes nothing away", () => {
  fc.assert(
    fc.property(fc.subarray([...ACCESS_ROLES]), fc.constantFrom(...ACCESS_ROLES), wish, (roles, more, [action, of]) => {
      const before = allowed([], user(roles), action, of);
      assert.ok(!before || allowed([], user([...roles, more]), action, of));
    }),
  );
});

test("a change makes the next set, and leaves the one before as it was", () => {
  fc.assert(
    fc.property(accessSet, policy, service, (set, more, of) => {
      const before = set.mayDo(user(["client"]), "publish", of);
      const change = { identities: [], policies: [more], identitiesGone: [], policiesGone: [] };
      const next = set.changed(change, 2n);
      assert.equal(next.policy(more.name), more);
      assert.equal(next.epoch, 2n);
      assert.deepEqual(set.mayDo(user(["client"]), "publish", of), before);
    }),
  );
});

test("a policy for values is for their namespaces, groups and beginnings of names, like one for services", () => {
  const services = { groups: ["consul"], namePrefixes: ["pay/"] };
  const set = new AccessSet(1n, [], [policyOf({ actions: ["store"], subjects: { names: ["ann"] }, services })]);
  const may = (name: string, group = "consul") =>
    set.mayDo(user(), "store", { namespace: "DEFAULT_INSTANCE_ID", group, name }).isAllowed;
  assert.deepEqual([may("pay/limit"), may("shop/limit"), may("pay/limit", "zookeeper")], [true, false, false]);
});

test("a principal who reaches all services may do that with each, and one who reaches none with none", () => {
  fc.assert(
    fc.property(accessSet, principal, fc.constantFrom(...CLIENT_ACTIONS), service, (set, who, action, of) => {
      const reach = set.reach(who, action);
      const { isAllowed } = set.mayDo(who, action, of);
      assert.ok(reach === "some" || isAllowed === (reach === "all"));
    }),
    { numRuns: 2_000 },
  );
});

test("clients are judged from the first policy on that is about what clients do", () => {
  const judges = (...policies: Policy[]) => new AccessSet(1n, [], policies).judgesClients;
  assert.equal(judges(), false);
  assert.equal(judges(policyOf({ actions: ["operate"] })), false);
  assert.equal(judges(policyOf({ actions: ["fetch"] })), true);
  assert.equal(judges(policyOf({ name: "anonymous-clients", actions: [] })), true);
});
