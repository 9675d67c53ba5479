// The Java client's own codec must read our bytes, not only ours. Needs the built suite in test/clients/java:
// scripts/testJava.ts builds it and runs this.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import type { WireText } from "../../src/base/text.ts";
import { textOf } from "../../src/base/text.ts";
import {
  encodeMessage,
  encodeMultiPushBody,
  encodeMultiPushTail,
  encodePushBody,
  encodePushTail,
  multiPushClassName,
  pushClassName,
} from "../../src/protocols/sofa/codec/codec.ts";
import type { SofaMessage } from "../../src/protocols/sofa/codec/messages.ts";
import type { PushZone } from "../../src/protocols/sofa/codec/push.ts";

const SUITE = join(import.meta.dirname, "..", "clients", "java");
const MODEL = "com.alipay.sofa.registry.core.model.";

interface Case {
  readonly name: string;
  readonly className: string;
  readonly content: Uint8Array;
  /** The fields that matter, as the Java side shows them: longs as text. */
  readonly expected: Readonly<Record<string, unknown>>;
}

function message(name: string, value: SofaMessage, expected: Case["expected"]): Case {
  const { className, content } = encodeMessage("hessian-draft", value);
  return { name, className, content, expected };
}

const TEXTS: Readonly<Record<string, string>> = {
  "plain ASCII": "10.0.0.1:12200?v=4.0",
  "an empty text": "",
  "two-byte and three-byte characters": "café 中文",
  "characters beyond the first plane": "😀 and 𠜎",
  "a text of 100,000 characters with an astral one at each chunk's end": `${"x".repeat(32_767)}😀`.repeat(3),
  "a lone surrogate": "a\ud800b",
};

const zonesOf = (texts: readonly (string | null)[]): PushZone[] => {
  const boxes: (WireText | null)[] = texts.map((text) => (text === null ? null : textOf(text)));
  return [{ zone: "Z", boxes, count: boxes.length }];
};
const shown = (texts: readonly (string | null)[]) => ({
  Z: texts.map((data) => ({ "@class": `${MODEL}DataBox`, data })),
});

function push(name: string, texts: readonly (string | null)[], registIds: readonly string[] = ["r1"]): Case {
  const subject = { dataId: "d", group: "g", instanceId: "i", segment: "S", scope: "zone", localZone: "Z" };
  const body = encodePushBody("hessian-draft", { ...subject, version: 2n ** 60n, zones: zonesOf(texts) });
  const content = Buffer.concat([body, encodePushTail("hessian-draft", registIds)]);
  const expected = {
    ...subject,
    version: String(2n ** 60n),
    subscriberRegistIds: registIds,
    data: shown(texts),
    dataCount: { Z: texts.length },
  };
  return { name, className: pushClassName("hessian-draft"), content, expected };
}

function multiPush(): Case {
  const subject = { dataId: "d", group: "g", instanceId: "i", scope: "global", localSegment: "S", localZone: "Z" };
  const segments = [{ segment: "S", version: 7n, zones: zonesOf(["a", "b"]) }];
  const body = encodeMultiPushBody("hessian-draft", { ...subject, segments });
  const content = Buffer.concat([body, encodeMultiPushTail("hessian-draft", ["r1", "r2"])]);
  return {
    name: "a push of several segments",
    className: multiPushClassName("hessian-draft"),
    content,
    expected: { ...subject, subscriberRegistIds: ["r1", "r2"] },
  };
}

const response = { kind: "registerResponse", registId: "r", version: 2n ** 60n, refused: false } as const;
const config = { kind: "receivedConfigData", dataId: "d", group: "g", instanceId: "i", version: 3n } as const;
const CASES: readonly Case[] = [
  message(
    "an accepted registration",
    { ...response, success: true, message: null },
    { success: true, version: String(2n ** 60n), refused: false, registId: "r", message: null },
  ),
  message(
    "a failed registration",
    { ...response, success: false, message: "no: ü" },
    { success: false, message: "no: ü" },
  ),
  message(
    "the segments",
    { kind: "syncConfigResponse", success: true, message: null, retryInterval: 0, availableSegments: ["S"] },
    { success: true, retryInterval: 0, availableSegments: ["S"] },
  ),
  message(
    "a configuration",
    { ...config, configuratorRegistIds: ["c"], dataBox: textOf("on") },
    { version: "3", configuratorRegistIds: ["c"], dataBox: { "@class": `${MODEL}DataBox`, data: "on" } },
  ),
  message(
    "a configuration that nobody set",
    { ...config, configuratorRegistIds: ["c"], dataBox: null },
    { dataBox: null },
  ),
  message("a push's answer", { kind: "result", success: true, message: null }, { success: true, message: null }),
  message("an exception", { kind: "rpcServerException", message: "No user processor" }, {}),
  ...Object.entries(TEXTS).map(([name, text]) => push(`a list with ${name}`, [text, "after"])),
  push("a list with a null box", [null, "x"]),
  push("a publisher without data", []),
  push("a list for three subscribers", ["x"], ["r1", "r2", "r3"]),
  push(
    "a list of 1,000 addresses",
    Array.from({ length: 1_000 }, (_, at) => `10.0.0.1:${at}`),
  ),
  multiPush(),
];

test("every message that we write is read by the Java client's codec, field by field", () => {
  const target = join(SUITE, "target");
  const classPath = [join(target, "acceptance.jar"), join(target, "lib", "*")].join(delimiter);
  const input = CASES.map(({ className, content }) => `${className}\t${Buffer.from(content).toString("hex")}\n`).join(
    "",
  );
  const args = [`@${join(SUITE, "jvm.options")}`, "-cp", classPath, "roster.acceptance.CodecCheck"];
  const run = spawnSync("java", args, { input, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, timeout: 60_000 });
  // The client's logging says on standard output that it is off.
  const lines = run.stdout.split("\n").filter((line) => line.startsWith("{"));
  assert.equal(lines.length, CASES.length, run.stderr);
  for (const [at, { name, className, expected }] of CASES.entries()) {
    const read = JSON.parse(lines[at] ?? "null") as Record<string, unknown>;
    assert.equal(read["@error"], undefined, `${name}: ${String(read["@error"])}`);
    assert.equal(read["@class"], className, name);
    for (const [field, value] of Object.entries(expected)) {
      assert.deepEqual(read[field], value, `${name}: ${field}`);
    }
  }
});
