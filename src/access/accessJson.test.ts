import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readIdentity, readPolicy, readPrincipal } from "./accessJson.ts";
import type { Policy } from "./policy.ts";
import { tokenSecret } from "./secretForm.ts";
import { policy, principal } from "./testing/arbitraries.ts";

const TOKEN = tokenSecret("t".repeat(43));
const IDENTITY = { name: "ci", kind: "token", roles: ["reader"], secret: TOKEN, about: "", setBy: "ann", setMs: 1 };
const POLICY = {
  name: "p",
  effect: "allow",
  actions: ["publish"],
  subjects: { names: ["ci"] },
  services: {},
  reason: "",
  setBy: "ann",
  setMs: 1,
};

test("policies and principals come back as they went", () => {
  fc.assert(
    fc.property(policy, principal, (drawn, who) => {
      const one: Policy = JSON.parse(JSON.stringify(drawn));
      const read = readPolicy(JSON.parse(JSON.stringify(one)));
      assert.deepEqual(
        { ...read, actions: [...(read?.actions ?? [])].sort() },
        { ...one, actions: [...one.actions].sort() },
      );
      const back = readPrincipal(JSON.parse(JSON.stringify(who)));
      assert.deepEqual({ ...back, roles: [...(back?.roles ?? [])].sort() }, { ...who, roles: [...who.roles].sort() });
    }),
  );
});

test("an identity comes back as it went, with its end or without", () => {
  assert.deepEqual(readIdentity(IDENTITY), IDENTITY);
  assert.deepEqual(readIdentity({ ...IDENTITY, untilMs: 9, later: 1 }), { ...IDENTITY, untilMs: 9 });
});

for (const [what, changes] of [
  ["no name", { name: undefined }],
  ["a kind that is not known", { kind: "robot" }],
  ["roles that are no list", { roles: "admin" }],
  ["a time that is none", { setMs: "now" }],
  ["an end that is none", { untilMs: -1 }],
] as const) {
  test(`an identity with ${what} is none`, () => assert.equal(readIdentity({ ...IDENTITY, ...changes }), undefined));
}

test("an access role of a later release allows nothing here", () => {
  assert.deepEqual(readIdentity({ ...IDENTITY, roles: ["reader", "auditor"] })?.roles, ["reader"]);
});

test("a policy with a condition of a later release allows nothing here, and denies what it can", () => {
  const later = { ...POLICY, subjects: { names: ["ci"], hours: ["night"] } };
  assert.deepEqual(readPolicy(later)?.actions, []);
  assert.deepEqual(readPolicy({ ...later, effect: "deny" })?.actions, ["publish"]);
  assert.deepEqual(readPolicy({ ...POLICY, services: { tags: ["x"] } })?.actions, []);
});

for (const json of [null, [], "x", { ...POLICY, effect: "x" }, { ...POLICY, subjects: { names: "ci" } }]) {
  test(`${JSON.stringify(json)?.slice(0, 60)} is no policy`, () => assert.equal(readPolicy(json), undefined));
}
