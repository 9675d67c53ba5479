// What no client of Nacos sends by gRPC: each is refused in the protocol's own form, and others do not notice.

import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { encodePayload } from "../protocols/nacos/codec/payload.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNacosClient } from "./testing/nacosClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
let server: RunningServer;
let client: TestNacosClient;
before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  client = await TestNacosClient.connect(server);
});
after(async () => {
  client.close();
  await nodes.close();
});

const UNARY = "/Request/request";
const service = { namespace: "", groupName: "", serviceName: "orders" };
const instance = { ip: "10.0.0.1", port: 80 };
const register = (changes: object) => ({ ...service, type: "registerInstance", instance: { ...instance, ...changes } });

const REFUSED: readonly (readonly [type: string, body: object | string, answer: string, errorCode: number])[] = [
  ["NoSuchRequest", {}, "ErrorResponse", 302],
  ["__proto__", {}, "ErrorResponse", 302],
  ["constructor", {}, "ErrorResponse", 302],
  ["InstanceRequest", "{", "ErrorResponse", 502],
  ["InstanceRequest", "[".repeat(100_000), "ErrorResponse", 502],
  ["InstanceRequest", "[]", "ErrorResponse", 400],
  ["InstanceRequest", "", "InstanceResponse", 400],
  ["InstanceRequest", { ...service, type: "burnInstance", instance }, "InstanceResponse", 400],
  ["InstanceRequest", { ...register({}), serviceName: "" }, "InstanceResponse", 400],
  ["InstanceRequest", { ...register({}), serviceName: 5 }, "InstanceResponse", 400],
  ["InstanceRequest", { ...register({}), serviceName: "a@@@b" }, "InstanceResponse", 400],
  ["InstanceRequest", { ...register({}), namespace: "a b" }, "InstanceResponse", 400],
  ["InstanceRequest", { ...register({}), groupName: "a/b" }, "InstanceResponse", 400],
  ["InstanceRequest", { ...register({}), instance: undefined }, "InstanceResponse", 400],
  ["InstanceRequest", { ...register({}), instance: "10.0.0.1" }, "InstanceResponse", 400],
  ["InstanceRequest", register({ ip: "" }), "InstanceResponse", 400],
  ["InstanceRequest", register({ ip: 10 }), "InstanceResponse", 400],
  ["InstanceRequest", register({ port: -1 }), "InstanceResponse", 400],
  ["InstanceRequest", register({ port: 1.5 }), "InstanceResponse", 400],
  ["InstanceRequest", register({ port: "80" }), "InstanceResponse", 400],
  ["InstanceRequest", register({ weight: "much" }), "InstanceResponse", 400],
  ["InstanceRequest", register({ weight: -1 }), "InstanceResponse", 400],
  ["InstanceRequest", register({ healthy: "yes" }), "InstanceResponse", 400],
  ["InstanceRequest", register({ metadata: [] }), "InstanceResponse", 400],
  ["InstanceRequest", register({ metadata: { a: {} } }), "InstanceResponse", 400],
  ["InstanceRequest", register({ clusterName: "a,b" }), "InstanceResponse", 400],
  ["InstanceRequest", register({ instanceId: "x".repeat(2_000) }), "InstanceResponse", 400],
  ["BatchInstanceRequest", { ...service, type: "registerInstance", instances: [] }, "BatchInstanceResponse", 400],
  ["BatchInstanceRequest", { ...service, type: "batchRegisterInstance", instances: {} }, "BatchInstanceResponse", 400],
  ["BatchInstanceRequest", { ...service, type: "batchRegisterInstance", instances: [1] }, "BatchInstanceResponse", 400],
  ["PersistentInstanceRequest", { ...service, type: "registerInstance", instance: {} }, "InstanceResponse", 400],
  ["ServiceQueryRequest", { ...service, cluster: 5 }, "QueryServiceResponse", 400],
  ["ServiceQueryRequest", { ...service, cluster: "x".repeat(2_000) }, "QueryServiceResponse", 400],
  ["ServiceQueryRequest", { ...service, healthyOnly: "no" }, "QueryServiceResponse", 400],
  ["SubscribeServiceRequest", { ...service, subscribe: "yes" }, "SubscribeServiceResponse", 400],
  ["SubscribeServiceRequest", { subscribe: true }, "SubscribeServiceResponse", 400],
  ["ServiceListRequest", { ...service, pageNo: 0 }, "ServiceListResponse", 400],
  ["ServiceListRequest", { ...service, groupName: "a b" }, "ServiceListResponse", 400],
  ["NamingFuzzyWatchRequest", { watchType: "WATCH", groupKeyPattern: "a>>b" }, "NamingFuzzyWatchResponse", 400],
  [
    "NamingFuzzyWatchRequest",
    { watchType: "WATCH", groupKeyPattern: `${"n".repeat(2_000)}>>*>>*` },
    ...["NamingFuzzyWatchResponse", 400],
  ] as const,
  ["NamingFuzzyWatchRequest", { watchType: "STARE" }, "NamingFuzzyWatchResponse", 400],
];

