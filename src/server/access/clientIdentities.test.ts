// The principals that clients prove to be by what their protocols carry.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessSet } from "../../access/accessSet.ts";
import type { Identity } from "../../access/identity.ts";
import type { Policy } from "../../access/policy.ts";
import type { Principal } from "../../access/principal.ts";
import { hashPassword, identityOfToken, newToken } from "../../access/proofs.ts";
import { RegistryError } from "../../base/errors.ts";
import type { Secrets } from "../../base/ports.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import type { AskingClient, ClientCredentials, ClientToken } from "../../protocols/kit/clientAccess.ts";
import { ClientChecks } from "../../protocols/kit/clientChecks.ts";
import { hostSecrets } from "../../transport/secrets.ts";
import { Authenticator } from "./authenticator.ts";
import { ClientTokens } from "./clientTokens.ts";

const PASSWORD = await hashPassword("correct horse", hostSecrets);
const TOKEN = newToken(hostSecrets);
const LOCAL = newToken(hostSecrets).shown;
const SERVICE = makeServiceKey({ name: "com.pay.Orders", namespace: "", group: "" });
const CERTIFICATE = { subject: "CN=shop,O=x", commonName: "shop", names: [], fingerprint: "" };
const HOUR_MS = 3_600_000;

function identity(changes: Partial<Identity>): Identity {
  return { name: "ann", kind: "user", roles: ["client"], secret: PASSWORD, about: "", setBy: "", setMs: 1, ...changes };
}

const IDENTITIES = [identity({}), identity({ name: "ci", kind: "token", secret: TOKEN.secret })];

const ANONYMOUS_OFF: Policy = {
  ...{ name: "anonymous-clients", effect: "allow", actions: [], subjects: {}, services: {} },
  ...{ reason: "", setBy: "ann", setMs: 1 },
};

function scene({ policies = [ANONYMOUS_OFF] }: { readonly policies?: readonly Policy[] } = {}) {
  const state = {
    nowMs: 1_700_000_000_000,
    hashed: 0,
    stored: 0,
    isStoreAway: false,
    set: new AccessSet(1n, IDENTITIES, policies),
  };
  const secrets: Secrets = {
    ...hostSecrets,
    scrypt: (password, cost) => {
      state.hashed++;
      return hostSecrets.scrypt(password, cost);
    },
  };
  const common = { set: () => state.set, secrets, clock: { nowMs: () => state.nowMs } };
  const authenticator = new Authenticator({ ...common, localToken: LOCAL, configuredToken: undefined });
  const tokens = new ClientTokens({
    ...common,
    access: {
      get set() {
        return state.set;
      },
      refresh: async () => undefined,
    },
    operations: {
      ask: (to, { asked }, outcome) => {
        assert.equal(to, "leader");
        state.stored++;
        if (state.isStoreAway) return outcome({ kind: "unreachable", reason: "no meta node" });
        const { name, secret, until } = JSON.parse(asked.parameters);
        const by: Principal = JSON.parse(asked.by ?? "");
        const login = { loginOf: { name: by.name, setMs: 1 }, untilMs: Date.parse(until), roles: by.roles };
        const stored = identity({ name, kind: "token", secret, ...login });
        state.set = state.set.changed({ identities: [stored], policies: [], identitiesGone: [], policiesGone: [] }, 2n);
        outcome({ kind: "answered", status: 200, body: "{}" });
      },
    },
  });
  const checks = new ClientChecks({ ...common, authenticator, tokens });
  const identify = (client: Partial<AskingClient>) =>
    new Promise<Principal | RegistryError>((resolve) =>
      checks.identify({ from: "10.0.0.7", credentials: { kind: "none" }, ...client }, resolve),
    );
  /** The principal's kind and name, or the code of the refusal. */
  const who = async (credentials: ClientCredentials, client: Partial<AskingClient> = {}) => {
    const found = await identify({ credentials, ...client });
    return found instanceof RegistryError ? found.code : `${found.kind} ${found.name}`;
  };
  const logIn = (name: string, password: string) =>
    new Promise<ClientToken | "not needed" | RegistryError>((resolve) =>
      checks.logIn("10.0.0.7", { name, password }, resolve),
    );
  return { state, checks, who, logIn, secrets };
}

