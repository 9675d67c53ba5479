// The principals that HTTP requests prove to be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessSet } from "../../access/accessSet.ts";
import type { Identity } from "../../access/identity.ts";
import { hashPassword, newClientKey, newToken } from "../../access/proofs.ts";
import { RegistryError } from "../../base/errors.ts";
import type { Secrets } from "../../base/ports.ts";
import { hostSecrets } from "../../transport/secrets.ts";
import { Authenticator } from "./authenticator.ts";

const LOCAL = newToken(hostSecrets).shown;
const CONFIGURED = "c0ffee".repeat(6);
const TOKEN = newToken(hostSecrets);
const KEY = newClientKey(hostSecrets);
const PASSWORD = await hashPassword("correct horse", hostSecrets);
const FAR = { remoteAddress: "10.0.0.7", localAddress: "10.0.0.1" };
const NEAR = { remoteAddress: "127.0.0.1", localAddress: "127.0.0.1" };

function identity(changes: Partial<Identity>): Identity {
  return { name: "ann", kind: "user", roles: ["reader"], secret: PASSWORD, about: "", setBy: "", setMs: 0, ...changes };
}

const IDENTITIES = [
  identity({}),
  identity({ name: "ci", kind: "token", roles: ["operator"], secret: TOKEN.secret }),
  identity({ name: "shop", kind: "clientKey", secret: KEY.secret }),
];

/** An authenticator, its clock, and how often it has hashed a password. */
function scene(identities: readonly Identity[] = IDENTITIES) {
  const state = { nowMs: 1_700_000_000_000, hashed: 0, set: new AccessSet(1n, identities, []) };
  const secrets: Secrets = {
    ...hostSecrets,
    scrypt: (password, cost) => {
      state.hashed++;
      return hostSecrets.scrypt(password, cost);
    },
  };
  const authenticator = new Authenticator({
    set: () => state.set,
    secrets,
    clock: { nowMs: () => state.nowMs },
    localToken: LOCAL,
    configuredToken: CONFIGURED,
  });
  /** The principal's name and kind, or the code of the refusal. */
  const who = async (authorization?: string, from = FAR): Promise<string> => {
    try {
      const { kind, name, roles } = await authenticator.identify({ headers: { authorization }, ...from });
      return `${kind} ${name} ${roles.join()}`.trim();
    } catch (error) {
      assert.ok(error instanceof RegistryError, String(error));
      return error.code;
    }
  };
  return { state, who };
}

const basic = (login: string) => `Basic ${Buffer.from(login).toString("base64")}`;

const CASES: readonly (readonly [what: string, authorization: string | undefined, found: string])[] = [
  ["no credentials", undefined, "anonymous anonymous"],
  ["a token", `Bearer ${TOKEN.shown}`, "token ci operator"],
  ["a token, with the scheme in small letters", `bearer ${TOKEN.shown}`, "token ci operator"],
  ["a name and a password", basic("ann:correct horse"), "user ann reader"],
  ["a wrong password", basic("ann:correct horsf"), "CREDENTIALS_REFUSED"],
  ["an empty password", basic("ann:"), "CREDENTIALS_REFUSED"],
  ["a name that there is not", basic("bob:correct horse"), "CREDENTIALS_REFUSED"],
  ["a login without a name", basic(":correct horse"), "CREDENTIALS_REFUSED"],
  ["a login without a colon", basic("ann"), "CREDENTIALS_REFUSED"],
  ["a token that there is not", `Bearer ${newToken(hostSecrets).shown}`, "CREDENTIALS_REFUSED"],
  ["the hash of a token", `Bearer ${TOKEN.secret}`, "CREDENTIALS_REFUSED"],
  ["a token as the password of its identity", basic(`ci:${TOKEN.shown}`), "CREDENTIALS_REFUSED"],
  ["a client key as a token", `Bearer ${KEY.shown}`, "CREDENTIALS_REFUSED"],
  ["a client key as a password", basic(`shop:${KEY.shown}`), "CREDENTIALS_REFUSED"],
  ["a password as a token", "Bearer correct", "CREDENTIALS_REFUSED"],
  ["an empty token", "Bearer ", "CREDENTIALS_REFUSED"],
  ["nothing but a scheme", "Bearer", "CREDENTIALS_REFUSED"],
  ["an empty header", "", "CREDENTIALS_REFUSED"],
  ["another scheme", `Digest ${TOKEN.shown}`, "CREDENTIALS_REFUSED"],
  ["two tokens", `Bearer ${TOKEN.shown} ${TOKEN.shown}`, "CREDENTIALS_REFUSED"],
];

