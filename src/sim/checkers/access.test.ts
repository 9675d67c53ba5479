import assert from "node:assert/strict";
import { test } from "node:test";
import type { AccessEdit } from "../../access/accessEdit.ts";
import { AccessSet } from "../../access/accessSet.ts";
import type { Identity } from "../../access/identity.ts";
import type { Policy } from "../../access/policy.ts";
import type { MadeCredentials } from "../accessFacts.ts";
import type { Fact } from "../facts.ts";
import { AccessChecker } from "./access.ts";
import { type At, brokenBy, S1 } from "./testing/history.ts";

const BROKEN = "access: as operators have said";
const CREDENTIALS: MadeCredentials = { kind: "token", name: "shop", shown: "roster_x", secret: "sha256:x" };
const SHOP: Identity = {
  ...{ name: "shop", kind: "token", roles: ["client"], secret: CREDENTIALS.secret, about: "" },
  ...{ setBy: "operator", setMs: 1 },
};
const DENIED: Policy = {
  ...{ name: "p1", effect: "deny", actions: ["publish"], subjects: { names: ["shop"] } },
  ...{ services: { namePrefixes: ["guarded"] }, reason: "", setBy: "operator", setMs: 1 },
};
const REMOVAL: AccessEdit = { kind: "removeIdentity", name: "shop" };

const saved = (identities: readonly Identity[], policies: readonly Policy[] = []): Fact => ({
  kind: "accessSaved",
  node: S1,
  stored: new AccessSet(1n, identities, policies),
});

const judged = (isAllowed: boolean, about = "guarded1"): Fact => ({
  ...{ kind: "accessJudged", node: S1, credentials: CREDENTIALS, action: "publish", about, isAllowed, isLast: false },
});

const asked: Fact = { kind: "accessAsked", node: S1, change: 1, edit: REMOVAL };
const answered = (error?: string): Fact => ({ kind: "accessChanged", change: 1, error });

function broken(...history: readonly At[]): string | undefined {
  return brokenBy(() => new AccessChecker(), history);
}

const CALM: readonly At[] = [
  [1_000, saved([SHOP], [{ ...DENIED, effect: "allow" }])],
  [2_000, { kind: "healed" }],
];

test("in calm a node that lets one do what was taken away is found, and one that hears of it soon is not", () => {
  const history: readonly At[] = [...CALM, [40_000, saved([SHOP], [DENIED])]];
  assert.equal(broken(...history, [42_000, judged(true)]), undefined);
  assert.equal(broken(...history, [42_000, judged(false)]), undefined);
  assert.equal(broken(...history, [44_000, judged(false)]), undefined);
  assert.equal(broken(...history, [44_000, judged(true)]), BROKEN);
});

test("one who is allowed and refused is found", () => {
  const history: readonly At[] = [...CALM, [40_000, saved([SHOP], [DENIED])]];
  assert.equal(broken(...history, [44_000, judged(true, "open1")]), undefined);
  assert.equal(broken(...history, [44_000, judged(false, "open1")]), BROKEN);
});

test("before the calm a node may judge by what the store had at any time, and by nothing else", () => {
  const history: readonly At[] = [
    [1_000, saved([SHOP], [DENIED])],
    [2_000, saved([SHOP], [{ ...DENIED, effect: "allow" }])],
  ];
  assert.equal(broken(...history, [20_000, judged(false)]), undefined);
  assert.equal(broken(...history, [20_000, judged(true)]), undefined);
  const login: Identity = { ...SHOP, loginOf: { name: "ann", setMs: 1 } };
  assert.equal(broken([1_000, saved([login], [DENIED])], [20_000, judged(false, "open1")]), undefined);
});

test("a login of a user that has changed, or a secret that was replaced, proves nothing", () => {
  const user: Identity = { ...SHOP, name: "ann", kind: "user", secret: "scrypt:", setMs: 7 };
  const login: Identity = { ...SHOP, loginOf: { name: "ann", setMs: 6 } };
  const policies = [{ ...DENIED, effect: "allow" as const }];
  for (const identities of [[user, login], [{ ...SHOP, secret: "sha256:y" }]]) {
    const history: readonly At[] = [...CALM, [40_000, saved(identities, policies)]];
    assert.equal(broken(...history, [50_000, judged(true)]), BROKEN);
  }
});

test("a change that is acknowledged must have been in the store", () => {
  assert.equal(broken([1, saved([SHOP])], [2, asked], [3, saved([])], [4, answered()]), undefined);
  assert.equal(broken([1, saved([SHOP])], [2, asked], [4, answered()]), BROKEN);
  assert.equal(broken([1, saved([SHOP])], [2, asked], [4, answered("STORE_OUTCOME_UNKNOWN")]), undefined);
  assert.equal(broken([1, saved([SHOP])], [2, asked], [4, answered("RECORD_INVALID")]), BROKEN);
});