const login = (name: string, password: string): ClientCredentials => ({ kind: "login", name, password });
const basic = (text: string): ClientCredentials => ({ kind: "basic", text: Buffer.from(text).toString("base64") });

const CASES: readonly (readonly [
  what: string,
  credentials: ClientCredentials,
  found: string,
  client?: Partial<AskingClient>,
])[] = [
  ["nothing", { kind: "none" }, "anonymous anonymous"],
  ["a certificate", { kind: "none" }, "certificate shop", { certificate: CERTIFICATE }],
  ["a token beside a certificate", { kind: "token", token: TOKEN.shown }, "token ci", { certificate: CERTIFICATE }],
  ["a token", { kind: "token", token: TOKEN.shown }, "token ci"],
  ["another token", { kind: "token", token: newToken(hostSecrets).shown }, "CREDENTIALS_REFUSED"],
  ["no token at all", { kind: "token", token: "" }, "CREDENTIALS_REFUSED"],
  ["the token of operators at this machine", { kind: "token", token: LOCAL }, "token local", { from: "127.0.0.1" }],
  ["the same from elsewhere", { kind: "token", token: LOCAL }, "CREDENTIALS_REFUSED"],
  ["a login", login("ann", "correct horse"), "user ann"],
  ["basic authentication", basic("ann:correct horse"), "user ann"],
  ["a wrong password", login("ann", "horse"), "CREDENTIALS_REFUSED"],
  ["a name that there is not", login("bob", "correct horse"), "CREDENTIALS_REFUSED"],
  ["a name of another kind", login("ci", ""), "CREDENTIALS_REFUSED"],
  ["basic authentication without a colon", basic("ann"), "CREDENTIALS_REFUSED"],
  ["credentials in no known form", { kind: "unreadable", expected: "Basic" }, "CREDENTIALS_REFUSED"],
];

for (const [what, credentials, found, client] of CASES) {
  test(`${what}: ${found}`, async () => assert.equal(await scene().who(credentials, client), found));
}

test("until operators set something about clients, credentials of another registry are not looked at", async () => {
  const { who, state } = scene({ policies: [] });
  const foreign = [basic("eureka:secret"), login("nacos", "nacos"), { kind: "token", token: "x" }] as const;
  for (const one of foreign) assert.equal(await who(one), "anonymous anonymous");
  assert.equal(state.hashed, 0);
  assert.equal(await who(basic("eureka:secret"), { isOperator: true }), "CREDENTIALS_REFUSED");
  assert.equal(await who({ kind: "token", token: TOKEN.shown }, { isOperator: true }), "token ci");
});

test("a password is checked once a minute, and once for clients that come together", async () => {
  const { who, state } = scene();
  await Promise.all(Array.from({ length: 100 }, () => who(login("ann", "correct horse"))));
  assert.equal(state.hashed, 1);
  for (let count = 0; count < 10; count++) assert.equal(await who(basic("ann:correct horse")), "user ann");
  assert.equal(state.hashed, 1);
  state.nowMs += 61_000;
  assert.equal(await who(login("ann", "correct horse")), "user ann");
  assert.equal(state.hashed, 2);
});

test("after some wrong passwords an address waits, and so does a name", async () => {
  const { who } = scene();
  for (let count = 0; count < 6; count++) await who(login(`name-${count}`, "x"));
  assert.equal(await who(login("ann", "correct horse")), "CREDENTIALS_LOCKED");
  assert.equal(await who(login("ann", "correct horse"), { from: "10.0.0.8" }), "user ann");
  const other = scene();
  for (let count = 0; count < 6; count++) await other.who(login("ann", "x"), { from: `10.0.0.${count}` });
  assert.equal(await other.who(login("ann", "correct horse"), { from: "10.9.9.9" }), "CREDENTIALS_LOCKED");
});

