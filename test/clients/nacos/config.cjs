// Configuration with the client of Nacos for Node, over HTTP. Arguments: the folder of its installation, the server's
// address.

const { createRequire } = require("node:module");
const { mkdtempSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");
const assert = require("node:assert/strict");

const [, , folder, address] = process.argv;
const { NacosConfigClient } = createRequire(join(folder, "index.js"))("nacos");

const GROUP = "DEFAULT_GROUP";
const WAIT_MS = 15_000;

function open(namespace) {
  const cacheDir = mkdtempSync(join(tmpdir(), "nacos-node-"));
  const logger = { debug() {}, info() {}, warn() {}, error() {} };
  return new NacosConfigClient({ serverAddr: address, requestTimeout: 6_000, cacheDir, namespace, logger });
}

async function eventually(isSo, shown) {
  const endMs = Date.now() + WAIT_MS;
  while (!isSo()) {
    assert.ok(Date.now() < endMs, `still ${JSON.stringify(shown())}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// All clients of a process have the namespace of the first one.
const NAMESPACE = "node-tests";
const client = open(NAMESPACE);
// Clients of one process share their long poll: one that waits hears of a new subscription when it is answered.
let nudges = 0;
const nudge = () => client.publishSingle("node-nudge", GROUP, `${process.pid} ${nudges++}`);

async function read(dataId, namespace = NAMESPACE) {
  const query = new URLSearchParams({ dataId, group: GROUP, tenant: namespace });
  const answer = await fetch(`http://${address}/nacos/v1/cs/configs?${query}`);
  return answer.status === 200 ? answer.text() : undefined;
}

function hear(dataId, by = client) {
  const told = [];
  const listener = (content) => told.push(content);
  by.subscribe({ dataId, group: GROUP }, listener);
  const isTold = (content) => eventually(() => told.at(-1) === content, () => told);
  return { told, isTold, leave: () => by.unSubscribe({ dataId, group: GROUP }, listener) };
}

const CASES = {
  async "fifty subscribers that come before are told the first contents"(dataId) {
    hear("node-nudge");
    const names = Array.from({ length: 50 }, (_, at) => `${dataId}-${at}`);
    const heard = names.map((name) => hear(name));
    for (const name of names) await client.publishSingle(name, GROUP, `of ${name}`);
    for (const [at, { isTold }] of heard.entries()) await isTold(`of ${names[at]}`);
  },
  async "what is published is read, and in the same words by HTTP"(dataId) {
    assert.equal(await client.publishSingle(dataId, GROUP, "v1"), true);
    assert.equal(await client.getConfig(dataId, GROUP), "v1");
    const text = "größer ✓ \u{1f490} a+b&c=d%20\n";
    assert.equal(await client.publishSingle(dataId, GROUP, text, { type: "json" }), true);
    assert.equal(await client.getConfig(dataId, GROUP), text);
    assert.equal(await read(dataId), text);
  },
  async "what is removed is gone"(dataId) {
    await client.publishSingle(dataId, GROUP, "v1");
    assert.equal(await client.remove(dataId, GROUP), true);
    assert.equal(await read(dataId), undefined);
  },
  async "a subscriber is told the first content, each change, and no more when it has left"(dataId) {
    await client.publishSingle(dataId, GROUP, "v1");
    const { told, isTold, leave } = hear(dataId);
    await isTold("v1");
    await nudge();
    for (const content of ["v2", "v3"]) {
      await client.publishSingle(dataId, GROUP, content);
      await isTold(content);
    }
    leave();
    await client.publishSingle(dataId, GROUP, "v4");
    assert.equal(await read(dataId), "v4");
    assert.equal(told.at(-1), "v3");
  },
  async "namespaces are told apart"(dataId) {
    await client.publishSingle(dataId, GROUP, "own");
    assert.deepEqual([await read(dataId), await read(dataId, "")], ["own", undefined]);
  },
};

async function main() {
  let [passed, failed] = [0, 0];
  for (const [name, run] of Object.entries(CASES)) {
    try {
      await run(`node-${process.pid}-${passed + failed}`);
      passed++;
      console.log(`ok Node: ${name}`);
    } catch (error) {
      failed++;
      console.log(`FAILED Node: ${name}\n${error.stack}`);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}

void main();
