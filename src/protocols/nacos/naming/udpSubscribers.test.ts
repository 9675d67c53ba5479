import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { Budget } from "../../../base/budget.ts";
import { fail } from "../../../base/errors.ts";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import type { ClientChannel, ClientEvent, ServiceView } from "../../../registry/registry.ts";
import { Datagrams } from "./datagrams.ts";
import { UdpSubscribers } from "./udpSubscribers.ts";

const ORDERS = makeServiceKey({ name: "orders", namespace: "", group: "" });
const ENCODER = new TextEncoder();
const LIMITS = { bytesMax: 1e9, clientBytesMax: 1e9, workPerSecondMax: 1e9 };

/** A registry that notes the events of clients, and pushes when the test says so. */
function scene({ isRefused = false, bytesMax = 1e9 } = {}) {
  const told: string[] = [];
  const sent: { readonly to: string; readonly bytes: Uint8Array }[] = [];
  const channels = new Map<string, ClientChannel>();
  const time = { nowMs: 1_000_000 };
  const lists = new Map<number, Uint8Array>();
  const step = (event: ClientEvent) => {
    told.push(event.kind === "pushAnswered" ? `${event.kind} ${event.push}` : event.kind);
    if (event.kind === "connected") channels.set(event.client, event.channel);
    if (event.kind !== "subscribed") return;
    const { registId, version } = event.subscription;
    const error = fail("OVERLOADED", {});
    const outcome = isRefused ? ({ kind: "failed", error } as const) : ({ kind: "accepted" } as const);
    channels.get(event.client)?.answer(event.request, { ...outcome, registId, version });
  };
  const metrics = { add: () => undefined } as never;
  const nowMs = () => time.nowMs;
  const datagrams = new Datagrams({
    bodies: { list: (view) => ({ json: lists.get(Number(view.version)) ?? new Uint8Array(), costMs: 0 }) },
    ...{ compression: { gzip: gzipSync }, metrics, nowMs },
  });
  const udp = new UdpSubscribers({
    registry: { step: step as never },
    budget: new Budget({ ...LIMITS, bytesMax }),
    ...{ later: (run) => run(), metrics, nowMs, datagrams, zone: "" },
  });
  udp.open({ send: (bytes, to) => void sent.push({ to, bytes }) });
  const asked = (from = "10.0.0.1", port = 50_000) => udp.asked({ from, port, serviceKey: ORDERS, clusters: "" });
  let push = 0;
  const pushed = (text: string) => {
    lists.set(++push, ENCODER.encode(text));
    const view = { serviceKey: ORDERS, version: BigInt(push) } as ServiceView;
    const to = { id: push, view, scope: "dataCenter", zone: "", variant: "", registIds: [] } as const;
    return [...channels.values()].map((channel) => channel.push(to));
  };
  const ack = (refTime: string | number, from = "10.0.0.1:50000") =>
    udp.received(ENCODER.encode(JSON.stringify({ type: "push-ack", lastRefTime: refTime, data: "" })), from, nowMs());
  return { told, sent, time, udp, asked, pushed, ack };
}

function messageIn({ bytes }: { readonly bytes: Uint8Array }) {
  const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
  return JSON.parse(new TextDecoder().decode(plain));
}

test("a list goes to the port of the host that asked, and its acknowledgement is the push's answer", () => {
  const { told, sent, asked, pushed, ack } = scene();
  asked();
  pushed('{"hosts":[]}');
  assert.equal(sent[0]?.to, "10.0.0.1:50000");
  const message = messageIn(sent[0]);
  assert.deepEqual([message.type, message.data], ["dom", '{"hosts":[]}']);
  ack(String(message.lastRefTime));
  assert.deepEqual(told, ["connected", "subscribed", "pushAnswered 1"]);
});