for (const [what, authorization, found] of CASES) {
  test(`${what}: ${found}`, async () => assert.equal(await scene().who(authorization), found));
}

test("the local token proves an admin on the node's machine, by whatever address, and nowhere else", async () => {
  const { who } = scene();
  const local = `Bearer ${LOCAL}`;
  assert.equal(await who(local, NEAR), "token local admin");
  assert.equal(await who(local, { remoteAddress: "10.0.0.1", localAddress: "10.0.0.1" }), "token local admin");
  assert.equal(await who(local, FAR), "CREDENTIALS_REFUSED");
});

test("the configured token proves an admin from anywhere", async () => {
  assert.equal(await scene().who(`Bearer ${CONFIGURED}`), "token configured admin");
});

test("a password is checked once a minute, and anew when it or the time of its user has changed", async () => {
  const { state, who } = scene();
  for (let at = 0; at < 3; at++) assert.equal(await who(basic("ann:correct horse")), "user ann reader");
  assert.equal(state.hashed, 1);
  state.set = new AccessSet(2n, [identity({ roles: ["admin"] })], []);
  assert.equal(await who(basic("ann:correct horse")), "user ann admin", "with the access roles of this moment");
  state.nowMs += 60_000;
  await who(basic("ann:correct horse"));
  assert.equal(state.hashed, 2);
  state.set = new AccessSet(3n, [identity({ secret: await hashPassword("other", hostSecrets) })], []);
  assert.equal(await who(basic("ann:correct horse")), "CREDENTIALS_REFUSED");
  state.set = new AccessSet(4n, [identity({ untilMs: state.nowMs })], []);
  assert.equal(await who(basic("ann:correct horse")), "CREDENTIALS_REFUSED");
  state.set = new AccessSet(5n, [], []);
  assert.equal(await who(basic("ann:correct horse")), "CREDENTIALS_REFUSED");
});

test("the addresses of a network of IPv6 wait as one", async () => {
  const { who } = scene();
  const from = (at: number) => ({ ...NEAR, remoteAddress: `[2001:db8::${at}]` });
  for (let at = 1; at <= 5; at++) assert.equal(await who(basic(`user${at}:x`), from(at)), "CREDENTIALS_REFUSED");
  assert.equal(await who(basic("user6:x"), from(6)), "CREDENTIALS_LOCKED");
});

test("after five wrong passwords an address and a name wait, and guesses are not even looked at", async () => {
  const { state, who } = scene();
  for (let at = 0; at < 5; at++) assert.equal(await who(basic(`ann:${at}`)), "CREDENTIALS_REFUSED");
  const { hashed } = state;
  assert.equal(await who(basic("ann:correct horse")), "CREDENTIALS_LOCKED");
  assert.equal(await who(basic("ann:correct horse"), NEAR), "CREDENTIALS_LOCKED", "the name, from anywhere");
  assert.equal(await who(basic("bob:x")), "CREDENTIALS_LOCKED", "the address, for any name");
  assert.equal(state.hashed, hashed);
  assert.equal(await who(`Bearer ${TOKEN.shown}`), "token ci operator", "tokens can't be guessed");
  state.nowMs += 1_000;
  assert.equal(await who(basic("ann:correct horse")), "user ann reader");
});

test("a user who was proved a moment ago is not locked out by others' guesses", async () => {
  const { who } = scene();
  await who(basic("ann:correct horse"), NEAR);
  for (let at = 0; at < 6; at++) await who(basic(`ann:${at}`));
  assert.equal(await who(basic("ann:correct horse"), NEAR), "user ann reader");
});

test("more passwords at once than can be checked are refused for a moment, and the rest is checked", async () => {
  const { state, who } = scene();
  const all = await Promise.all(
    Array.from({ length: 40 }, (_, at) => who(basic(`user${at}:x`), { ...FAR, remoteAddress: `10.0.1.${at}` })),
  );
  assert.equal(all.filter((outcome) => outcome === "ACCESS_UNAVAILABLE").length, 18);
  assert.equal(state.hashed, 22);
});
