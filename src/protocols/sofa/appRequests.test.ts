// Application-level discovery at a client's connection, with the session played by the test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { textOf } from "../../base/text.ts";
import { BOLT_STATUS } from "../../encoding/bolt/frame.ts";
import { type AppRevision, REVISION_ATTRIBUTE } from "../../model/appRevision.ts";
import type { AppEvent } from "../../registry/apps.ts";
import type { AskedClient } from "../kit/clientAccess.ts";
import type { MetaRegister } from "./codec/appMessages.ts";
import { decodeMessage } from "./codec/codec.ts";
import type { PublisherRegister, SofaMessage } from "./codec/messages.ts";
import { withRevisions } from "./namedRevisions.ts";
import { baseRegister, handlerScene, START_MS } from "./testing/handlerScene.ts";

const META_REGISTER: MetaRegister = {
  kind: "metaRegister",
  application: "shop",
  revision: "r1",
  clientVersion: "v1",
  baseParams: new Map([["region", { values: ["a", "b"] }]]),
  services: new Map([["com.example.Orders", { id: "o1", params: new Map([["timeout", { values: ["3000"] }]]) }]]),
};

/** A client, the questions that reach its session, and the answers that reach it. */
function scene(parts: Pick<NonNullable<Parameters<typeof handlerScene>[0]>, "access"> = {}) {
  const asked: AppEvent[] = [];
  const { send, connection, responses, ...rest } = handlerScene({
    ...parts,
    onAppEvent: (event) => void asked.push(event),
  });
  const request = (message: SofaMessage) => {
    send(message, { form: "protobuf", id: connection.frames.length + 1 });
    return asked.splice(0).at(-1);
  };
  const answer = () => {
    const frame = responses().at(-1);
    assert.ok(frame?.kind === "response");
    assert.equal(frame.status, BOLT_STATUS.SUCCESS);
    return decodeMessage("protobuf", frame.className, frame.content);
  };
  return { ...rest, responses, request, answer };
}

/** Registers and returns the session's form of it. */
function registered({ request }: Pick<ReturnType<typeof scene>, "request">, changes: Partial<MetaRegister> = {}) {
  const event = request({ ...META_REGISTER, ...changes });
  return event?.kind === "registeredRevision" ? event : undefined;
}

test("a revision is registered with its services, and answered when the session does", () => {
  const one = scene();
  const event = registered(one);
  assert.deepEqual([event?.revision.id, event?.revision.application], ["r1", "shop"]);
  assert.deepEqual(event?.revision.services, ["com.example.Orders"]);
  assert.equal(event?.untilMs, START_MS + 2_500);
  assert.equal(one.responses().length, 0);
  event?.asker.answer({ error: undefined });
  const base = { kind: "registerResponse", registId: "", version: 0n, refused: false };
  assert.deepEqual(one.answer(), { ...base, success: true, message: "" });
  registered(one)?.asker.answer({ error: fail("REVISIONS_UNAVAILABLE") });
  const answer = one.answer();
  assert.ok(answer.kind === "registerResponse" && !answer.success);
  assert.match(answer.message ?? "", /REVISIONS_UNAVAILABLE/);
});

for (const [what, changes] of [
  ["a revision without a name", { revision: "" }],
  ["an application without a name", { application: "" }],
  ["a service with a name of a control character", { services: new Map([["a\u0007", { id: "", params: new Map() }]]) }],
  ["half a megabyte", { clientVersion: "x".repeat(512 * 1024) }],
] as const) {
  test(`${what} is refused, and the session does not hear of it`, () => {
    const one = scene();
    assert.equal(registered(one, changes), undefined);
    const [frame] = one.responses();
    assert.ok(frame?.kind === "response");
    const answer = frame.status === BOLT_STATUS.SUCCESS ? one.answer() : undefined;
    assert.ok(answer === undefined || (answer.kind === "registerResponse" && !answer.success));
  });
}