test("a long list is compressed, and one that fits into no message counts as pushed", () => {
  const { told, sent, asked, pushed } = scene();
  asked();
  pushed("x".repeat(5_000));
  assert.equal(messageIn(sent[0] ?? assert.fail()).data.length, 5_000);
  const noise = Array.from({ length: 90_000 }, (_, at) => ((at * 2_654_435_761) >>> 7).toString(36)).join("");
  pushed(noise);
  assert.equal(sent.length, 1);
  assert.equal(told.at(-1), "pushAnswered 2");
});

test("a port that acknowledges nothing gets four messages for a question", () => {
  const { told, sent, asked, pushed } = scene();
  asked();
  for (let at = 0; at < 10; at++) pushed(`${at}`);
  assert.equal(sent.length, 4);
  assert.deepEqual(pushed("more"), ["blocked"]);
  asked();
  assert.equal(told.at(-1), "drained");
  for (let at = 0; at < 10; at++) pushed(`${at}`);
  assert.equal(sent.length, 8);
});

test("a port that acknowledges gets all, and only its own word counts", () => {
  const { sent, asked, pushed, ack } = scene();
  asked();
  for (let at = 0; at < 10; at++) {
    pushed(`${at}`);
    ack(messageIn(sent.at(-1) ?? assert.fail()).lastRefTime);
  }
  assert.equal(sent.length, 10);
  const refTime = messageIn(sent.at(-1) ?? assert.fail()).lastRefTime;
  for (let at = 0; at < 10; at++) {
    pushed(`again ${at}`);
    ack(messageIn(sent.at(-1) ?? assert.fail()).lastRefTime, "10.0.0.2:50000");
    ack(refTime);
    ack("none");
  }
  assert.equal(sent.length, 14);
});

test("a subscription ends when no question has come for its list for a while, and the last one ends its client", () => {
  const { told, time, udp, asked } = scene();
  asked();
  time.nowMs += 20_000;
  udp.check(time.nowMs);
  asked();
  time.nowMs += 20_000;
  udp.check(time.nowMs);
  assert.equal(udp.size, 1);
  time.nowMs += 5_000;
  udp.check(time.nowMs);
  assert.equal(udp.size, 0);
  assert.deepEqual(told, ["connected", "subscribed", "unsubscribed", "disconnected"]);
});

test("a list that is acknowledged stays subscribed without questions", () => {
  const { sent, time, udp, asked, pushed, ack } = scene();
  asked();
  for (let at = 0; at < 5; at++) {
    time.nowMs += 20_000;
    udp.check(time.nowMs);
    pushed(`${at}`);
    ack(messageIn(sent.at(-1) ?? assert.fail()).lastRefTime);
  }
  assert.deepEqual([sent.length, udp.size], [5, 1]);
});

test("ports of services are sent nothing, nor is an address that has no memory left", () => {
  const low = scene();
  low.asked("10.0.0.1", 53);
  const full = scene({ bytesMax: 1_000 });
  full.asked();
  assert.deepEqual([low.told, full.told], [[], []]);
});

test("a subscription that was refused is made again with the next question", () => {
  const { told, time, udp, asked } = scene({ isRefused: true });
  asked();
  time.nowMs += 10_000;
  asked();
  assert.deepEqual(told, ["connected", "subscribed", "subscribed"]);
  time.nowMs += 25_000;
  udp.check(time.nowMs);
  assert.equal(udp.size, 0);
});

test("messages that are no acknowledgements are ignored", () => {
  const { told, udp, asked, pushed } = scene();
  asked();
  pushed("{}");
  for (const text of ["", "{", "[]", '{"type":"dump-ack"}', `{"type":"push-ack","data":"${"x".repeat(600)}"}`]) {
    udp.received(ENCODER.encode(text), "10.0.0.1:50000", 0);
  }
  udp.received(new Uint8Array([0xff, 0xfe]), "10.0.0.1:50000", 0);
  assert.deepEqual(told, ["connected", "subscribed"]);
});
