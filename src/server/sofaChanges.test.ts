// SOFARegistry's paths at a whole node: an operator's proof, and the audit trail.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { operate, TestNodes } from "./testing/testNodes.ts";

type Call = readonly [port: number, method: string, path: string, body: object | undefined];

const nodes = new TestNodes();
after(() => nodes.close());

test("an operator's token changes what no other caller may, and the audit trail says who did", async () => {
  const server = await nodes.start(["meta", "data", "session"], { sofaChanges: "none" });
  const tokenOf = async (name: string, roles: readonly string[]) => {
    const { body } = await operate(server, "POST", "/tokens", { name, roles });
    return (body as unknown as { readonly token: string }).token;
  };
  const tokens = { ops: await tokenOf("ops", ["operator"]), view: await tokenOf("view", ["reader"]) };
  const ask = async ([port, method, path, body]: Call, proof?: string, isOfSofa = false) => {
    const headers = {
      ...(proof && (isOfSofa ? { "x-apiauth-token": proof } : { authorization: `Bearer ${proof}` })),
      ...(body && { "content-type": "application/json" }),
    };
    const sent = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    return fetch(`http://127.0.0.1:${port}${path}`, sent);
  };
  const value = { dataId: "limit", group: "G", instanceId: "I", data: "the value" };
  const { metaHttp, dataHttp, http } = server.ports;
  const calls = [
    [metaHttp, "POST", "/persistentData/put", value],
    [metaHttp, "GET", "/stopPushDataSwitch/open", undefined],
    [metaHttp, "GET", "/stopPushDataSwitch/close", undefined],
    [dataHttp, "PUT", "/opsapi/v1/server/group/join", undefined],
    [http, "POST", "/api/clientManager/clientOff", { ips: "10.0.0.9" }],
  ] as const;
  for (const call of calls) {
    const [, , path] = call;
    const stranger = await ask(call);
    assert.equal(stranger.status, 403, path);
    assert.match(await stranger.text(), /CHANGE_NOT_ALLOWED.*sofa-changes/);
    const reader = await ask(call, tokens.view);
    assert.equal(reader.status, 403, path);
    assert.match(await reader.text(), /PERMISSION_NEEDED.*view/);
    const wrong = await ask(call, `${tokens.ops}x`);
    assert.equal(wrong.status, 401, path);
    assert.ok(wrong.headers.has("www-authenticate"));
    for (const isOfSofa of [false, true]) {
      const operator = await ask(call, tokens.ops, isOfSofa);
      assert.equal(operator.status, 200, `${path} ${await operator.clone().text()}`);
    }
    const wrongOfSofa = await ask(call, `${tokens.ops}x`, true);
    assert.equal(wrongOfSofa.status, 401, path);
  }
  const made = (await operate(server, "GET", "/audit?outcome=made&by=ops")).body.items;
  assert.deepEqual(
    made.map(({ operation }) => operation).toSorted(),
    calls.flatMap(([, method, path]) => [`${method} ${path}`, `${method} ${path}`]).toSorted(),
  );
  assert.doesNotMatch(JSON.stringify(made), /the value|roster_/);
  const refused = (await operate(server, "GET", "/audit?outcome=refused&by=view")).body.items;
  assert.equal(refused.length, calls.length);
  assert.ok(refused.every(({ from, code }) => from === "127.0.0.1" && code === "PERMISSION_NEEDED"));
});
