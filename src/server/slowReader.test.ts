import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { configWith } from "./config/load.ts";
import { startServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";

const MIB = 1024 * 1024;

const LIMIT_MS = 40_000;

// 6 MiB are more than a kernel keeps, and take a second here: ten times the time that a push has.
test("a slow reader of a list beyond the output bound gets it once, is not closed, and keeps up afterwards", {
  timeout: 90_000,
}, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "roster-slow-"));
  const settings = { dataDir, pushTimeoutMs: 100, clientOutputBytesMax: MIB, registrationsPerSecondMax: 100_000 };
  const free = {
    boltPort: 0,
    eurekaPort: 0,
    nacosPort: 0,
    nacosGrpcPort: 0,
    zookeeperPort: 0,
    consulPort: 0,
    dnsPort: 0,
    httpPort: 0,
    metaHttpPort: 0,
    dataHttpPort: 0,
    adminPort: 0,
    logLevel: "error",
  } as const;
  const server = await startServer(configWith({ ...free, ...settings }));
  const publisher = new TestClient(() => server.ports.bolt);
  const slow = new TestClient(() => server.ports.bolt, { bytesPerSecond: 6 * MIB });
  t.after(async () => {
    publisher.close();
    slow.close();
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  for (let at = 0; at < 24; at++) publisher.publish("large", `${at} ${"x".repeat(MIB / 4)}`);
  await eventually(
    () => publisher.undone,
    (undone) => undone === 0,
    LIMIT_MS,
  );
  slow.subscribe("large");
  await eventually(
    () => slow.undone,
    (undone) => undone === 0,
    LIMIT_MS,
  );
  // Its output meanwhile must not count against it.
  for (let at = 0; at < 10; at++) slow.subscribe(`small-${at}`);
  await eventually(
    () => slow.lists.size,
    (size) => size === 11,
    LIMIT_MS,
  );
  const whole = slow.lists.get("large")?.filter(({ length }) => length === 24);
  assert.equal(whole?.length, 1, "the list that it took so long to read");
  publisher.publish("small-1", "a");
  await eventually(
    () => slow.list("small-1"),
    (list) => list === "a",
    LIMIT_MS,
  );
  assert.equal(slow.connections, 1);
});
