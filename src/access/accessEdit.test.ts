import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { type AccessEdit, changeOf } from "./accessEdit.ts";
import { AccessSet, NO_ACCESS_RECORDS } from "./accessSet.ts";
import { IDENTITIES_MAX, type Identity, type IdentityDraft } from "./identity.ts";
import type { PolicyDraft } from "./policy.ts";
import { tokenSecret } from "./secretForm.ts";

const NOW_MS = 1_700_000_000_000;
const CONTEXT = { setBy: "ann", nowMs: NOW_MS };
const TOKEN = tokenSecret("t".repeat(43));

function draft(changes: Partial<IdentityDraft> = {}): IdentityDraft {
  return { name: "ci", kind: "token", roles: ["operator"], secret: TOKEN, about: "", ...changes };
}

function policyDraft(changes: Partial<PolicyDraft> = {}): PolicyDraft {
  const subjects = { names: ["ci"] };
  return { name: "p", effect: "deny", actions: ["publish"], subjects, services: {}, reason: "", ...changes };
}

function stored(changes: Partial<Identity> = {}): Identity {
  const { loginOf: _, ...root } = draft({ name: "root", roles: ["admin"] });
  return { ...root, setBy: "claim", setMs: 1, ...changes };
}

function refusalOf(edit: AccessEdit, set: AccessSet = NO_ACCESS_RECORDS): string {
  const outcome = changeOf(edit, set, CONTEXT);
  return outcome instanceof RegistryError ? outcome.message : "";
}

const put = (changes: Partial<IdentityDraft>, isNew = false): AccessEdit => ({
  kind: "putIdentity",
  identity: draft(changes),
  isNew,
});
const putPolicy = (changes: Partial<PolicyDraft>): AccessEdit => ({ kind: "putPolicy", policy: policyDraft(changes) });

test("an identity that is put names who has set it, and when", () => {
  const change = changeOf(put({}), NO_ACCESS_RECORDS, CONTEXT);
  assert.ok(!(change instanceof RegistryError));
  assert.deepEqual(change.identities, [{ ...draft(), setBy: "ann", setMs: NOW_MS }]);
});

