// Pushes by UDP at a whole node, with a socket as clients of Nacos 1.x have it.

import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { after, before, type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { askNacos } from "./testing/nacosPort.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());

let server: RunningServer;
before(async () => {
  server = await started({});
});

async function started(config: Parameters<TestNodes["start"]>[1]): Promise<RunningServer> {
  const node = await nodes.start(["meta", "data", "session"], config);
  await eventually(
    () => askNacos(node, "GET /v1/console/health/readiness"),
    ({ status }) => status === 200,
  );
  return node;
}

/** A socket that acknowledges lists, and the addresses in each of them. */
async function receiver(t: TestContext): Promise<{ socket: Socket; port: number; lists: string[][] }> {
  const socket = createSocket("udp4");
  t.after(() => socket.close());
  const lists: string[][] = [];
  socket.on("message", (bytes, { address, port }) => {
    const { type, data, lastRefTime } = JSON.parse(String(bytes[0] === 0x1f ? gunzipSync(bytes) : bytes));
    assert.equal(type, "dom");
    const { hosts, name } = JSON.parse(data);
    assert.match(name, /^DEFAULT_GROUP@@/);
    lists.push(hosts.map(({ ip }: { ip: string }) => ip).sort());
    socket.send(JSON.stringify({ type: "push-ack", lastRefTime: String(lastRefTime), data: "" }), port, address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { socket, port: socket.address().port, lists };
}

const lastOf = (lists: readonly string[][]) => async () => lists.at(-1);

test("a client of Nacos 1.x that names a port gets each list there, also one of many instances", async (t) => {
  const { port, lists } = await receiver(t);
  const register = (ip: string) => askNacos(server, "POST /v1/ns/instance", { serviceName: "pushed", ip, port: "80" });
  await register("10.8.0.1");
  await askNacos(server, `GET /v1/ns/instance/list?serviceName=pushed&udpPort=${port}&clientIP=10.0.0.9`);
  await eventually(lastOf(lists), (last) => last?.length === 1);
  const many = Array.from({ length: 20 }, (_, at) => `10.8.1.${at}`);
  for (const ip of many) await register(ip);
  await eventually(lastOf(lists), (last) => last?.length === 21);
  await askNacos(server, "DELETE /v1/ns/instance?serviceName=pushed&ip=10.8.0.1&port=80");
  await eventually(lastOf(lists), (last) => last?.length === 20 && !last.includes("10.8.0.1"));
});

test("a port that is no number is refused, and the server goes on", async () => {
  for (const port of ["x", "70000", "-1", "1.5"]) {
    const { status, text } = await askNacos(server, `GET /v1/ns/instance/list?serviceName=pushed&udpPort=${port}`);
    assert.equal(status, 400);
    assert.match(text, /udpPort/);
  }
});

test("without nacos-udp-push nothing is sent", async (t) => {
  const quiet = await started({ nacosUdpPush: false });
  const { port, lists } = await receiver(t);
  await askNacos(quiet, `GET /v1/ns/instance/list?serviceName=quiet&udpPort=${port}`);
  await askNacos(quiet, "POST /v1/ns/instance", { serviceName: "quiet", ip: "10.8.0.1", port: "80" });
  const { json } = await askNacos(quiet, `GET /v1/ns/instance/list?serviceName=quiet&udpPort=${port}`);
  assert.equal(json.hosts.length, 1);
  assert.deepEqual(lists, []);
});
