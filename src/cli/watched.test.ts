// The debug log and the traces of a server process with clients.

import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../server/testing/eventually.ts";
import { TestClient } from "../server/testing/testClient.ts";
import { type ServerProcess, startProcess } from "./testing/serverProcess.ts";

const TELEMETRY = join(import.meta.dirname, "testing/telemetry.ts");

/** A publisher and a subscriber come to the server, and the list is pushed. */
async function useServer(t: TestContext, server: ServerProcess): Promise<void> {
  const { bolt } = await server.line("roster is ready");
  const [publisher, subscriber] = [new TestClient(() => Number(bolt)), new TestClient(() => Number(bolt))];
  t.after(() => publisher.close());
  t.after(() => subscriber.close());
  subscriber.subscribe("orders");
  publisher.publish("orders", "10.0.0.1:80");
  await eventually(
    () => subscriber.lists.get("orders")?.at(-1),
    (list) => list?.length === 1,
  );
}

test("the debug log shows a registration on its way to a subscriber", async (t) => {
  const server = startProcess(t, { flags: { "log-level": "debug" } });
  await useServer(t, server);
  const { service, level } = await server.line("a publisher is registered");
  assert.deepEqual([service, level], ["orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP", "debug"]);
  const made = await server.line("a list has a new version");
  assert.equal(made["changes"], 1);
  await server.line("a subscriber is registered");
  await server.line("a push is confirmed");
  const pushed = server.lines().filter(({ msg }) => msg === "a list is pushed");
  assert.ok(pushed.some(({ version, publishers }) => version === made["version"] && publishers === 1));
});

test("the log of a server as it comes has no line for a registration or push", async (t) => {
  const server = startProcess(t);
  await useServer(t, server);
  assert.doesNotMatch(server.printed(), /is registered|is pushed|new version/);
});

test("an SDK that is loaded with --import receives the spans of a registration", async (t) => {
  const environment = { NODE_OPTIONS: `--import ${TELEMETRY}` };
  const server = startProcess(t, { flags: { "trace-one-in": 1 }, environment });
  await useServer(t, server);
  const names = ["roster start", "roster publish", "roster version", "roster push"];
  await eventually(
    () => server.printed(),
    (printed) => names.every((name) => printed.includes(`name: '${name}'`)),
  );
  assert.doesNotMatch(server.printed(), /traces go nowhere/);
});

test("traces without an SDK are a warning", async (t) => {
  const server = startProcess(t, { flags: { "trace-one-in": 1 } });
  await useServer(t, server);
  await server.line("traces go nowhere: load an OpenTelemetry SDK with node --import");
});