const REFUSED: readonly (readonly [what: string, edit: AccessEdit, refusal: RegExp])[] = [
  ["a name with a colon", put({ name: "a:b" }), /FIELD_INVALID.*field=name/],
  ["no name", put({ name: "" }), /FIELD_INVALID.*field=name/],
  ["the name of every anonymous client", put({ name: "anonymous" }), /FIELD_INVALID.*field=name/],
  ["the name of the local operator", put({ name: "local" }), /FIELD_INVALID.*field=name/],
  ["a role twice", put({ roles: ["reader", "reader"] }), /FIELD_INVALID.*field=roles/],
  ["a role that there is not", put({ roles: ["root" as "admin"] }), /FIELD_INVALID.*field=roles.*value=root/],
  ["a password in clear", put({ kind: "user", secret: "letmein" }), /FIELD_INVALID: [^(]*\(field=secret, expected/],
  ["a user with the secret of a token", put({ kind: "user" }), /FIELD_INVALID.*field=secret/],
  ["an end that is over", put({ untilMs: NOW_MS }), /FIELD_INVALID.*field=untilMs/],
  ["a text that forges a line", put({ about: "a\nb" }), /FIELD_INVALID.*field=about/],
  ["an unknown identity to remove", { kind: "removeIdentity", name: "x" }, /IDENTITY_UNKNOWN.*identity=x/],
  ["an unknown policy to remove", { kind: "removePolicy", name: "x" }, /POLICY_UNKNOWN.*policy=x/],
  ["an action that there is not", putPolicy({ actions: ["fly" as "publish"] }), /field=actions.*value=fly/],
  ["an effect that there is not", putPolicy({ effect: "maybe" as "allow" }), /field=effect.*value=maybe/],
  ["an address that is none", putPolicy({ subjects: { addresses: ["10.0.0"] } }), /field=address/],
  ["a block with bits behind its prefix", putPolicy({ subjects: { addresses: ["10.0.0.1/8"] } }), /10\.0\.0\.0\/8/],
  ["a subject's name with a blank", putPolicy({ subjects: { names: ["a b"] } }), /field=names/],
  ["an empty prefix", putPolicy({ services: { namePrefixes: [""] } }), /field=namePrefixes/],
  ["services for an operation", putPolicy({ actions: ["read"], services: { groups: ["G"] } }), /field=services/],
  ["to deny admins their right", putPolicy({ actions: ["admin"] }), /field=actions.*value=admin/],
  ["201 values", putPolicy({ subjects: { names: new Array(201).fill("a") } }), /field=names/],
];

for (const [what, edit, refusal] of REFUSED) {
  test(`${what} is refused`, () => assert.match(refusalOf(edit), refusal));
}

test("a new identity takes no name that is in use, and a put no identity of another kind", () => {
  const set = new AccessSet(1n, [stored({ name: "ci" }), stored()], []);
  assert.match(refusalOf(put({}, true), set), /IDENTITY_EXISTS.*identity=ci, kind=token/);
  assert.equal(refusalOf(put({}), set), "");
  const secret = `scrypt:15:8:1:${"s".repeat(43)}:${"h".repeat(43)}`;
  assert.match(refusalOf(put({ kind: "user", secret }), set), /IDENTITY_EXISTS/);
});

test("the last admin of a claimed cluster stays", () => {
  const lone = new AccessSet(1n, [stored()], []);
  assert.match(refusalOf({ kind: "removeIdentity", name: "root" }, lone), /ADMIN_NEEDED/);
  assert.match(refusalOf(put({ name: "root", roles: ["reader"] }), lone), /ADMIN_NEEDED/);
  const two = new AccessSet(1n, [stored(), stored({ name: "second" })], []);
  assert.equal(refusalOf({ kind: "removeIdentity", name: "root" }, two), "");
  const over = new AccessSet(1n, [stored(), stored({ name: "second", untilMs: NOW_MS })], []);
  assert.match(refusalOf({ kind: "removeIdentity", name: "root" }, over), /ADMIN_NEEDED/);
});

test("there are not more identities than every node can keep", () => {
  const many = Array.from({ length: IDENTITIES_MAX }, (_, at) => stored({ name: `t${at}` }));
  const full = new AccessSet(1n, many, []);
  assert.match(refusalOf(put({ name: "one-more" }), full), /ACCESS_EXHAUSTED/);
  assert.equal(refusalOf(put({ name: "t1" }), full), "");
});

test("addresses of a policy are kept in one form", () => {
  const change = changeOf(
    putPolicy({ subjects: { addresses: ["::ffff:10.0.0.7", "::1"] } }),
    NO_ACCESS_RECORDS,
    CONTEXT,
  );
  assert.ok(!(change instanceof RegistryError));
  assert.deepEqual(change.policies[0]?.subjects.addresses, ["10.0.0.7", "[::1]"]);
});

test("a policy that is there from the start is switched off by its removal, another one is gone", () => {
  const own = { ...policyDraft(), setBy: "ann", setMs: 1 };
  const set = new AccessSet(1n, [], [own]);
  const off = changeOf({ kind: "removePolicy", name: "anonymous-clients" }, set, CONTEXT);
  assert.ok(!(off instanceof RegistryError));
  assert.deepEqual(
    off.policies.map(({ name, actions }) => [name, actions]),
    [["anonymous-clients", []]],
  );
  const gone = changeOf({ kind: "removePolicy", name: "p" }, set, CONTEXT);
  assert.ok(!(gone instanceof RegistryError));
  assert.deepEqual(gone.policiesGone, ["p"]);
});

const LOGIN = { ...stored({ name: "ann-login", roles: ["admin", "reader"] }), loginOf: { name: "root", setMs: 1 } };

test("a login is worth what its user is now, and nothing once the user is changed, ended or gone", () => {
  const worth = (users: readonly Identity[], nowMs = NOW_MS) =>
    new AccessSet(1n, [LOGIN, ...users], []).worthOf(LOGIN, nowMs)?.roles;
  assert.deepEqual(worth([stored()]), ["admin"]);
  assert.deepEqual(worth([stored({ roles: ["reader", "client"] })]), ["reader"]);
  assert.equal(worth([]), undefined);
  assert.equal(worth([stored({ setMs: 2 })]), undefined);
  assert.equal(worth([stored({ untilMs: NOW_MS })]), undefined);
});

test("a change of an identity leaves the rest as it is, and is later than the one before", () => {
  const set = new AccessSet(1n, [stored({ setMs: NOW_MS, about: "x" }), stored({ name: "second" })], []);
  const change = changeOf({ kind: "changeIdentity", name: "root", change: { roles: ["reader"] } }, set, CONTEXT);
  assert.ok(!(change instanceof RegistryError));
  const [root] = change.identities;
  assert.deepEqual([root?.roles, root?.about, root?.secret, root?.setBy], [["reader"], "x", TOKEN, "ann"]);
  assert.equal(root?.setMs, NOW_MS + 1, "logins from before it end");
});

test("a user that is put anew in the same millisecond, or after a removal, has none of the old logins", () => {
  const secret = `scrypt:15:8:1:${"s".repeat(43)}:${"h".repeat(43)}`;
  const known = stored({ name: "ann", kind: "user", roles: ["admin"], secret, setMs: NOW_MS });
  const login = { ...LOGIN, loginOf: { name: "ann", setMs: NOW_MS } };
  const anew = put({ name: "ann", kind: "user", roles: ["admin"], secret: secret.replaceAll("h", "i") });
  for (const before of [[known], [{ ...known, setMs: NOW_MS + 60_000 }], []]) {
    const loginNow = { ...login, loginOf: { name: "ann", setMs: before[0]?.setMs ?? NOW_MS } };
    const set = new AccessSet(1n, [...before, loginNow, stored()], []);
    const change = changeOf(anew, set, CONTEXT);
    assert.ok(!(change instanceof RegistryError));
    assert.equal(set.changed(change, 2n).worthOf(loginNow, NOW_MS), undefined);
    assert.ok((change.identities[0]?.setMs ?? 0) > loginNow.loginOf.setMs, "the time never goes back");
  }
});

test("the last admin can't be changed into less, and a login not at all", () => {
  const set = new AccessSet(1n, [stored(), LOGIN], []);
  const less: AccessEdit = { kind: "changeIdentity", name: "root", change: { roles: [] } };
  assert.match(refusalOf(less, new AccessSet(1n, [stored()], [])), /ADMIN_NEEDED/);
  assert.match(refusalOf({ ...less, name: "ann-login" }, set), /FIELD_INVALID.*field=name/);
  assert.match(refusalOf({ ...less, name: "x" }, set), /IDENTITY_UNKNOWN/);
});

test("a login is for a user that there is, and takes away logins that are worth nothing", () => {
  const secret = `scrypt:15:8:1:${"s".repeat(43)}:${"h".repeat(43)}`;
  const user = stored({ name: "ann", kind: "user", secret, setMs: 7 });
  const login = put({ name: "ann-login-2", loginOf: "ann" }, true);
  assert.match(refusalOf(login), /IDENTITY_UNKNOWN.*identity=ann/);
  assert.match(refusalOf(login, new AccessSet(1n, [stored({ name: "ann" })], [])), /IDENTITY_UNKNOWN/);
  const dead = { ...LOGIN, name: "ann-login-1", loginOf: { name: "ann", setMs: 6 } };
  const change = changeOf(login, new AccessSet(1n, [user, dead, stored()], []), CONTEXT);
  assert.ok(!(change instanceof RegistryError));
  assert.deepEqual(
    change.identities.map(({ loginOf }) => loginOf),
    [{ name: "ann", setMs: 7 }],
  );
  assert.deepEqual(change.identitiesGone, ["ann-login-1"]);
  const anew = changeOf(put({ name: "ann-login-1", loginOf: "ann" }), new AccessSet(1n, [user, dead], []), CONTEXT);
  assert.ok(!(anew instanceof RegistryError));
  assert.deepEqual(anew.identitiesGone, [], "one that is put anew is not removed in the same commit");
});
