// Settings that operators change while the cluster runs, on nodes of one role each.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eventually } from "./testing/eventually.ts";
import { TestNodes } from "./testing/testNodes.ts";

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
