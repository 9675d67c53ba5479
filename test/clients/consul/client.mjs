// Consul's client for Node (the package consul) against a started server: node client.mjs HTTP_PORT. Fails with what
// differs.

import assert from "node:assert/strict";
import Consul from "consul";

const consul = new Consul({ host: "127.0.0.1", port: Number(process.argv[2]) });
assert.equal(typeof (await consul.status.leader()), "string");

const check = { ttl: "30s" };
await consul.agent.service.register({ id: "node-1", name: "node-web", port: 80, tags: ["a"], check });
assert.deepEqual(await consul.health.service({ service: "node-web", passing: true }), []);
await consul.agent.check.pass({ id: "service:node-1", note: "fine" });
const [row] = await consul.health.service({ service: "node-web", passing: true });
assert.deepEqual([row.Service.ID, row.Service.Tags, row.Service.Port], ["node-1", ["a"], 80]);
assert.deepEqual((await consul.catalog.service.list())["node-web"], ["a"]);

// A watch sees the end of the service.
const watch = consul.watch({ method: consul.health.service, options: { service: "node-web", wait: "10s" } });
const gone = new Promise((resolve, reject) => {
  watch.on("change", (rows) => rows.length === 0 && resolve());
  watch.on("error", reject);
});
await consul.agent.service.deregister("node-1");
await gone;
watch.end();

assert.equal(await consul.kv.set({ key: "node/a", value: "one", flags: 7 }), true);
const entry = await consul.kv.get("node/a");
assert.deepEqual([entry.Value, entry.Flags], ["one", 7]);
// The client says nothing where the answer is false.
assert.equal(await consul.kv.set({ key: "node/a", value: "two", cas: "0" }), undefined);
assert.equal(await consul.kv.set({ key: "node/a", value: "two", cas: String(entry.ModifyIndex) }), true);
assert.deepEqual(await consul.kv.keys("node/"), ["node/a"]);
const { Results: results } = await consul.transaction.create([
  { KV: { Verb: "set", Key: "node/b", Value: Buffer.from("x").toString("base64") } },
  { KV: { Verb: "get", Key: "node/b" } },
]);
assert.equal(results.length, 2);

const { ID: session } = await consul.session.create({ ttl: "10s", lockdelay: "1s" });
assert.equal(await consul.kv.set({ key: "node/lock", value: "me", acquire: session }), true);
assert.equal((await consul.kv.get("node/lock")).Session, session);
assert.equal((await consul.session.renew(session))[0].ID, session);
assert.equal(await consul.kv.set({ key: "node/lock", value: "me", release: session }), true);
await consul.session.destroy(session);
await consul.kv.del({ key: "node/", recurse: true });
assert.equal(await consul.kv.get("node/a"), undefined);

const event = await consul.event.fire("node-deploy", "v2");
assert.deepEqual((await consul.event.list("node-deploy")).map(({ ID }) => ID), [event.ID]);
console.log("consul for Node: all as expected");
