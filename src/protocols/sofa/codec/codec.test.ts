import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readVector, readVectors } from "../../../../test/vectors/goldenVectors.ts";
import { RegistryError } from "../../../base/errors.ts";
import { stringOf, textOf } from "../../../base/text.ts";
import { DraftWriter } from "../../../encoding/hessian/draftWriter.ts";
import { writtenClass } from "../../../encoding/hessian/writtenClass.ts";
import {
  decodeMessage,
  decodeReceivedDataBody,
  encodeMessage,
  encodeMultiPushBody,
  encodeMultiPushTail,
  encodePushBody,
  encodePushTail,
  encodeReceivedDataBody,
  multiPushClassName,
  pushClassName,
  wireForm,
} from "./codec.ts";
import { HESSIAN_CLASSES, SCOPE_ENUM_CLASS } from "./hessianClasses.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type BaseRegister,
  type Box,
  type PublisherRegister,
  type SofaMessage,
  type SubscriberRegister,
  type WireForm,
} from "./messages.ts";
import { PROTOBUF_CLASS_NAMES } from "./protobufClasses.ts";
import type { MultiPush, PushMessage } from "./push.ts";

const HESSIAN_FORMS: readonly WireForm[] = ["hessian-draft", "hessian-final"];
const FORMS: readonly WireForm[] = [...HESSIAN_FORMS, "protobuf"];

// In protobuf only well-formed strings survive.
const string = fc.oneof(fc.string({ unit: "binary", maxLength: 12 }), fc.constant("DEFAULT_ZONE"));
const javaString = fc.oneof(string, fc.constantFrom("lone \ud800", "\udc00 other", "\ufeffmark"));
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const map = fc
  .array(fc.tuple(fc.oneof(string, fc.constant("__proto__")), string), { maxLength: 3 })
  .map((entries): ReadonlyMap<string, string> => new Map(entries));

// Null is possible only in Hessian.
function publisherOf(form: WireForm): fc.Arbitrary<PublisherRegister> {
  const chars = form === "protobuf" ? string : javaString;
  const text = form === "protobuf" ? string : fc.option(javaString);
  const box = text.map((value): Box => (value === null ? null : textOf(value)));
  return fc.record<PublisherRegister>(
    {
      kind: fc.constant("publisherRegister"),
      instanceId: text,
      zone: text,
      appName: text,
      dataId: chars,
      group: chars,
      processId: text,
      registId: chars,
      clientId: text,
      dataInfoId: text,
      ip: text,
      port: form === "protobuf" ? fc.integer() : fc.option(fc.integer()),
      eventType: text,
      version: int64,
      timestamp: int64,
      attributes: map,
      dataList: fc.array(box, { maxLength: 5 }),
    },
    { noNullPrototype: true },
  );
}

for (const form of FORMS) {
  test(`${form}: a publisher of whatever strings and numbers is read as it was written`, () => {
    fc.assert(
      fc.property(publisherOf(form), (message) => {
        const encoded = encodeMessage(form, message);
        assert.equal(wireForm(encoded), form);
        assert.deepEqual(decodeMessage(form, encoded.className, encoded.content), message);
      }),
      { numRuns: 150 },
    );
  });
}

// Every message of the Hessian vectors; together they cover every kind.
function goldenMessages(): SofaMessage[] {
  const names = Object.values(HESSIAN_CLASSES).map(({ className }) => className);
  return readVectors("h-").flatMap(({ name, bytes }) => {
    const className = names.find((known) => known.endsWith(`.${name.split("-")[1]}`));
    return className === undefined ? [] : [decodeMessage("hessian-draft", className, bytes)];
  });
}

test("every message survives the final dialect as well", () => {
  for (const message of goldenMessages()) {
    const { className, content } = encodeMessage("hessian-final", message);
    assert.equal(content[0], 0x43);
    assert.deepEqual(decodeMessage("hessian-final", className, content), message);
  }
});

test("null lists and maps are told from empty ones", () => {
  for (const form of HESSIAN_FORMS) {
    const [empty, absent] = [
      { ...publisher(), dataList: [], attributes: new Map<string, string>() },
      { ...publisher(), dataList: ABSENT_LIST, attributes: ABSENT_MAP },
    ].map((message) => reread(form, message));
    assert.ok(empty?.dataList !== ABSENT_LIST && empty?.attributes !== ABSENT_MAP);
    assert.ok(absent?.dataList === ABSENT_LIST && absent.attributes === ABSENT_MAP);
  }
});