test("revisions are answered as they were registered; one that is not there is 404, and no answer 500", () => {
  const one = scene();
  const revision = registered(one)?.revision as AppRevision;
  const ask = (...revisions: string[]) => {
    const event = one.request({ kind: "getRevisionsRequest", revisions });
    return event?.kind === "askedRevisions" ? event : undefined;
  };
  const event = ask("r1", "r2", "r1", "not a name");
  assert.deepEqual(event?.ids, ["r1", "r2"]);
  const found = new Map([["r1", revision]]);
  event?.asker.answer({ found, unknown: ["r2"], error: undefined });
  const { kind: _, ...content } = META_REGISTER;
  assert.deepEqual(one.answer(), {
    kind: "getRevisionsResponse",
    revisions: new Map([["r1", content]]),
    statusCode: 404,
    message: "not registered: not a name, r2",
  });
  ask("r1")?.asker.answer({ found, unknown: [], error: undefined });
  assert.equal(statusOf(one.answer()), 200);
  ask("r1")?.asker.answer({ found: new Map(), unknown: [], error: fail("REVISIONS_UNAVAILABLE") });
  assert.equal(statusOf(one.answer()), 500);
});

test("an answer has four megabytes of revisions at most, and says that there are more", () => {
  const one = scene();
  const revision = registered(one)?.revision as AppRevision;
  const large = { ...revision, content: new Uint8Array(1024 * 1024) };
  const event = one.request({ kind: "getRevisionsRequest", revisions: ["r1"] });
  assert.ok(event?.kind === "askedRevisions");
  const found = new Map(Array.from({ length: 6 }, (_, at) => [`r${at}`, large]));
  event.asker.answer({ found, unknown: [], error: undefined });
  const [frame] = one.responses().slice(-1);
  assert.ok((frame?.content.length ?? 0) < 5 * 1024 * 1024);
});

test("a heartbeat is answered by what the session knows", () => {
  const one = scene();
  const ask = (...revisions: string[]) => {
    const event = one.request({ kind: "metaHeartbeatRequest", revisions });
    return event?.kind === "renewedRevisions" ? event : undefined;
  };
  ask("r1")?.asker.answer({ unknown: [], error: undefined });
  assert.deepEqual(one.answer(), { kind: "metaHeartbeatResponse", statusCode: 200, message: "" });
  ask("r1")?.asker.answer({ unknown: ["r1"], error: undefined });
  assert.deepEqual(one.answer(), { kind: "metaHeartbeatResponse", statusCode: 404, message: "not registered: r1" });
  ask("r1")?.asker.answer({ unknown: [], error: fail("REVISIONS_UNAVAILABLE") });
  assert.equal(statusOf(one.answer()), 500);
});

test("services are answered with their applications; one that has none has version -1", () => {
  const one = scene();
  const event = one.request({ kind: "serviceAppMappingRequest", serviceIds: ["orders", "none", "orders", "\u0007"] });
  assert.ok(event?.kind === "askedServiceApps");
  assert.deepEqual(event.services, ["orders", "none"]);
  const services = [
    { service: "orders", version: 1n << 53n, applications: ["shop", "mall"] },
    { service: "none", version: 5n, applications: [] },
  ];
  event.asker.answer({ services, error: undefined });
  assert.deepEqual(one.answer(), {
    kind: "serviceAppMappingResponse",
    serviceAppMapping: new Map([
      ["orders", { version: 1n << 53n, apps: ["shop", "mall"] }],
      ["none", { version: -1n, apps: [] }],
      ["\u0007", { version: -1n, apps: [] }],
    ]),
    statusCode: 200,
    message: "",
  });
});

test("a request that names nothing is an exception, as in the real server", () => {
  const one = scene();
  for (const message of [
    { kind: "getRevisionsRequest", revisions: [] },
    { kind: "metaHeartbeatRequest", revisions: [] },
    { kind: "serviceAppMappingRequest", serviceIds: [] },
  ] as const) {
    assert.equal(one.request(message), undefined);
    const frame = one.responses().at(-1);
    assert.ok(frame?.kind === "response" && frame.status === BOLT_STATUS.SERVER_EXCEPTION);
    const exception = decodeMessage("hessian-draft", frame.className, frame.content);
    assert.ok(exception.kind === "rpcServerException");
    assert.match(exception.message ?? "", /IllegalArgumentException: request\.\w+ is not allowed to be empty/);
  }
});

