import assert from "node:assert/strict";
import { test } from "node:test";
import { type Metrics, noMetrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import { brandServiceKey } from "../../model/ids.ts";
import type { DataToSession } from "../messages/sessionData.ts";
import type { LinkMessage } from "./link.ts";
import { NodeMessages } from "./nodeMessages.ts";

const CLASS = "roster.DataToSession";
const ORDERS: DataToSession = { kind: "current", serviceKey: brandServiceKey("orders#@#I#@#G") };
const STOCK: DataToSession = { kind: "current", serviceKey: brandServiceKey("stock#@#I#@#G") };

function scene() {
  const counted: [string, number, unknown][] = [];
  const logged: string[] = [];
  const nothing = () => undefined;
  const log: Log = {
    debug: (_event, fields) => void logged.push(String(fields?.["what"])),
    info: nothing,
    warn: nothing,
    error: nothing,
  };
  const metrics: Metrics = {
    ...noMetrics,
    add: (name, value, ...[labels]) => void counted.push([name, value, labels]),
  };
  return { words: new NodeMessages(CLASS, { metrics, log }), counted, logged };
}

/** The content of a message as a peer reads it. */
const contentOf = ({ parts }: LinkMessage): Uint8Array => parts[1] ?? new Uint8Array();

test("what is sent is read as it was, and counted for each node to which it goes", () => {
  const { words, counted } = scene();
  const encoded = words.encode(ORDERS);
  assert.deepEqual(words.decode(CLASS, contentOf(encoded)), ORDERS);
  words.encode(ORDERS);
  const labels = { message: CLASS };
  const once = [
    ["roster_node_messages_sent_total", 1, labels],
    ["roster_node_bytes_sent_total", encoded.bytes, labels],
  ];
  assert.deepEqual(counted, [...once, ...once]);
});

test("the same message to several nodes is encoded once, another one anew", () => {
  const { words } = scene();
  const first = words.encode(ORDERS);
  assert.equal(words.encode(ORDERS), first);
  const second = words.encode(STOCK);
  assert.deepEqual(words.decode(CLASS, contentOf(second)), STOCK);
  assert.deepEqual(words.decode(CLASS, contentOf(words.encode(ORDERS))), ORDERS);
});

test("a message of another class, or of a kind that this release does not know, is passed over", () => {
  const { words, logged } = scene();
  assert.equal(words.decode("roster.Later", contentOf(words.encode(ORDERS))), undefined);
  assert.deepEqual(logged, ["roster.Later"]);
});

test("bytes that are no message are refused", () => {
  assert.throws(() => scene().words.decode(CLASS, new Uint8Array([1])), /NODE_MESSAGE_MALFORMED/);
});
