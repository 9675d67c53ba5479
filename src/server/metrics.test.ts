// The metrics of running nodes with clients, as they are scraped.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { createMetrics } from "./metrics.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: TestClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

function clientOf(port: number): TestClient {
  const client = new TestClient(() => port);
  clients.push(client);
  return client;
}

async function scrape(port: number, path = "/metrics"): Promise<string> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).text();
}

/** The value of a series; undefined if it is not on the page. */
function seriesValue(page: string, series: string): number | undefined {
  const line = page.split("\n").find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

test("a change is measured at each hop of its way, and its traces in the figures agree", async () => {
  const { ports } = await nodes.start(["session", "data", "meta"]);
  const [publisher, subscriber] = [clientOf(ports.bolt), clientOf(ports.bolt)];
  subscriber.subscribe("orders");
  await eventually(
    () => subscriber.lists.get("orders")?.length ?? 0,
    (pushes) => pushes > 0,
  );
  publisher.publish("orders", "10.0.0.1:80");
  await eventually(
    () => subscriber.lists.get("orders")?.at(-1),
    (list) => list?.length === 1,
  );
  const hopsOf = (page: string) =>
    ["sent", "taken", "noticed", "pushed", "answered"].map(
      (hop) => seriesValue(page, `roster_push_hop_seconds_count{hop="${hop}"}`) ?? 0,
    );
  // The gauges are set with the next heartbeat.
  const page = await eventually(
    () => scrape(ports.http),
    (text) => hopsOf(text).every((count) => count > 0) && seriesValue(text, "roster_client_publishers") === 1,
  );
  assert.equal(seriesValue(page, "roster_subscribers"), 1);
  assert.equal(seriesValue(page, 'roster_slots{state="serving"}'), 256);
  assert.equal(seriesValue(page, 'roster_members{role="session"}'), 1);
  assert.deepEqual([seriesValue(page, "roster_slots_unserved"), seriesValue(page, "roster_meta_leader")], [0, 1]);
  assert.ok((seriesValue(page, "roster_versions_total") ?? 0) >= 1);
  assert.equal(seriesValue(page, 'roster_queue_length{queue="changes"}'), 0);
  // SOFARegistry's names have the same figures.
  assert.equal(seriesValue(page, "session_cache_sub_sum"), 1);
  assert.equal(seriesValue(page, 'session_access_pub_total{type="Y"}'), 1);
  assert.equal(seriesValue(page, 'session_access_pub_total{type="N"}'), 0);
  assert.equal(seriesValue(page, "data_slot_leader_assign_total"), 256);
  assert.equal(seriesValue(page, "session_push_push_client_ing_total"), seriesValue(page, "roster_pushes_sent_total"));
  assert.equal(await scrape(ports.http, "/startupz"), "ok");
});

test("SOFARegistry's names, and all metrics, can be switched off", async () => {
  const [without, off] = await Promise.all([
    nodes.start(["session", "data", "meta"], { sofaMetricNames: false }),
    nodes.start(["session", "data", "meta"], { metrics: false }),
  ]);
  assert.doesNotMatch(await scrape(without.ports.http), /^session_/m);
  const answer = await fetch(`http://127.0.0.1:${off.ports.http}/metrics`);
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /the setting metrics is false/);
  const client = clientOf(off.ports.bolt);
  client.publish("orders", "10.0.0.1:80");
  await eventually(
    () => client.undone,
    (undone) => undone === 0,
  );
});

test("gauges that cost something are measured when the page is read", async () => {
  const page = createMetrics([]);
  let measured = 0;
  page.beforeEach(() => page.metrics.set("roster_nodes_blocked", ++measured));
  assert.match((await page.render(""))?.body ?? "", /^roster_nodes_blocked 1$/m);
  assert.match((await page.render(""))?.body ?? "", /^roster_nodes_blocked 2$/m);
});