test("more passwords than can be checked are refused, and not kept waiting", async () => {
  const { who } = scene();
  const many = Array.from({ length: 60 }, (_, at) => who(login(`n${at}`, "x"), { from: `10.1.0.${at}` }));
  const found = await Promise.all(many);
  assert.equal(found.filter((code) => code === "CREDENTIALS_REFUSED").length, 22);
  assert.equal(found.filter((code) => code === "ACCESS_UNAVAILABLE").length, 38);
});

test("a client that logs in gets a token that proves its user", async () => {
  const { logIn, who, state, secrets } = scene();
  const given = await logIn("ann", "correct horse");
  assert.ok(typeof given === "object" && !(given instanceof RegistryError), String(given));
  assert.equal(given.ttlMs, 24 * HOUR_MS);
  assert.equal(await who({ kind: "token", token: given.token }), `token ${identityName(state.set, given.token)}`);
  assert.deepEqual(identityOfToken(state.set, given.token, secrets, state.nowMs)?.roles, ["client"]);
  state.nowMs += 24 * HOUR_MS;
  assert.equal(await who({ kind: "token", token: given.token }), "CREDENTIALS_REFUSED");
});

function identityName(set: AccessSet, token: string): string {
  return identityOfToken(set, token, hostSecrets, 1_700_000_000_000)?.name ?? "";
}

test("all clients of a user share a token, until it is half over, and longer while the store is away", async () => {
  const { logIn, state } = scene();
  const tokenNow = async () => {
    const given = await logIn("ann", "correct horse");
    return typeof given === "object" && !(given instanceof RegistryError) ? given.token : String(given);
  };
  const first = new Set(await Promise.all(Array.from({ length: 20 }, tokenNow)));
  assert.deepEqual([first.size, state.stored], [1, 1]);
  state.nowMs += 13 * HOUR_MS;
  state.isStoreAway = true;
  assert.ok(first.has(await tokenNow()));
  state.isStoreAway = false;
  assert.ok(!first.has(await tokenNow()));
});

test("no token is given to a wrong password, while none can be stored, or where none is needed", async () => {
  const { logIn, state } = scene();
  assert.equal((await codeOf(logIn("ann", "x"))) ?? "", "CREDENTIALS_REFUSED");
  state.isStoreAway = true;
  assert.equal(await codeOf(logIn("ann", "correct horse")), "STORE_UNAVAILABLE");
  assert.equal(await scene({ policies: [] }).logIn("nacos", "nacos"), "not needed");
});

async function codeOf(outcome: Promise<unknown>): Promise<string | undefined> {
  const found = await outcome;
  return found instanceof RegistryError ? found.code : undefined;
}

test("a refusal names the action, the subject and the policy that denies", () => {
  const deny: Policy = { ...ANONYMOUS_OFF, name: "no-pay", effect: "deny", actions: ["publish", "store"] };
  const { checks } = scene({ policies: [deny] });
  const anonymous: Principal = { kind: "anonymous", name: "anonymous", roles: [], from: "10.0.0.7" };
  const user: Principal = { kind: "user", name: "ann", roles: ["client"], from: "10.0.0.7" };
  const refusal = (by: Principal, wish: Parameters<typeof checks.refusal>[1]) =>
    checks.refusal(by, wish)?.message ?? "";
  assert.match(
    refusal(anonymous, { action: "publish", about: SERVICE }),
    /^CREDENTIALS_NEEDED.*com\.pay\.Orders.*no-pay/,
  );
  const about = { namespace: "n", group: "consul", name: "pay/limit" };
  assert.match(refusal(user, { action: "store", about }), /^PERMISSION_NEEDED.*ann.*pay\/limit/);
  assert.match(refusal(user, { action: "operate" }), /^PERMISSION_NEEDED.*ann/);
  assert.equal(refusal(user, { action: "subscribe", about: SERVICE }), "");
});
