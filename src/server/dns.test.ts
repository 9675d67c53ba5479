// DNS at a whole node, asked by Node's own resolver (c-ares), and by bytes where a resolver would not send them.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { hex, readAnswer } from "../encoding/dns/testing/readAnswer.ts";
import type { RunningServer } from "./start.ts";
import { askEureka, eurekaBody } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
after(() => nodes.close());
const clients = new Set<TestClient>();
after(() => {
  for (const client of clients) client.close();
});

let server: RunningServer;
let port: number;
const resolver = new Resolver({ timeout: 2_000, tries: 2 });
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  port = server.ports.dns ?? 0;
  resolver.setServers([`127.0.0.1:${port}`]);
});

const isUnknown = (error: NodeJS.ErrnoException) => error.code === "ENOTFOUND";

test("instances of every protocol are found, without regard to case", async () => {
  await assert.rejects(resolver.resolve4("orders.service.consul"), isUnknown);
  const { status } = await askEureka(server, "POST /apps/ORDERS", eurekaBody("orders"));
  assert.equal(status, 204);
  const client = new TestClient(() => server.ports.bolt ?? 0);
  clients.add(client);
  client.publish("orders", "10.0.0.9:12200?weight=200");
  const found = async () => (await resolver.resolve4("Orders.Service.Consul")).sort();
  await eventually(found, (addresses) => addresses.join() === "10.0.0.1,10.0.0.9");
  const srv = await resolver.resolveSrv("_orders._tcp.service.consul");
  srv.sort((one, other) => one.port - other.port);
  assert.deepEqual(srv, [
    { name: "0a000001.addr.dc1.consul", port: 8_080, priority: 1, weight: 1, type: "SRV" },
    { name: "0a000009.addr.dc1.consul", port: 12_200, priority: 1, weight: 2, type: "SRV" },
  ]);
  assert.deepEqual(await resolver.reverse("10.0.0.9"), ["orders.service.consul"]);
  client.close();
  await eventually(found, (addresses) => addresses.join() === "10.0.0.1");
});

test("over UDP a few of many instances are answered, over TCP all", async () => {
  for (let at = 0; at < 30; at++) {
    const changes = { instanceId: `crowd-${at}`, ipAddr: `10.0.1.${at}` };
    assert.equal((await askEureka(server, "POST /apps/CROWD", eurekaBody("crowd", changes))).status, 204);
  }
  const question = "0001 0100 0001 0000 0000 0000 0563726f7764 0773657276696365 06636f6e73756c 00 0001 0001";
  await eventually(
    () => overUdp(question),
    ({ answers }) => answers.length === 3,
  );
  assert.equal((await overTcp(hex(lengthOf(question) + question))).length, 30);
});

test("bytes that are no query are answered with a format error, or not at all, and the port goes on", async () => {
  assert.equal((await overUdp("cafe 0100 0002 0000 0000 0000")).code, 1);
  const socket = createSocket("udp4");
  for (const bytes of [new Uint8Array(0), hex("cafe"), hex("cafe 8180 0001 0000 0000 0000"), new Uint8Array(20_000)]) {
    socket.send(bytes, port, "127.0.0.1");
  }
  socket.close();
  assert.equal((await overUdp("cafe 0100 0001 0000 0000 0000 06636f6e73756c 00 0006 0001")).answers.length, 1);
});

test("a TCP client that announces more than a query can have is cut off, and none else", async () => {
  const socket = connect(port, "127.0.0.1");
  socket.write(hex("ffff 00"));
  await once(socket, "close");
  assert.ok(
    (await server.page.render(""))?.body.includes('roster_dns_queries_total{transport="tcp",outcome="malformed"}'),
  );
});

test("a version of EDNS that is not known and an opcode that is not served are said", async () => {
  const NOT_IMPLEMENTED = 4;
  assert.equal((await overUdp("cafe 2800 0001 0000 0000 0000 06636f6e73756c 00 0006 0001")).code, NOT_IMPLEMENTED);
  const edns1 = await overUdp("cafe 0100 0001 0000 0000 0001 06636f6e73756c 00 0006 0001 00 0029 04d0 00010000 0000");
  assert.deepEqual([edns1.code, edns1.hasEdns, edns1.answers.length], [0, true, 0]);
});

function lengthOf(question: string): string {
  return hex(question).length.toString(16).padStart(4, "0");
}

async function overUdp(question: string) {
  const socket = createSocket("udp4");
  socket.send(hex(question), port, "127.0.0.1");
  const [bytes] = await once(socket, "message");
  socket.close();
  return readAnswer(bytes);
}

/** The answers to two questions that come in pieces, of which the second answer counts. */
async function overTcp(message: Uint8Array) {
  const socket = connect(port, "127.0.0.1");
  socket.write(message.subarray(0, 1));
  socket.write(message.subarray(1));
  socket.write(message);
  let bytes = Buffer.alloc(0);
  const lengthAt = (at: number) => (bytes.length < at + 2 ? Number.POSITIVE_INFINITY : bytes.readUInt16BE(at));
  for await (const chunk of socket) {
    bytes = Buffer.concat([bytes, chunk]);
    const first = 2 + lengthAt(0);
    if (bytes.length >= first + 2 + lengthAt(first)) break;
  }
  return readAnswer(bytes.subarray(4 + lengthAt(0))).answers;
}
