// Application-level discovery on started servers, over sockets: two sessions, and messages as Java's protobuf wrote
// them (test/vectors).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { BoltDecoder } from "../encoding/bolt/decoder.ts";
import { encodeRequest } from "../encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_V1, type BoltFrame } from "../encoding/bolt/frame.ts";
import { REVISION_ATTRIBUTE } from "../model/appRevision.ts";
import type { MetaRegister } from "../protocols/sofa/codec/appMessages.ts";
import { decodeMessage, encodeMessage } from "../protocols/sofa/codec/codec.ts";
import type { SofaMessage } from "../protocols/sofa/codec/messages.ts";
import { PB } from "../protocols/sofa/codec/protobufClasses.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { getJson, getStatus, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: { close(): void }[] = [];
let meta: RunningServer;
let sessions: readonly [RunningServer, RunningServer];
const metaDirectory = nodes.newDirectory();

before(async () => {
  meta = await nodes.start(["meta"], { dataDir: metaDirectory });
  const at = { metaAddresses: [`127.0.0.1:${meta.ports.node}`] };
  await nodes.start(["data"], at);
  sessions = [await nodes.start(["session"], at), await nodes.start(["session"], at)];
  for (const { ports } of sessions)
    await eventually(
      () => getStatus(ports.http, "/readyz"),
      (status) => status === 200,
    );
});
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});

/** A client that sends one message after another, in protobuf. */
class ProtobufClient {
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (message: SofaMessage) => void>();
  #requests = 0;

