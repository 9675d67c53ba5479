// node-zookeeper-client against a server: prints `passed` if everything is as it should be. It is found where the
// client is installed.
//
// Arguments: the folder with the client, the connect string.

const assert = require("node:assert/strict");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const [folder, servers] = process.argv.slice(2);
const { createClient, CreateMode, Exception } = createRequire(join(folder, "package.json"))("node-zookeeper-client");

/** Calls a method that takes a callback at its end. */
const call = (target, method, ...args) =>
  new Promise((resolve, reject) => {
    target[method](...args, (error, ...results) => (error ? reject(error) : resolve(results)));
  });

async function main() {
  const client = createClient(servers, { sessionTimeout: 10_000 });
  await new Promise((resolve) => {
    client.once("connected", resolve);
    client.connect();
  });
  const seen = [];
  const changed = new Promise((resolve) => {
    const watcher = (event) => {
      seen.push(event.getName());
      resolve();
    };
    client.exists("/node", watcher, (error, stat) => {
      assert.ok(!error && !stat);
      client.create("/node", Buffer.from("one"), (failed, path) => assert.deepEqual([failed, path], [null, "/node"]));
    });
  });
  await changed;
  assert.deepEqual(seen, ["NODE_CREATED"]);
  const [data, stat] = await call(client, "getData", "/node");
  assert.deepEqual([String(data), stat.version], ["one", 0]);
  await assert.rejects(call(client, "setData", "/node", Buffer.from("two"), 7), { code: Exception.BAD_VERSION });
  await call(client, "setData", "/node", Buffer.from("two"), 0);
  const [path] = await call(client, "create", "/node/s-", CreateMode.EPHEMERAL_SEQUENTIAL);
  assert.equal(path, "/node/s-0000000000");
  assert.deepEqual((await call(client, "getChildren", "/node"))[0], ["s-0000000000"]);
  await assert.rejects(call(client, "remove", "/node"), { code: Exception.NOT_EMPTY });
  await call(client.transaction().create("/a").setData("/a", Buffer.from("x")).check("/a").remove("/a"), "commit");
  await call(client, "remove", path);
  await call(client, "remove", "/node");
  client.close();
  console.log("passed");
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