function publisher(): PublisherRegister {
  const base: BaseRegister = {
    instanceId: "i",
    zone: null,
    appName: null,
    dataId: "d",
    group: "g",
    processId: null,
    registId: "r",
    clientId: null,
    dataInfoId: null,
    ip: null,
    port: null,
    eventType: "REGISTER",
    version: 1n,
    timestamp: 2n,
    attributes: ABSENT_MAP,
  };
  return { kind: "publisherRegister", ...base, dataList: ABSENT_LIST };
}

function reread(form: WireForm, message: PublisherRegister): PublisherRegister {
  const { className, content } = encodeMessage(form, message);
  const read = decodeMessage(form, className, content);
  assert.ok(read.kind === "publisherRegister");
  return read;
}

function subscriberOf(fieldNames: readonly string[], write: (writer: DraftWriter) => void): SubscriberRegister {
  const { className } = HESSIAN_CLASSES.subscriberRegister;
  const writer = new DraftWriter();
  writer.object(writtenClass(className, fieldNames));
  write(writer);
  const read = decodeMessage("hessian-draft", className, writer.out.done());
  assert.ok(read.kind === "subscriberRegister");
  return read;
}

test("a subscriber of a 5.x client has no acceptEncoding and no acceptMulti", () => {
  const read = subscriberOf(["scope", "dataId"], (writer) => {
    writer.string("zone");
    writer.string("d");
  });
  assert.deepEqual([read.scope, read.dataId, read.acceptEncoding, read.acceptMulti], ["zone", "d", null, false]);
});

test("a scope may come as an enum constant", () => {
  const read = subscriberOf(["scope"], (writer) => {
    writer.object(writtenClass(SCOPE_ENUM_CLASS, ["name"]));
    writer.string("global");
  });
  assert.equal(read.scope, "global");
});

test("a class that is none of the protocol's is refused by its name", () => {
  for (const form of FORMS) {
    for (const className of ["", "java.lang.Runtime", "__proto__", "constructor"]) {
      assert.throws(() => decodeMessage(form, className, new Uint8Array(0)), { code: "BOLT_CLASS_UNKNOWN" });
    }
  }
});

test("a content of another class than the frame says is refused", () => {
  const { bytes } = readVector("h-Result");
  const { className } = HESSIAN_CLASSES.registerResponse;
  assert.throws(() => decodeMessage("hessian-draft", className, bytes), { code: "HESSIAN_MALFORMED" });
});

test("an exception is the real server's but for the stack trace", () => {
  const message = { kind: "rpcServerException", message: "boom" } as const;
  const { codec, content, className } = encodeMessage("hessian-draft", message);
  const real = readVector("f-resp-exception-p1").bytes.subarray(72);
  const head = content.length - "Vt..[java.lang.StackTraceElementn.zVt..java.util.Collections$EmptyListn.z".length;
  assert.deepEqual(content.subarray(0, head), real.subarray(0, head));
  assert.deepEqual(content.subarray(-38), real.subarray(-38));
  assert.deepEqual(encodeMessage("protobuf", message), { codec, content, className });
});

const boxes = [textOf("10.0.0.1:80?weight=1"), textOf("café 😀"), textOf("x".repeat(40_000))];
const zones = [
  { zone: "a", boxes, count: 3 },
  { zone: "b", boxes: new Set<Box>(boxes.slice(0, 1)), count: 1 },
  { zone: "c", boxes: [], count: 0 },
];
const subject = { dataId: "d", group: "g", instanceId: "i", scope: "dataCenter", localZone: "a" };
const push: PushMessage = { ...subject, segment: "s", version: 8160493450461184n, zones };
const registIds = ["r1", "r2"];

function joined(body: Uint8Array, tail: Uint8Array): Uint8Array {
  return Uint8Array.from([...body, ...tail]);
}

test("a push's body and tail are one message", () => {
  for (const form of FORMS) {
    for (const ids of [[], registIds, Array.from({ length: 300 }, (_, at) => `r${at}`)]) {
      const content = joined(encodePushBody(form, push), encodePushTail(form, ids));
      const read = decodeMessage(form, pushClassName(form), content);
      assert.ok(read.kind === "receivedData");
      const { data, dataCount, ...rest } = read;
      const { zones: _, ...head } = push;
      assert.deepEqual(rest, { kind: "receivedData", ...head, subscriberRegistIds: ids, compressed: null });
      assert.deepEqual(data, new Map(zones.map(({ zone, boxes: held }) => [zone, [...held]])));
      assert.deepEqual(dataCount, new Map(zones.map(({ zone, count }) => [zone, count])));
    }
  }
});