  constructor({ ports }: RunningServer) {
    const decoder = new BoltDecoder({ frameBytesMax: 8 * 1024 * 1024 });
    this.#socket = connect(ports.bolt, "127.0.0.1");
    this.#socket.on("data", (chunk: Buffer) => decoder.push(chunk, (frame) => this.#heard(frame)));
    clients.push({ close: () => this.#socket.destroy() });
  }

  ask(className: string, content: Uint8Array): Promise<SofaMessage> {
    const id = ++this.#requests;
    const request = { id, codec: BOLT_CODEC.PROTOBUF, timeoutMs: 3_000, className: PB + className, content };
    this.#socket.write(encodeRequest(BOLT_V1, request));
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  async send(message: SofaMessage): Promise<SofaMessage> {
    const { className, content } = encodeMessage("protobuf", message);
    return this.ask(className.slice(PB.length), content);
  }

  #heard(frame: BoltFrame): void {
    if (frame.kind !== "response" || frame.command === "heartbeat") return;
    this.#waiting.get(frame.id)?.(decodeMessage("protobuf", frame.className, frame.content));
  }
}

const fromJava = (name: string) =>
  Uint8Array.from(
    Buffer.from(readFileSync(new URL(`../../test/vectors/sofa/p-${name}.hex`, import.meta.url), "utf8").trim(), "hex"),
  );

/** The content of p-MetaRegister. */
const REV1 = {
  application: "app",
  revision: "rev1",
  clientVersion: "v1",
  baseParams: new Map([["bk", { values: ["bv"] }]]),
  services: new Map([["com.example.Hello", { id: "sid", params: new Map([["k", { values: ["v1", "v2"] }]]) }]]),
};
const named = (revision: string): MetaRegister => ({ kind: "metaRegister", ...REV1, revision });

test("a revision that was registered at one session is found at the other, whole", async () => {
  const [here, there] = sessions.map((session) => new ProtobufClient(session)) as [ProtobufClient, ProtobufClient];
  const registered = await here.ask("MetaRegister", fromJava("MetaRegister"));
  assert.ok(registered.kind === "registerResponse" && registered.success, JSON.stringify(registered.kind));
  const found = await there.ask("GetRevisionsRequest", fromJava("GetRevisionsRequest"));
  assert.ok(found.kind === "getRevisionsResponse");
  assert.deepEqual(found.revisions.get("rev1"), REV1);
  const apps = await there.ask("ServiceAppMappingRequest", fromJava("ServiceAppMappingRequest"));
  assert.ok(apps.kind === "serviceAppMappingResponse" && apps.statusCode === 200);
  assert.deepEqual(apps.serviceAppMapping.get("com.example.Hello")?.apps, ["app"]);
  const renewed = await there.ask("MetaHeartbeatRequest", fromJava("MetaHeartbeatRequest"));
  assert.ok(renewed.kind === "metaHeartbeatResponse");
});

test("what is not registered is 404, and the rest is in the answer", async () => {
  const client = new ProtobufClient(sessions[0]);
  await client.send(named("rev1"));
  const found = await client.send({ kind: "getRevisionsRequest", revisions: ["rev1", "unheard-of"] });
  assert.ok(found.kind === "getRevisionsResponse");
  assert.deepEqual([found.statusCode, [...found.revisions.keys()]], [404, ["rev1"]]);
  const renewed = await client.send({ kind: "metaHeartbeatRequest", revisions: ["unheard-of"] });
  assert.ok(renewed.kind === "metaHeartbeatResponse" && renewed.statusCode === 404);
  const apps = await client.send({ kind: "serviceAppMappingRequest", serviceIds: ["com.example.Nothing"] });
  assert.ok(apps.kind === "serviceAppMappingResponse");
  assert.deepEqual(apps.serviceAppMapping.get("com.example.Nothing"), { version: -1n, apps: [] });
});

test("an instance is pushed only with a revision that is registered, and then at once", async () => {
  const [publisher, subscriber] = sessions.map(({ ports }) => new TestClient(() => ports.bolt)) as [
    TestClient,
    TestClient,
  ];
  clients.push(publisher, subscriber);
  subscriber.subscribe("shop");
  await eventually(
    () => subscriber.lists.get("shop")?.length ?? 0,
    (lists) => lists > 0,
  );
  const box = JSON.stringify({ url: "10.0.0.1:12200", revision: "rev7" });
  publisher.publish("shop", box, new Map([["!PublisherType", "APP_PUBLISHER"]]));
  const refused = async () => (await metricOf(sessions[0], "roster_requests_total", "REVISION_UNKNOWN")) > 0;
  await eventually(refused, Boolean);
  assert.deepEqual([publisher.undone, subscriber.list("shop")], [1, ""]);
  const other = new ProtobufClient(sessions[0]);
  await other.send(named("rev7"));
  await eventually(
    () => subscriber.list("shop"),
    (list) => list === box,
  );
  const found = await new ProtobufClient(sessions[1]).send({ kind: "getRevisionsRequest", revisions: ["rev7"] });
  assert.ok(found.kind === "getRevisionsResponse" && found.statusCode === 200);
  publisher.publish("shop", "10.0.0.2:12200", new Map([[REVISION_ATTRIBUTE, "rev7"]]));
  await eventually(
    () => subscriber.list("shop"),
    (list) => list === `10.0.0.2:12200 ${box}`,
  );
});

/** The sum of a counter's values that have this label. */
async function metricOf({ ports }: RunningServer, name: string, label: string): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${ports.http}/metrics`)).text();
  const lines = page.split("\n").filter((line) => line.startsWith(name) && line.includes(label));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

test("operators see revisions and services at any session, in SOFARegistry's shapes", async () => {
  await new ProtobufClient(sessions[0]).send(named("rev1"));
  const get = (path: string) => getJson<Record<string, unknown>>(sessions[1].ports.http, path);
  const ids = (await get("/digest/metadata/allRevisionIds")) as unknown as string[];
  assert.ok(ids.includes("rev1"));
  const services = (await get("/digest/metadata/allServiceMapping")) as Record<
    string,
    Record<string, { apps: string[] }>
  >;
  assert.deepEqual(services["com.example.Hello"]?.["DefaultDataCenter"]?.apps, ["app"]);
  assert.deepEqual(await get("/openapi/v1/metadata/cache?dataCenter=DefaultDataCenter"), {
    success: true,
    message: null,
    data: { dataCenter: "DefaultDataCenter", zones: ["DEFAULT_ZONE"] },
  });
});

test("operators set the cleaners' switches, and a value that is neither on nor off is refused", async () => {
  const put = async (path: string, body: string, type = "application/x-www-form-urlencoded") => {
    const url = `http://127.0.0.1:${meta.ports.metaHttp}/metaCenter/${path}`;
    const answer = await fetch(url, { method: "PUT", body, headers: { "content-type": type } });
    return { status: answer.status, body: await answer.json() };
  };
  const done = { status: 200, body: { success: true, message: null } };
  assert.deepEqual(await put("appRevisionCleaner/switch", "enabled=false"), done);
  assert.deepEqual(await put("interfaceAppsCleaner/switch", "enabled=true"), done);
  assert.deepEqual(await put("interfaceAppsIndex/renew", ""), done);
  assert.deepEqual(await put("interfaceAppsIndex/clean", ""), done);
  const columns = JSON.stringify({ serviceParams: true, serviceParamsLarge: true });
  assert.deepEqual(await put("appRevision/writeSwitch", columns, "application/json"), done);
  const query = "app_revision.cleaner.enabled%23@%239600%23@%23CONFIG";
  const { data } = await getJson<{ data: { data: string } }>(
    meta.ports.metaHttp,
    `/persistentData/query?dataInfoId=${query}`,
  );
  assert.equal(data.data, "false");
  for (const wrong of ["enabled=yes", "", "enabled=true&enabled=false", "enabled=true&more=1"]) {
    assert.equal((await put("appRevisionCleaner/switch", wrong)).status, 400, wrong);
  }
  const none = JSON.stringify({ serviceParams: false, serviceParamsLarge: false });
  assert.equal((await put("appRevision/writeSwitch", none, "application/json")).status, 400);
});

test("what was registered is there after a restart of the meta node", async () => {
  const client = new ProtobufClient(sessions[0]);
  await client.send(named("rev9"));
  const { node, metaHttp } = meta.ports;
  await nodes.stop(meta);
  meta = await nodes.start(["meta"], { dataDir: metaDirectory, nodePort: node, metaHttpPort: metaHttp });
  const fresh = await nodes.start(["session"], { metaAddresses: [`127.0.0.1:${node}`] });
  await eventually(
    () => getStatus(fresh.ports.http, "/readyz"),
    (status) => status === 200,
  );
  const found = await eventually(
    async () => new ProtobufClient(fresh).send({ kind: "getRevisionsRequest", revisions: ["rev9"] }),
    (answer) => answer.kind === "getRevisionsResponse" && answer.statusCode === 200,
  );
  assert.ok(found.kind === "getRevisionsResponse");
  assert.equal(found.revisions.get("rev9")?.application, "app");
});
