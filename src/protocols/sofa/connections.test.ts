import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { beforeEach, test } from "node:test";
import { gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { type Budget, unlimitedBudget } from "../../base/budget.ts";
import { type Metrics, noMetrics } from "../../base/metrics.ts";
import type { ConnectionHandler, Log } from "../../base/ports.ts";
import { encodeHeartbeat, encodeRequest, encodeResponse } from "../../encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_STATUS, BOLT_V1, type BoltDialect } from "../../encoding/bolt/frame.ts";
import { brandServiceKey, nodeId, type ServiceKey } from "../../model/ids.ts";
import { packBoxes } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import type { ClientChannel, ClientEvent } from "../../registry/registry.ts";
import { OPEN_ACCESS } from "../kit/clientAccess.ts";
import { decodeMessage, encodeMessage, wireForm } from "./codec/codec.ts";
import type { SofaMessage, WireForm } from "./codec/messages.ts";
import { SofaConnections } from "./connections.ts";
import { baseRegister, CONFIG, publisher, SceneConnection, START_MS, subscriber } from "./testing/handlerScene.ts";

const V2_CRC: BoltDialect = { protocol: 2, version: 2, crc: true };

let events: ClientEvent[];
let logged: string[];
let budget: Budget;
let gateway: SofaConnections;
let connection: SceneConnection;
let handler: ConnectionHandler;
beforeEach(() => {
  events = [];
  logged = [];
  budget = unlimitedBudget();
  gateway = gatewayWith({});
  connection = new SceneConnection();
  handler = gateway.accept(connection, START_MS);
});

function gatewayWith(changes: Partial<typeof CONFIG>, metrics: Metrics = noMetrics): SofaConnections {
  const write = (event: string) => void logged.push(event);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const registry = { step: (event: ClientEvent) => void events.push(event) };
  const config = { ...CONFIG, ...changes };
  return new SofaConnections({
    config,
    registry,
    budget,
    access: OPEN_ACCESS,
    compression: { gzip: gzipSync, zstd: zstdCompressSync },
    log,
    metrics,
  });
}

/** All frames except the questions whether the client is there; see silence.test.ts. */
const frames = () => connection.frames.filter(({ command, kind }) => command !== "heartbeat" || kind !== "request");

function send(
  message: SofaMessage,
  {
    form = "hessian-draft",
    dialect = BOLT_V1,
    id = 1,
    kind = "request",
  }: { form?: WireForm; dialect?: BoltDialect; id?: number; kind?: "request" | "oneway" } = {},
): void {
  handler.received(encodeRequest(dialect, { kind, id, timeoutMs: 1_000, ...encodeMessage(form, message) }), START_MS);
}

const last = <Kind extends ClientEvent["kind"]>(kind: Kind) =>
  events.findLast((event): event is ClientEvent & { kind: Kind } => event.kind === kind);
const channel = (): ClientChannel => {
  const connected = last("connected");
  assert.ok(connected);
  return connected.channel;
};
function lastAnswer(): SofaMessage {
  const frame = frames().at(-1);
  assert.ok(frame);
  return decodeMessage(wireForm(frame), frame.className, frame.content);
}

const ORDERS: ServiceKey = brandServiceKey("orders#@#DEFAULT_INSTANCE_ID#@#G");
function view(addresses: [zone: string, address: string][], version = 9n) {
  const publications = addresses.map(([zone, address], at): [string, Publication] => {
    const payload = packBoxes([{ utf8: new TextEncoder().encode(address), units: address.length }]);
    const owner = { session: nodeId("s"), client: "c" as Publication["owner"]["client"] };
    return [
      `r${at}`,
      {
        serviceKey: ORDERS,
        registId: `r${at}`,
        version: 1n,
        registeredMs: 1,
        owner,
        zone,
        appName: "",
        attributes: new Map(),
        payload,
      },
    ];
  });
  return { serviceKey: ORDERS, version, publications: new Map(publications) };
}
const text = (box: { utf8: Uint8Array } | null) => (box === null ? null : new TextDecoder().decode(box.utf8));

for (const form of ["hessian-draft", "hessian-final", "protobuf"] as const) {
  for (const dialect of [BOLT_V1, V2_CRC, { protocol: 2, version: 1, crc: true }] satisfies BoltDialect[]) {
    test(`a registration in ${form} on protocol ${dialect.protocol}.${dialect.version} is answered in kind`, () => {
      send(publisher({ version: 2n ** 60n }), { form, dialect, id: 77 });
      const published = last("published");
      assert.equal(published?.publication.serviceKey, ORDERS);
      channel().answer(published?.request ?? 0, { kind: "accepted", registId: "r1", version: 2n ** 60n });
      const [frame] = frames();
      assert.ok(frame?.kind === "response" && frame.id === 77 && frame.status === BOLT_STATUS.SUCCESS);
      assert.deepEqual(
        { protocol: frame.dialect.protocol, version: frame.dialect.version },
        { protocol: dialect.protocol, version: dialect.version },
      );
      const answer = lastAnswer();
      assert.ok(
        answer.kind === "registerResponse" && answer.success && !answer.refused && answer.version === 2n ** 60n,
      );
    });
  }
}

test("a client's zone is its own; one that names none is in the node's", () => {
  const zones = [null, "", "DEFAULT_ZONE", "ZONE_B"].map((zone) => {
    send(publisher({ zone }));
    return last("published")?.publication.zone;
  });
  assert.deepEqual(zones, ["ZONE_A", "ZONE_A", "ZONE_A", "ZONE_B"]);
});

test("a heartbeat is answered with its own id", () => {
  handler.received(encodeHeartbeat(BOLT_V1, 5, 1), START_MS);
  const [frame] = frames();
  assert.ok(frame?.command === "heartbeat" && frame.kind === "response" && frame.id === 5);
});

test("oneway requests are done and not answered", () => {
  send(publisher(), { kind: "oneway" });
  const published = last("published");
  channel().answer(published?.request ?? 0, { kind: "accepted", registId: "r1", version: 1n });
  assert.deepEqual(frames(), []);
});

test("a refused field is answered in the protocol's form, with its name, and the connection stays", () => {
  send(publisher({ dataId: "" }));
  const answer = lastAnswer();
  assert.ok(
    answer.kind === "registerResponse" && !answer.success && !answer.refused && answer.message?.includes("dataId"),
  );
  assert.equal(connection.isClosed, false);
  assert.equal(last("published"), undefined);
});

for (const codec of [BOLT_CODEC.HESSIAN, BOLT_CODEC.PROTOBUF]) {
  test(`an unknown class under codec ${codec} is answered as the real server does, and the connection stays`, () => {
    const request = { id: 3, codec, timeoutMs: 1, className: "com.example.Evil", content: new Uint8Array([0x4e]) };
    handler.received(encodeRequest(BOLT_V1, request), START_MS);
    const [frame] = frames();
    assert.ok(frame?.kind === "response" && frame.status === BOLT_STATUS.SERVER_EXCEPTION);
    assert.equal(frame.codec, BOLT_CODEC.HESSIAN);
    const answer = lastAnswer();
    assert.ok(
      answer.kind === "rpcServerException" &&
        answer.message?.includes("No user processor found for request: com.example.Evil"),
    );
  });
}

test("an unreadable content is answered with status 0x12, and the connection stays", () => {
  const { className } = encodeMessage("hessian-draft", publisher());
  handler.received(
    encodeRequest(BOLT_V1, { id: 3, codec: 1, timeoutMs: 1, className, content: new Uint8Array([0x4f, 0xff]) }),
    START_MS,
  );
  const [frame] = frames();
  assert.ok(frame?.kind === "response" && frame.status === BOLT_STATUS.SERVER_DESERIALIZE);
  assert.equal(connection.isClosed, false);
});

for (const [what, bytes] of [
  ["garbage", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
  [
    "a frame that declares 2 GB",
    Uint8Array.of(1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0x7f, 0xff, 0xff, 0xff),
  ],
] as const) {
  test(`${what} closes the connection, and the client counts as gone`, () => {
    handler.received(bytes, START_MS);
    assert.equal(connection.isClosed, true);
    assert.equal(last("disconnected")?.kind, "disconnected");
    assert.deepEqual(logged, ["a connection was closed"]);
  });
}

test("nothing is told of a connection after its end, and the end is told once", () => {
  handler.received(Uint8Array.of(9), START_MS);
  handler.received(Uint8Array.of(9), START_MS);
  handler.closed(START_MS);
  assert.equal(events.filter(({ kind }) => kind === "disconnected").length, 1);
});

test("a client that is silent for client-idle-ms is closed, one with heartbeats is not", () => {
  const other = new SceneConnection();
  const otherHandler = gateway.accept(other, START_MS);
  otherHandler.received(encodeHeartbeat(BOLT_V1, 1, 1), START_MS + 15_000);
  gateway.closeIdle(START_MS + 20_000);
  assert.deepEqual([connection.isClosed, other.isClosed], [true, false]);
});

test("a client whose bytes wait for their turn is not silent", () => {
  connection.hasUnread = true;
  gateway.closeIdle(START_MS + 20_000);
  assert.equal(connection.isClosed, false);
  connection.hasUnread = false;
  gateway.closeIdle(START_MS + 20_500);
  assert.equal(connection.isClosed, true);
});

test("a frame that is sent byte by byte for a minute is not waited for any longer", () => {
  const whole = encodeRequest(BOLT_V1, {
    id: 1,
    codec: 1,
    timeoutMs: 1,
    className: "x",
    content: new Uint8Array(1_000),
  });
  for (let second = 0; second <= 60; second++) {
    handler.received(whole.subarray(second, second + 1), START_MS + second * 1_000);
    gateway.closeIdle(START_MS + second * 1_000);
  }
  assert.equal(connection.isClosed, true);
});

test("a register whose boxes refer to one another to be more than a frame holds is refused before it is packed", () => {
  const large = { utf8: new Uint8Array(900_000).fill(0x61), units: 900_000 };
  const register = { kind: "publisherRegister", ...baseRegister(), dataList: [large] } as const;
  const { className, content } = encodeMessage("hessian-draft", register);
  // The list of one box becomes a list of that box and three references to it.
  const end = content.lastIndexOf(0x7a);
  const start = content.indexOf(0x56);
  assert.ok(start > 0 && end > start);
  const reference = Uint8Array.of(0x4a, 0x02);
  const references = Buffer.concat([reference, reference, reference]);
  const grown = Buffer.concat([content.subarray(0, end), references, content.subarray(end)]);
  grown[start + 2] = 4;
  handler.received(encodeRequest(BOLT_V1, { id: 1, codec: 1, timeoutMs: 1, className, content: grown }), START_MS);
  const answer = lastAnswer();
  assert.ok(
    answer.kind === "registerResponse" && !answer.success && answer.message?.includes("dataList"),
    JSON.stringify(answer, (_, v) => (typeof v === "bigint" ? String(v) : v)),
  );
});

for (const [what, message, bytesMax] of [
  ["a subscriber", subscriber(), 128 * 1024],
  ["a publisher", publisher(), 128 * 1024 + 1.5 * CONFIG.registrationBytesMax],
] as const) {
  test(`${what} longer than any legal one is refused unread, with the bound, and the connection stays`, () => {
    gateway = gatewayWith({ frameBytesMax: 16 * 1024 * 1024 });
    connection = new SceneConnection();
    handler = gateway.accept(connection, START_MS);
    const { className } = encodeMessage("hessian-draft", message);
    const content = new Uint8Array(bytesMax + 1);
    handler.received(encodeRequest(BOLT_V1, { id: 1, codec: 1, timeoutMs: 1, className, content }), START_MS);
    const answer = lastAnswer();
    assert.ok(answer.kind === "rpcServerException" && answer.message?.includes(`bytesMax=${bytesMax}`));
    assert.equal(connection.isClosed, false);
  });
}

test("operators see how many clients are connected, from the first to the last", () => {
  const gauges: [string, number][] = [];
  const set = (name: string, ...rest: readonly [number, ...unknown[]]) => void gauges.push([name, rest[0]]);
  gateway = gatewayWith({}, { ...noMetrics, set });
  const handlers = [1, 2].map(() => gateway.accept(new SceneConnection(), START_MS));
  for (const each of handlers) each.closed(START_MS);
  assert.deepEqual(
    gauges,
    [1, 2, 1, 0].map((open) => ["roster_client_connections", open]),
  );
});

test("a client that comes back from its own port before its end is noticed is another one", () => {
  gateway.accept(new SceneConnection(), START_MS);
  const ids = events.flatMap((event) => (event.kind === "connected" ? [event.client] : []));
  assert.equal(new Set(ids).size, 2);
});

test("a zone subscriber is shown its own zone, others all zones, each with its counts", () => {
  const list = view([
    ["ZONE_A", "a"],
    ["ZONE_B", "b"],
  ]);
  for (const [scope, zones] of [
    ["zone", ["ZONE_A"]],
    ["dataCenter", ["ZONE_A", "ZONE_B"]],
    ["global", ["ZONE_A", "ZONE_B"]],
  ] as const) {
    send(subscriber({ scope }));
    const { variant = "", zone = "" } = last("subscribed")?.subscription ?? {};
    channel().push({ id: 1, view: list, scope, zone, variant, registIds: ["r1", "r2"] });
    const pushed = lastAnswer();
    assert.ok(pushed.kind === "receivedData");
    assert.deepEqual([...(pushed.data?.keys() ?? [])], zones);
    assert.deepEqual(
      [...(pushed.dataCount?.values() ?? [])],
      zones.map(() => 1),
    );
    assert.deepEqual(
      [pushed.subscriberRegistIds, pushed.localZone, pushed.segment, pushed.version],
      [["r1", "r2"], "ZONE_A", "DefaultDataCenter", 9n],
    );
  }
});

for (const [encoding, uncompress] of [["gzip", gunzipSync]] as const) {
  test(`a protobuf subscriber that accepts ${encoding} gets large lists compressed and small ones plain`, () => {
    send(subscriber({ acceptEncoding: `br, ${encoding}` }), { form: "protobuf" });
    const { variant = "", zone = "" } = last("subscribed")?.subscription ?? {};
    const push = { id: 1, scope: "dataCenter", zone, variant, registIds: ["r1"] } as const;
    channel().push({ ...push, view: view([["Z", "x".repeat(500)]], 9n) });
    const large = lastAnswer();
    assert.ok(
      large.kind === "receivedData" && large.compressed?.encoding === encoding && (large.data?.size ?? 0) === 0,
    );
    assert.equal(uncompress(large.compressed.body).length, large.compressed.originBodySize);
    channel().push({ ...push, view: view([["Z", "x"]], 10n) });
    const small = lastAnswer();
    assert.ok(small.kind === "receivedData" && text(small.data?.get("Z")?.[0] ?? null) === "x");
  });
}

test("a Hessian subscriber is never sent compressed lists, whatever it accepts", () => {
  send(subscriber({ acceptEncoding: "zstd,gzip" }));
  assert.equal(last("subscribed")?.subscription.variant, "hessian-draft plain");
});

test("all data centers in one message only go to those who asked, and only with global scope", () => {
  send(subscriber({ scope: "dataCenter", acceptMulti: true }));
  const answer = lastAnswer();
  assert.ok(answer.kind === "rpcServerException" && answer.message?.includes("scope=dataCenter is not equals global"));
  send(subscriber({ scope: "global", acceptMulti: true }));
  const { variant = "", zone = "" } = last("subscribed")?.subscription ?? {};
  channel().push({ id: 1, view: view([["Z", "x"]]), scope: "global", zone, variant, registIds: ["r1"] });
  const pushed = lastAnswer();
  assert.ok(pushed.kind === "multiReceivedData" && [...pushed.multiData.keys()][0] === "DefaultDataCenter");
});

test("a protobuf subscriber may take all data centers in one message with any scope, as at the real server", () => {
  send(subscriber({ scope: "zone", acceptMulti: true }), { form: "protobuf" });
  assert.equal(last("subscribed")?.subscription.variant, "protobuf plain multi");
});

test("pushes of one version are the same bytes up to the receivers' names, the next one's are others", () => {
  const push = { id: 1, scope: "dataCenter", zone: "Z", variant: "hessian-draft plain", registIds: ["r1"] } as const;
  const [first, next] = [view([["Z", "a"]], 9n), view([["Z", "b"]], 10n)];
  const contents = [first, first, next].map((list) => {
    channel().push({ ...push, view: list });
    const pushed = lastAnswer();
    return pushed.kind === "receivedData" ? text(pushed.data?.get("Z")?.[0] ?? null) : undefined;
  });
  assert.deepEqual(contents, ["a", "a", "b"]);
});

test("a push is held back while the client has too much unread", () => {
  connection.bufferedBytes = 2 * 1024 * 1024;
  const push = {
    id: 1,
    view: view([]),
    scope: "dataCenter",
    zone: "Z",
    variant: "hessian-draft plain",
    registIds: ["r1"],
  } as const;
  assert.equal(channel().push(push), "blocked");
  assert.deepEqual(frames(), []);
});

test("a client that asks without ever reading the answers is closed at the output bound", () => {
  connection.bufferedBytes = CONFIG.clientOutputBytesMax + 1;
  send({ kind: "syncConfigRequest", dataCenter: null, zone: null });
  assert.equal(connection.isClosed, true);
});

test("the client's answer to a push comes back with the push's id and whether it was taken", () => {
  for (const success of [true, false]) {
    const { className, content, codec } = encodeMessage("hessian-draft", { kind: "result", success, message: null });
    handler.received(
      encodeResponse(BOLT_V1, { id: 42, codec, status: BOLT_STATUS.SUCCESS, className, content }),
      START_MS,
    );
    assert.deepEqual([last("pushAnswered")?.push, last("pushAnswered")?.isTaken], [42, success]);
  }
});

test("an answer to a push that says success in a content that nobody can read counts as taken", () => {
  for (const content of [new Uint8Array(0), Uint8Array.of(1, 2, 3)]) {
    const response = { id: 42, codec: 1, status: BOLT_STATUS.SUCCESS, className: "com.example.Ok", content };
    handler.received(encodeResponse(BOLT_V1, response), START_MS);
    assert.equal(last("pushAnswered")?.isTaken, true);
  }
  assert.equal(connection.isClosed, false);
});

test("a registration that is refused again and again is logged once", () => {
  for (let at = 0; at < 10; at++) send(publisher({ dataId: "" }));
  assert.deepEqual(logged, ["a registration was refused"]);
});

test("the segments that clients may see are the data center's", () => {
  send({ kind: "syncConfigRequest", dataCenter: "x", zone: "y" });
  const answer = lastAnswer();
  assert.ok(answer.kind === "syncConfigResponse" && answer.success);
  assert.deepEqual(answer.availableSegments, ["DefaultDataCenter"]);
});

test("frames captured from the real client are understood", () => {
  for (const name of [
    "r-req-PublisherRegister",
    "r-req-SubscriberRegister",
    "r-req-ConfiguratorRegister",
    "r-req-PublisherRegister-unregister",
  ]) {
    const hex = readFileSync(new URL(`../../../test/vectors/sofa/${name}.hex`, import.meta.url), "utf8");
    handler.received(Buffer.from(hex.trim(), "hex"), START_MS);
  }
  assert.deepEqual(
    events.map(({ kind }) => kind),
    ["connected", "published", "subscribed", "watchedConfig", "unpublished"],
  );
});
