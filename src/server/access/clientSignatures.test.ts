import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { AccessSet } from "../../access/accessSet.ts";
import type { Identity } from "../../access/identity.ts";
import type { Policy } from "../../access/policy.ts";
import { newClientKey, newToken } from "../../access/proofs.ts";
import { RegistryError } from "../../base/errors.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import type { ClientProof } from "../../protocols/kit/clientAccess.ts";
import { ClientChecks } from "../../protocols/kit/clientChecks.ts";
import { hostSecrets } from "../../transport/secrets.ts";

const NOW_MS = 1_700_000_000_000;
const SERVICE = makeServiceKey({ name: "com.pay.Orders", namespace: "", group: "" });
const KEY = newClientKey(hostSecrets);

function identity(changes: Partial<Identity> = {}): Identity {
  return {
    name: "shop",
    kind: "clientKey",
    roles: ["client"],
    secret: KEY.secret,
    about: "",
    setBy: "",
    setMs: 0,
    ...changes,
  };
}

const ANONYMOUS_OFF: Policy = {
  ...{ name: "anonymous-clients", effect: "allow", actions: [], subjects: {}, services: {} },
  ...{ reason: "", setBy: "ann", setMs: 1 },
};

function proof(changes: Partial<ClientProof> & { readonly key?: string } = {}): ClientProof {
  const { key = KEY.shown, ...rest } = changes;
  const timestamp = rest.timestamp ?? String(NOW_MS);
  const text = `shop\n${timestamp}\ncom.pay.Orders`;
  const signature = createHmac("sha256", key).update(text).digest("base64");
  return { accessKey: "shop", algorithm: "HmacSHA256", timestamp, signature, text, ...rest };
}

/** The code of the refusal; empty for a client that may publish. */
function refusal(
  given: ClientProof | undefined,
  identities = [identity()],
  policies: readonly Policy[] = [ANONYMOUS_OFF],
): string {
  const set = new AccessSet(1n, identities, policies);
  const common = { set: () => set, secrets: hostSecrets, clock: { nowMs: () => NOW_MS } };
  const never = () => assert.fail("a signature is all that is looked at");
  const checks = new ClientChecks({ ...common, authenticator: { prove: never }, tokens: { issue: never } });
  try {
    checks.check({ from: "10.0.0.7", action: "publish", serviceKey: SERVICE, proof: given });
    return "";
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error.code;
  }
}

const REFUSED = "CREDENTIALS_REFUSED";
const CASES: readonly (readonly [what: string, proof: ClientProof | undefined, code: string])[] = [
  ["a signature", proof(), ""],
  ["one that names no algorithm", proof({ algorithm: "" }), ""],
  ["one from four minutes ago", proof({ timestamp: String(NOW_MS - 240_000) }), ""],
  ["one from in four minutes", proof({ timestamp: String(NOW_MS + 240_000) }), ""],
  ["one from six minutes ago", proof({ timestamp: String(NOW_MS - 360_000) }), REFUSED],
  ["one from in six minutes", proof({ timestamp: String(NOW_MS + 360_000) }), REFUSED],
  ["one without a time", proof({ timestamp: "" }), REFUSED],
  ["one in seconds", proof({ timestamp: String(NOW_MS / 1_000) }), REFUSED],
  ["one with another key", proof({ key: newClientKey(hostSecrets).shown }), REFUSED],
  ["one with an empty key", proof({ key: "" }), REFUSED],
  ["one of another text", proof({ text: "shop\n0\ncom.pay.Other" }), REFUSED],
  ["one under another name", proof({ accessKey: "other" }), REFUSED],
  ["one by another algorithm", proof({ algorithm: "HmacMD5" }), REFUSED],
  ["an empty signature", proof({ signature: "" }), REFUSED],
  ["no proof", undefined, "CREDENTIALS_NEEDED"],
];

for (const [what, given, code] of CASES) {
  test(`${what}: ${code || "the client publishes"}`, () => assert.equal(refusal(given), code));
}

test("an empty key proves no name that there is not, and no identity of another kind", () => {
  assert.equal(refusal(proof({ accessKey: "nobody", key: "" })), REFUSED);
  const token = identity({ kind: "token", secret: newToken(hostSecrets).secret });
  assert.equal(refusal(proof({ key: "" }), [token, identity({ name: "some-key" })]), REFUSED);
});

test("a key whose time is over proves nothing", () => {
  assert.equal(refusal(proof(), [identity({ untilMs: NOW_MS })]), REFUSED);
});

test("policies decide what a key may do", () => {
  assert.equal(refusal(proof(), [identity({ roles: [] })]), "PERMISSION_NEEDED");
  const pay = { ...ANONYMOUS_OFF, name: "pay", actions: ["publish"], subjects: { names: ["shop"] } } as const;
  const only = (namePrefixes: readonly string[]) => [ANONYMOUS_OFF, { ...pay, services: { namePrefixes } }];
  assert.equal(refusal(proof(), [identity({ roles: [] })], only(["com.pay."])), "");
  assert.equal(refusal(proof(), [identity({ roles: [] })], only(["com.shop."])), "PERMISSION_NEEDED");
});

test("as long as there are no client keys, what clients send as proofs is not looked at, as before", () => {
  assert.equal(refusal(proof(), [], []), "");
  assert.equal(refusal(proof({ signature: "x" }), [], []), "");
  assert.equal(refusal(proof(), [], [ANONYMOUS_OFF]), "CREDENTIALS_NEEDED");
});
