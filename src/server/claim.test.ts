// The first admin of a cluster, from a claim code.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startProcess } from "../cli/testing/serverProcess.ts";

interface Answer {
  readonly token?: string;
  readonly may?: readonly string[];
  readonly isClaimed?: boolean;
  readonly error?: { readonly code: string };
}

test("a new cluster logs a code, which makes one admin, once", async (t) => {
  const server = startProcess(t);
  const { toClaim } = await server.line("no identity administers this cluster yet");
  const { admin } = await server.line("roster is ready");
  const code = String(toClaim).split(" ").at(-1);
  const url = `http://127.0.0.1:${admin}/v1/access`;
  const claim = async (given: string | undefined): Promise<Answer> => {
    const headers = { "content-type": "application/json" };
    return (await (
      await fetch(`${url}/claim`, { method: "POST", headers, body: JSON.stringify({ code: given }) })
    ).json()) as Answer;
  };
  const whoami = async (headers: Record<string, string> = {}) =>
    (await (await fetch(`${url}/whoami`, { headers })).json()) as Answer;
  assert.equal((await whoami()).isClaimed, false);
  assert.equal((await claim("claim_wrong")).error?.code, "CLAIM_REFUSED");
  const { token } = await claim(code);
  const me = await whoami({ authorization: `Bearer ${token}` });
  assert.deepEqual([me.may, me.isClaimed], [["read", "operate", "configure", "admin"], true]);
  assert.equal((await claim(code)).error?.code, "CLAIM_REFUSED", "the code is worth nothing any more");
  for (let at = 0; at < 5; at++) await claim("claim_wrong");
  assert.equal((await claim("claim_wrong")).error?.code, "CREDENTIALS_LOCKED");
  assert.ok(!server.printed().includes(String(token)), "the token is in no log");
});