for (const [type, body, answer, errorCode] of REFUSED) {
  test(`${type} with ${JSON.stringify(body)?.slice(0, 80)} is refused`, async () => {
    const refused = await client.ask(type, body);
    assert.deepEqual([refused.type, refused.body.resultCode, refused.body.errorCode], [answer, 500, errorCode]);
    assert.equal(refused.body.success, false);
    assert.equal((await client.ask("HealthCheckRequest")).type, "HealthCheckResponse");
  });
}

test("names that mean something to JavaScript are names of metadata like any other", async () => {
  const metadata = '{"__proto__":"p","constructor":"c"}';
  const instanceText = `{"ip":"10.0.0.1","port":1,"metadata":${metadata}}`;
  const body = `{"serviceName":"proto","type":"registerInstance","instance":${instanceText}}`;
  assert.equal((await client.ask("InstanceRequest", body)).body.resultCode, 200);
  const { body: found } = await client.ask("ServiceQueryRequest", { ...service, serviceName: "proto" });
  assert.equal(JSON.stringify(found.serviceInfo.hosts[0].metadata), metadata);
});

const CALLS: readonly (readonly [what: string, path: string, bytes: Uint8Array, status: string])[] = [
  ["another method", "/Request/other", new Uint8Array(5), "12"],
  ["a second stream", "/BiRequestStream/requestBiStream", new Uint8Array(0), "3"],
  ["a compressed message", UNARY, Uint8Array.of(1, 0, 0, 0, 0), "12"],
  ["a message that is too long", UNARY, Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff), "8"],
  ["a message cut short", UNARY, Uint8Array.of(0, 0, 0, 0, 9, 1), "3"],
];

for (const [what, path, bytes, status] of CALLS) {
  test(`${what} ends the call, and not the connection`, async () => {
    assert.equal((await client.call(path, bytes)).status, status);
    assert.equal((await client.ask("HealthCheckRequest")).type, "HealthCheckResponse");
  });
}

test("bytes that are no protobuf are answered with 502", async () => {
  const { messages } = await client.call(UNARY, Uint8Array.of(0, 0, 0, 0, 2, 0xff, 0xff));
  assert.deepEqual([messages[0]?.type, messages[0]?.body.errorCode], ["ErrorResponse", 502]);
});

test("a stream with something that is no message ends its client alone", async () => {
  for (const bytes of [
    Uint8Array.of(1, 0, 0, 0, 0),
    Buffer.concat(encodePayload("SomeResponse", [Buffer.from("{")])),
  ]) {
    const broken = await TestNacosClient.connect(server);
    const closed = once(broken.session, "close");
    broken.stream.write(bytes);
    await closed;
  }
  assert.equal((await client.ask("HealthCheckRequest")).type, "HealthCheckResponse");
});

test("a setup with wrong types ends its client alone", async () => {
  const broken = new TestNacosClient(server.ports.nacosGrpc);
  await eventually(
    () => broken.ask("ServerCheckRequest"),
    ({ type }) => type === "ServerCheckResponse",
  );
  const closed = once(broken.session, "close");
  broken.setUp({ labels: [1] });
  await closed;
});

test("a client of another protocol is closed", async () => {
  const socket = connect(server.ports.nacosGrpc, "127.0.0.1");
  socket.write("GET /nacos HTTP/1.1\r\n\r\n");
  socket.resume();
  await once(socket, "close");
});
