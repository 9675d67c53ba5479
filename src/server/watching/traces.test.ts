// Spans as OpenTelemetry's own SDK receives them.

import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { type Attributes, SpanStatusCode, trace } from "@opentelemetry/api";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { defined } from "../../base/assert.ts";
import { ORDERS, publication, STOCK } from "../../session/testing/parts.ts";
import { CLIENT, SCENE_MS, scene, VERSION } from "./testing/scene.ts";
import { isTraced, publicationTrace } from "./traceIds.ts";
import { openTraces } from "./traces.ts";

const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const warned: string[] = [];
const nothing = () => undefined;
const log = { debug: nothing, info: nothing, warn: (event: string) => void warned.push(event), error: nothing };
const environment = { oneIn: 1, clock: { nowMs: () => SCENE_MS }, log };

beforeEach(() => {
  trace.setGlobalTracerProvider(provider);
  exporter.reset();
  warned.length = 0;
});
after(() => trace.disable());

async function traced(oneIn = 1) {
  const traces = defined(await openTraces({ ...environment, oneIn }), "the traces that are wanted");
  exporter.reset();
  const ended = () => exporter.getFinishedSpans().map(brief);
  return { ...scene([traces.clients]), traces, ended };
}

const brief = ({ name, status, attributes }: ReadableSpan): readonly [string, string | undefined, Attributes] => [
  name,
  status.code === SpanStatusCode.ERROR ? status.message : undefined,
  attributes,
];

test("a publication is a span from its request to its answer, with the reason if it was refused", async () => {
  const { publish, unpublish, subscribe, answers, ended } = await traced();
  publish(1);
  answers.isRefused = true;
  unpublish(2);
  subscribe(3);
  const attributes = {
    "roster.service": ORDERS,
    "roster.regist_id": "p1",
    "roster.registration_version": "1",
    "roster.client": CLIENT,
  };
  assert.deepEqual(ended(), [
    ["roster publish", undefined, attributes],
    ["roster unpublish", "DATA_FULL", attributes],
  ]);
});

test("a push is a span until its answer, or until the client is gone", async () => {
  const { push, confirm, disconnect, ended } = await traced();
  for (const id of [1, 2, 3]) push(id);
  assert.deepEqual(ended(), []);
  confirm(2);
  confirm(1, false);
  confirm(99);
  disconnect();
  assert.deepEqual(
    ended().map(([name, error]) => [name, error]),
    [
      ["roster push", undefined],
      ["roster push", "refused"],
      ["roster push", "the connection ended"],
    ],
  );
  assert.equal(ended()[0]?.[2]["roster.version"], String(VERSION));
});

test("a client that never answers holds a bounded number of spans", async () => {
  const { push, ended } = await traced();
  for (let id = 1; id <= 300; id++) push(id);
  assert.equal(ended().length, 44);
  assert.deepEqual(new Set(ended().map(([, error]) => error)), new Set(["no answer"]));
});

test("a version and its pushes are one trace, and the version links to the publications in it", async () => {
  const { publish, push, confirm, traces } = await traced();
  publish(1);
  const removed = { kind: "removed", registId: "p9", stamp: { version: 1n, registeredMs: SCENE_MS } } as const;
  const changes = [{ kind: "put", publication: publication() } as const, removed];
  traces.versionMade({ serviceKey: ORDERS, version: VERSION, changes });
  push(1);
  confirm(1);
  const [published, version, pushed] = exporter.getFinishedSpans();
  assert.ok(published !== undefined && version !== undefined && pushed !== undefined);
  assert.equal(version.name, "roster version");
  assert.equal(version.spanContext().traceId, pushed.spanContext().traceId);
  assert.notEqual(version.spanContext().traceId, published.spanContext().traceId);
  assert.deepEqual(
    version.links.map(({ context: { traceId, spanId } }) => ({ traceId, spanId })),
    [publicationTrace(publication())],
  );
  assert.equal(published.spanContext().traceId, publicationTrace(publication()).traceId);
  assert.equal(version.attributes["roster.changes"], 2);
});

test("a version of a large batch has a bounded number of links", async () => {
  const { traces } = await traced();
  const changes = Array.from({ length: 500 }, (_, at) => {
    return { kind: "put", publication: publication({ registId: `p${at}` }) } as const;
  });
  traces.versionMade({ serviceKey: ORDERS, version: VERSION, changes });
  assert.equal(exporter.getFinishedSpans()[0]?.links.length, 32);
});

test("one service in so many is traced, the same one at every node, and another one later", () => {
  const services = Array.from({ length: 2_000 }, (_, at) => ORDERS.replace("#@#", `${at}#@#`) as typeof ORDERS);
  const at = (ms: number) => services.filter((service) => isTraced(service, ms, 20));
  const [now, soon, later] = [at(SCENE_MS), at(SCENE_MS + 5_000), at(SCENE_MS + 10_000)];
  assert.ok(now.length > 50 && now.length < 200, String(now.length));
  assert.deepEqual(soon, now);
  assert.notDeepEqual(later, now);
});

test("a service that is not its turn causes no span", async () => {
  const { publish, push, confirm, ended, traces } = await traced(1_000_000_000);
  publish(1);
  push(1);
  confirm(1);
  traces.versionMade({ serviceKey: STOCK, version: VERSION, changes: [] });
  assert.deepEqual(ended(), []);
});

test("without an SDK the log says that traces go nowhere; without the setting there are none", async () => {
  assert.deepEqual([await openTraces({ ...environment, oneIn: 0 }), warned], [undefined, []]);
  await openTraces(environment);
  assert.deepEqual(warned, []);
  trace.disable();
  const traces = await openTraces(environment);
  assert.deepEqual(warned, ["traces go nowhere: load an OpenTelemetry SDK with node --import"]);
  assert.ok(traces !== undefined);
  const { publish, push, confirm } = scene([traces.clients]);
  publish(1);
  push(1);
  confirm(1);
});
