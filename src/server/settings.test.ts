// Settings that operators change while the cluster runs, on nodes of one role each.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { assertInForm } from "./testing/answerSchemas.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

async function call(port: number, path: string, body?: object): Promise<Record<string, unknown>> {
  const headers = { "content-type": "application/json" };
  const init = body === undefined ? {} : { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text) as Record<string, unknown>;
}

test("a setting reaches present and later sessions, outlives the meta node, and ends when it is removed", async () => {
  const dataDir = nodes.newDirectory();
  const meta = await nodes.start(["meta"], { dataDir });
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  const first = await nodes.start(["session", "data"], { ...at, pushCompressBytesMin: 77 });
  const state = (port: number) => call(port, "/compress/push/state");
  const inForce = (port: number, bytesMin: number) =>
    eventually(
      () => state(port),
      ({ compressMinSize }) => compressMinSize === bytesMin,
    );
  await inForce(first.ports.http, 77);
  await eventually(
    async () => (await fetch(`http://127.0.0.1:${meta.ports.metaHttp}/readyz`)).status,
    (status) => status === 200,
  );
  await call(meta.ports.metaHttp, "/compress/push/switch", { enabled: false, compressMinSize: 500 });
  const { enabled } = await inForce(first.ports.http, 500);
  assert.equal(enabled, false);

  const second = await nodes.start(["session"], at);
  await inForce(second.ports.http, 500);
  await nodes.stop(meta);
  const again = await nodes.start(["meta"], { dataDir, nodePort: meta.ports.node });
  const third = await nodes.start(["session"], at);
  await inForce(third.ports.http, 500);
  await inForce(first.ports.http, 500);

  const key = { dataId: "compress.push.switch", instanceId: "9600", group: "CONFIG" };
  await call(again.ports.metaHttp, "/persistentData/remove", key);
  await inForce(first.ports.http, 77);
  await inForce(second.ports.http, 4_096);
  assert.equal((await state(third.ports.http))["enabled"], true);
});

interface Row {
  readonly setting: string;
  readonly inForce: string;
  readonly configured: string;
  readonly nodes: readonly string[];
  readonly rule: string | null;
  readonly until: string | null;
  readonly setBy: string;
}

test("operators set and unset settings at any node, and are told what is in force where, and by whom", async () => {
  const meta = await nodes.start(["meta"]);
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  const data = await nodes.start(["data"], { ...at, zone: "z2" });
  const session = await nodes.start(["session"], { ...at, zone: "z1", registrationsPerSecondMax: 5_000 });
  const ask = async (name: string, method: "GET" | "PUT" | "DELETE", path: string, body?: object) => {
    const answer = await operate(data, method, path, body);
    assertInForm(name, answer);
    return answer;
  };
  const rows = async (changed = true) =>
    (await ask("settings.list", "GET", `/settings?changed=${changed}`)).body.items as unknown as Row[];
  const set = (body: object) => ask("settings.set", "PUT", "/setting", body);
  await eventually(
    async () => (await rows(false)).filter(({ setting }) => setting === "registrations-per-second-max"),
    (found) => found.length === 2 && found.some(({ configured }) => configured === "5000"),
  );
  await eventually(
    async () => (await set({ setting: "push-window-max-ms", value: "250", preview: true })).status,
    (status) => status === 200,
  );
  assert.deepEqual(await rows(), []);
  const made = await set({ setting: "push-window-max-ms", value: "250", setBy: "ana", for: "1h" });
  assert.equal(made.body.items[0].concerns, "push-window-max-ms=250; all nodes");
  await set({ setting: "registrations-per-second-max", value: "40", zones: ["z1"] });
  const [rate, window] = await eventually(
    rows,
    (found) => found[0]?.setting === "registrations-per-second-max" && found[1]?.nodes.length === 2,
  );
  assert.deepEqual([rate?.inForce, rate?.configured, rate?.nodes.length, rate?.setBy], ["40", "5000", 1, "local"]);
  assert.deepEqual(
    [window?.inForce, window?.rule, window?.setBy],
    ["250", "setting:push-window-max-ms", "ana (local)"],
  );
  assert.match(window?.until ?? "", /^20\d\d-/);

  const client = new TestClient(() => session.ports.bolt);
  try {
    for (let at = 0; at < 200; at++) client.publish(`s${at}`, "10.0.0.1:80");
    await eventually(
      async () => (await fetch(`http://127.0.0.1:${session.ports.http}/metrics`)).text(),
      (text) => /roster_requests_total\{[^}]*OVERLOADED[^}]*\} [1-9]/.test(text),
    );
    await ask("settings.unset", "DELETE", "/setting?setting=registrations-per-second-max");
    await eventually(rows, (found) => found.length === 1);
    await eventually(
      () => client.undone,
      (undone) => undone === 0,
    );
  } finally {
    client.close();
  }
});

test("a value that a setting may not have is refused, and the end of one that another rule has set", async () => {
  const registry = await nodes.start(["meta", "data", "session"]);
  const refused = async (method: "PUT" | "DELETE", path: string, body?: object) => {
    const { status, body: answer } = await operate(registry, method, path, body);
    return `${status} ${JSON.stringify(answer)}`;
  };
  await eventually(
    () => refused("DELETE", "/setting?setting=push-compress"),
    (text) => /400.*FIELD_INVALID.*operators have changed/.test(text),
  );
  for (const [body, expected] of [
    [{ setting: "push-compress", value: "perhaps" }, /400.*true or false/],
    [{ setting: "bolt-port", value: "1" }, /400.*setting/],
    [{ setting: "push-window-max-ms", value: "60001" }, /400.*0 to 60000/],
    [{ setting: "push-encodings", value: "lzma" }, /400.*zstd, gzip/],
    [{ setting: "push-compress", value: "false", zones: [] }, /400.*zones/],
    [{ setting: "push-compress" }, /400.*value/],
    [{ setting: "push-compress", value: "false", until: "2001-01-01T00:00:00Z" }, /400.*until/],
  ] as const) {
    assert.match(await refused("PUT", "/setting", body), expected);
  }
  const key = { dataId: "data.session.lease.sec", instanceId: "9600", group: "CONFIG" };
  await call(registry.ports.metaHttp, "/persistentData/put", { ...key, data: "45" });
  const other = /400.*the rule data\.session\.lease\.sec has set it/;
  assert.match(await refused("DELETE", "/setting?setting=session-lease-ms"), other);
  const described = await operate(registry, "GET", "/rule?id=data.session.lease.sec");
  assertInForm("rules.describe", described);
  const { settings } = described.body as unknown as { settings: object };
  assert.deepEqual(settings, { "session-lease-ms": "45000" });
  assert.match(await refused("PUT", "/setting", { setting: "session-lease-ms", value: "9000" }), /^200/);
  const undone = await operate(registry, "DELETE", "/setting?setting=session-lease-ms");
  assert.match(undone.body.message, /session-lease-ms is as the rule data\.session\.lease\.sec says/);
});
