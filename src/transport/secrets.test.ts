// The cryptography of the host, and the proofs that are made of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessSet, NO_ACCESS_RECORDS } from "../access/accessSet.ts";
import type { Identity } from "../access/identity.ts";
import { hashPassword, identityOfToken, identityOfUser, newClientKey, newToken } from "../access/proofs.ts";
import { clientKeyOf, isToken, secretKindOf } from "../access/secretForm.ts";
import { hostSecrets } from "./secrets.ts";

function identity(changes: Partial<Identity>): Identity {
  return { name: "ann", kind: "user", roles: [], secret: "", about: "", setBy: "", setMs: 0, ...changes };
}

test("the hash of a password is RFC 7914's", async () => {
  const salt = Buffer.from("SodiumChloride").toString("base64url");
  const hash = await hostSecrets.scrypt("pleaseletmein", { costLog2: 14, blocks: 8, parallel: 1, salt, bytes: 32 });
  assert.match(
    Buffer.from(hash, "base64url").toString("hex"),
    /^7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2$/,
  );
});

test("a password proves its user, and no other password and no other name does", async () => {
  const secret = await hashPassword("correct horse", hostSecrets);
  assert.equal(secretKindOf(secret), "user");
  assert.ok(!secret.includes("correct"));
  const set = new AccessSet(1n, [identity({ secret })], []);
  const proved = async (name: string, password: string) =>
    (await identityOfUser(set, { name, password }, hostSecrets, 0))?.name;
  assert.equal(await proved("ann", "correct horse"), "ann");
  assert.equal(await proved("ann", "correct horsf"), undefined);
  assert.equal(await proved("ann", ""), undefined);
  assert.equal(await proved("bob", "correct horse"), undefined);
});

test("the same password has another hash each time", async () => {
  assert.notEqual(await hashPassword("x", hostSecrets), await hashPassword("x", hostSecrets));
});

test("a user whose time is over proves nothing", async () => {
  const secret = await hashPassword("x", hostSecrets);
  const set = new AccessSet(1n, [identity({ secret, untilMs: 10 })], []);
  const at = async (nowMs: number) =>
    (await identityOfUser(set, { name: "ann", password: "x" }, hostSecrets, nowMs))?.name;
  assert.deepEqual([await at(9), await at(10)], ["ann", undefined]);
});

test("no password proves a token's identity, whatever it is", async () => {
  const { shown, secret } = newToken(hostSecrets);
  const set = new AccessSet(1n, [identity({ kind: "token", secret })], []);
  assert.equal(await identityOfUser(set, { name: "ann", password: shown }, hostSecrets, 0), undefined);
});

test("a token proves its identity until its time is over", () => {
  const { shown, secret } = newToken(hostSecrets);
  assert.ok(isToken(shown));
  assert.equal(secretKindOf(secret), "token");
  assert.ok(!secret.includes(shown.slice("roster_".length)));
  const set = new AccessSet(1n, [identity({ kind: "token", secret, untilMs: 10 })], []);
  const proved = (token: string, nowMs = 0) => identityOfToken(set, token, hostSecrets, nowMs)?.name;
  assert.equal(proved(shown), "ann");
  assert.equal(proved(newToken(hostSecrets).shown), undefined);
  assert.equal(proved(secret), undefined, "the hash is no token");
  assert.equal(proved(""), undefined);
  assert.equal(proved(shown, 10), undefined);
  assert.equal(identityOfToken(NO_ACCESS_RECORDS, shown, hostSecrets, 0), undefined);
});

test("a client key is kept so that a signature can be checked", () => {
  const { shown, secret } = newClientKey(hostSecrets);
  assert.deepEqual([secretKindOf(secret), clientKeyOf(secret)], ["clientKey", shown]);
  // RFC 4231, test case 2.
  const mac = hostSecrets.hmacSha256("Jefe", "what do ya want for nothing?");
  assert.equal(
    Buffer.from(mac, "base64").toString("hex"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  );
});

test("texts are equal or not, whatever their lengths", () => {
  assert.ok(hostSecrets.isEqual("abc", "abc"));
  assert.ok(!hostSecrets.isEqual("abc", "abcd"));
  assert.ok(!hostSecrets.isEqual("", "a"));
});