test("more names than one request may have are refused before they are kept", () => {
  const one = scene();
  const names = Array.from({ length: 2_001 }, (_, at) => `r${at}`);
  assert.equal(one.request({ kind: "metaHeartbeatRequest", revisions: names }), undefined);
  assert.equal(one.request({ kind: "getRevisionsRequest", revisions: names.slice(0, 201) }), undefined);
});

test("an answer that comes after the client has gone is dropped", () => {
  const one = scene();
  const event = registered(one);
  one.handler.closed(START_MS);
  event?.asker.answer({ error: undefined });
  assert.equal(one.responses().length, 0);
});

const box = (value: unknown) => textOf(JSON.stringify(value));
function publisher(changes: Partial<PublisherRegister>): PublisherRegister {
  return { kind: "publisherRegister", ...baseRegister(), dataList: [], ...changes };
}
const APP = new Map([["!PublisherType", "app_publisher"]]);

test("a publisher of an application names the revisions in its boxes", () => {
  const dataList = [box({ url: "10.0.0.1:80", revision: "r1" }), box({ url: "10.0.0.1:81", revision: "r2" })];
  assert.equal(withRevisions(publisher({ attributes: APP, dataList })).get(REVISION_ATTRIBUTE), "r1,r2");
  const both = new Map([...APP, [REVISION_ATTRIBUTE, "r3"]]);
  assert.equal(withRevisions(publisher({ attributes: both, dataList })).get(REVISION_ATTRIBUTE), "r3,r1,r2");
  const named = new Map([[REVISION_ATTRIBUTE, "r3"]]);
  assert.equal(withRevisions(publisher({ attributes: named })).get(REVISION_ATTRIBUTE), "r3");
});

test("boxes of any other publisher are not looked into", () => {
  const dataList = [box({ url: "10.0.0.1:80", revision: "r1" })];
  const attributes = new Map([["!PublisherType", "OTHER"]]);
  assert.equal(withRevisions(publisher({ attributes, dataList })), attributes);
  assert.equal(withRevisions(publisher({ dataList })).size, 0);
});

for (const [what, dataList] of [
  ["no JSON", [textOf("10.0.0.1:80")]],
  ["nothing", [null]],
  ["a list", [box(["r1"])]],
  ["a number as its revision", [box({ revision: 1 })]],
  ["a name that no revision has", [box({ revision: "a b" })]],
] as const) {
  test(`a publisher of an application with ${what} in its box is refused`, () => {
    assert.throws(() => withRevisions(publisher({ attributes: APP, dataList })), /FIELD_INVALID/);
  });
}

function statusOf(message: SofaMessage): number {
  return "statusCode" in message ? message.statusCode : assert.fail(message.kind);
}

test("an application registers services that it may publish, and asks for those that it may list", () => {
  const asked: [action: string, serviceKey: string][] = [];
  const check = ({ action, serviceKey }: AskedClient) => {
    asked.push([action, serviceKey]);
    if (serviceKey.startsWith("com.pay.")) throw fail("PERMISSION_NEEDED", { action });
  };
  const one = scene({ access: { check } });
  const services = (...names: string[]) => new Map(names.map((name) => [name, { id: name, params: new Map() }]));
  assert.equal(registered(one, { services: services("com.example.Orders", "com.pay.Bills#@#N#@#G") }), undefined);
  const refused = one.answer();
  assert.ok(refused.kind === "registerResponse" && !refused.success);
  assert.match(String(refused.message), /PERMISSION_NEEDED/);
  assert.ok(registered(one, { services: services("com.example.Orders") }) !== undefined);
  assert.equal(one.request({ kind: "serviceAppMappingRequest", serviceIds: ["com.pay.Bills"] }), undefined);
  const unseen = one.answer();
  assert.ok(unseen.kind === "serviceAppMappingResponse" && unseen.statusCode === 500);
  assert.ok(one.request({ kind: "serviceAppMappingRequest", serviceIds: ["com.example.Orders"] }) !== undefined);
  assert.deepEqual(asked.slice(0, 2), [
    ["publish", "com.example.Orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP"],
    ["publish", "com.pay.Bills#@#N#@#G"],
  ]);
});
