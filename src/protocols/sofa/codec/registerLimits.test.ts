import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../../base/errors.ts";
import { decodeMessage, encodeMessage } from "./codec.ts";
import { ABSENT_LIST, ABSENT_MAP, type Box, type PublisherRegister, type WireForm } from "./messages.ts";
import { REGISTER_LIMITS } from "./registerLimits.ts";

const FORMS: readonly WireForm[] = ["hessian-draft", "hessian-final", "protobuf"];
const { boxesMax, attributesMax, attributeCharsMax, valuesMax } = REGISTER_LIMITS;

function publisher(changes: Partial<PublisherRegister>): PublisherRegister {
  return {
    kind: "publisherRegister",
    instanceId: null,
    zone: null,
    appName: null,
    dataId: "orders",
    group: "G",
    processId: null,
    registId: "r",
    clientId: null,
    dataInfoId: null,
    ip: null,
    port: null,
    eventType: "REGISTER",
    version: 1n,
    timestamp: 1n,
    attributes: ABSENT_MAP,
    dataList: ABSENT_LIST,
    ...changes,
  };
}

function read(form: WireForm, changes: Partial<PublisherRegister>): PublisherRegister | RegistryError {
  const { className, content } = encodeMessage(form, publisher(changes));
  return decoded(form, className, content);
}

function decoded(form: WireForm, className: string, content: Uint8Array): PublisherRegister | RegistryError {
  try {
    const message = decodeMessage(form, className, content);
    assert.equal(message.kind, "publisherRegister");
    return message as PublisherRegister;
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error;
  }
}

const boxes = (count: number): Box[] => new Array<Box>(count).fill({ utf8: new Uint8Array(0), units: 0 });
const attributes = (count: number, chars: number) =>
  new Map(Array.from({ length: count }, (_, at) => [`k${at}`.padEnd(8, "."), "v".repeat(chars - 8)] as const));

for (const form of FORMS) {
  const limit = form === "protobuf" ? "PROTOBUF_LIMIT" : "HESSIAN_LIMIT";

  test(`${form}: a publisher has at most ${boxesMax} boxes`, () => {
    const most = read(form, { dataList: boxes(boxesMax) });
    assert.ok(!(most instanceof RegistryError) && most.dataList.length === boxesMax);
    const more = read(form, { dataList: boxes(boxesMax + 1) });
    assert.ok(more instanceof RegistryError && more.code === limit);
  });

  test(`${form}: at most ${attributesMax} attributes, ${attributeCharsMax} characters in all`, () => {
    const chars = attributeCharsMax / attributesMax;
    const most = read(form, { attributes: attributes(attributesMax, chars) });
    assert.ok(!(most instanceof RegistryError) && most.attributes.size === attributesMax);
    for (const beyond of [attributes(attributesMax + 1, 8), attributes(attributesMax, chars + 1)]) {
      const refused = read(form, { attributes: beyond });
      assert.ok(refused instanceof RegistryError && refused.code === limit);
    }
  });

  test(`${form}: of a frame with 120,000 attributes no more is read than of a legal one`, () => {
    const { className, content } = encodeMessage(form, publisher({ attributes: attributes(120_000, 9) }));
    const refused = decoded(form, className, content);
    assert.ok(refused instanceof RegistryError && refused.code === limit);
    const offset = Number(/offset=(\d+)/.exec(refused.message)?.[1]);
    assert.ok(offset < 4 * attributeCharsMax, `${offset} of ${content.length} bytes were read`);
  });
}

test("a Hessian frame of references to one box is refused at the first one too many", () => {
  const { className, content } = encodeMessage("hessian-draft", publisher({ dataList: boxes(1) }));
  const references = new Uint8Array(2 * 249_000).map((_, at) => (at % 2 === 0 ? 0x4a : 2));
  const end = content.lastIndexOf(0x7a);
  const start = content.indexOf(0x56);
  // Without a declared length: only the end determines the number.
  const grown = Buffer.concat([
    content.subarray(0, start + 1),
    content.subarray(start + 3, end),
    references,
    content.subarray(end),
  ]);
  const refused = decoded("hessian-draft", className, grown);
  assert.ok(refused instanceof RegistryError && refused.code === "HESSIAN_LIMIT");
  assert.match(refused.message, new RegExp(`elementsMax=${boxesMax}`));
});

test("a protobuf map whose one key comes again and again is refused", () => {
  // field 2 (baseRegister) { field 15 (attributes) { field 1: "k" } }
  const entry = [0x7a, 0x03, 0x0a, 0x01, 0x6b];
  const many = Array.from({ length: 3_000 }, () => entry).flat();
  const length = [(many.length & 0x7f) | 0x80, many.length >> 7];
  const { className } = encodeMessage("protobuf", publisher({}));
  const once = decoded("protobuf", className, Uint8Array.from([0x12, ...length, ...many]));
  assert.ok(!(once instanceof RegistryError) && once.attributes.size === 1);
  const often = Array.from({ length: 2 }, () => [0x12, ...length, ...many]).flat();
  const refused = decoded("protobuf", className, Uint8Array.from(often));
  assert.ok(refused instanceof RegistryError && refused.code === "PROTOBUF_LIMIT");
  assert.match(refused.message, new RegExp(`fieldsMax=${valuesMax}`));
});
