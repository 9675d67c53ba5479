// A whole server on a real PostgreSQL that is away at its start, and goes away while clients watch values.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startProcess } from "../../src/cli/testing/serverProcess.ts";
import { eventually } from "../../src/server/testing/eventually.ts";
import { TestClient } from "../../src/server/testing/testClient.ts";
import { getStatus } from "../../src/server/testing/testNodes.ts";
import { withPostgres } from "./withPostgres.ts";

const SETTING = "retries";

await withPostgres("a server on PostgreSQL", (store) => {
  test("it starts without its store, is ready when that answers, and serves watches without it", async (t) => {
    await store.halt();
    const server = startProcess(t, { flags: { "store-url": store.url } });
    const { bolt, http, metaHttp } = await server.line("roster has started and will be ready once its store answers");
    assert.equal(await getStatus(Number(http), "/livez"), 200);
    assert.equal(await getStatus(Number(http), "/readyz"), 503);
    assert.deepEqual(
      server.lines().filter(({ msg }) => msg === "roster is ready"),
      [],
    );
    await store.start();
    await eventually(
      () => getStatus(Number(http), "/readyz"),
      (status) => status === 200,
    );

    const put = async (data: string) => {
      const url = `http://127.0.0.1:${metaHttp}/persistentData/put`;
      const body = JSON.stringify({ dataId: SETTING, group: "DEFAULT_GROUP", data });
      return (await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body })).status;
    };
    assert.equal(await put("3"), 200);
    const early = watcher(t, Number(bolt));
    early.watchConfig(SETTING);
    await toHave(early, ["3"]);

    await store.halt();
    assert.notEqual(await put("4"), 200);
    const late = watcher(t, Number(bolt));
    late.watchConfig(SETTING);
    late.watchConfig("unknown");
    await toHave(late, ["3"]);
    await eventually(
      () => late.configs.get("unknown"),
      (values) => values?.join() === "",
    );
    await store.start();
    await eventually(
      () => put("5"),
      (status) => status === 200,
    );
    await toHave(early, ["3", "5"]);
    await toHave(late, ["3", "5"]);
  });
});

function watcher(t: { after(end: () => void): void }, bolt: number): TestClient {
  const client = new TestClient(() => bolt);
  t.after(() => client.close());
  return client;
}

async function toHave(client: TestClient, values: readonly string[]): Promise<void> {
  await eventually(
    () => client.configs.get(SETTING),
    (pushed) => pushed?.join() === values.join(),
  );
}