test("a compressed push carries the body's bytes in the place of its boxes", () => {
  const original = encodeReceivedDataBody(zones);
  assert.deepEqual(decodeReceivedDataBody(original).get("b"), [boxes[0]]);
  const compressed = { encoding: "zstd", body: Uint8Array.of(1, 2, 3), originBodySize: original.length };
  const content = joined(encodePushBody("protobuf", { ...push, compressed }), encodePushTail("protobuf", registIds));
  const read = decodeMessage("protobuf", pushClassName("protobuf"), content);
  assert.ok(read.kind === "receivedData");
  assert.deepEqual(read.compressed, compressed);
  assert.equal(read.data?.size, 0);
  assert.equal(read.dataCount?.get("a"), 3);
});

test("a push of several segments, body and tail, is one message", () => {
  const segments = [
    { segment: "s1", version: 7n, zones },
    { segment: "s2", version: 9n, zones: [] },
  ];
  const multi: MultiPush = { ...subject, localSegment: "s1", segments };
  for (const form of FORMS) {
    const content = joined(encodeMultiPushBody(form, multi), encodeMultiPushTail(form, registIds));
    const read = decodeMessage(form, multiPushClassName(form), content);
    assert.ok(read.kind === "multiReceivedData");
    assert.deepEqual(read.subscriberRegistIds, registIds);
    const versions = Array.from(read.multiData, ([name, { version }]) => [name, version]);
    assert.deepEqual(versions, [
      ["s1", 7n],
      ["s2", 9n],
    ]);
    assert.deepEqual(read.multiData.get("s1")?.unzipData?.get("b"), [boxes[0]]);
  }
});

test("a text that came from a Java client goes back to Java unchanged", () => {
  const odd = "lone \ud83d half, pair 😀";
  for (const form of HESSIAN_FORMS) {
    const [box] = reread(form, { ...publisher(), dataList: [textOf(odd)] }).dataList;
    assert.ok(box !== undefined && box !== null);
    assert.equal(stringOf(box), odd);
  }
});

test("whatever the content, every class gives a message or a RegistryError", () => {
  const small = (bytes: Uint8Array): boolean => bytes.length < 3_000;
  const hessian = readVectors("h-")
    .map(({ bytes }) => bytes)
    .filter(small);
  const final = goldenMessages()
    .map((message) => encodeMessage("hessian-final", message).content)
    .filter(small);
  const protobuf = readVectors("p-")
    .map(({ bytes }) => bytes)
    .filter(small);
  const classNames = Object.values(HESSIAN_CLASSES).map(({ className }) => className);
  const pbNames = Object.values(PROTOBUF_CLASS_NAMES);
  const cases: readonly (readonly [WireForm, readonly Uint8Array[], readonly string[]])[] = [
    ["hessian-draft", hessian, classNames],
    ["hessian-final", final, classNames],
    ["protobuf", protobuf, pbNames],
  ];
  for (const [form, golden, names] of cases) {
    const content = fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated(golden));
    fc.assert(
      fc.property(content, fc.constantFrom(...names), (bytes, anyName) => {
        for (const className of [anyName, classNameIn(bytes) ?? anyName]) {
          try {
            decodeMessage(form, className, bytes);
          } catch (error) {
            assert.ok(error instanceof RegistryError, String(error));
          }
        }
      }),
      { numRuns: 2_500 },
    );
  }
});

// The class that a Hessian content names first, so that mutations pass the first check.
function classNameIn(bytes: Uint8Array): string | undefined {
  return /com\.alipay\.[\w.]+/
    .exec(Buffer.from(bytes.subarray(0, 80)).toString("latin1"))?.[0]
    ?.replace(/(Register|Data|Response|Request|Result|Exception).*$/, "$1");
}

function mutated(golden: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const step = fc.record({ kind: fc.constantFrom("flip", "cut", "insert", "blow"), at: fc.nat(), value: fc.nat(255) });
  return fc.tuple(fc.constantFrom(...golden), fc.array(step, { maxLength: 4 })).map(([bytes, steps]) => {
    return steps.reduce((content, { kind, at, value }) => {
      const offset = content.length === 0 ? 0 : at % content.length;
      const [before, after] = [content.subarray(0, offset), content.subarray(offset + 1)];
      if (kind === "cut") return before;
      if (kind === "insert") return Uint8Array.from([...before, value, ...content.subarray(offset)]);
      if (kind === "blow") return Uint8Array.from([...before, 0x49, 0x7f, 0xff, 0xff, 0xff, ...after]);
      return Uint8Array.from([...before, (content[offset] ?? 0) ^ (1 << (value & 7)), ...after]);
    }, bytes);
  });
}
