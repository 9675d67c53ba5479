// The typed reader: fields by name, references, and the limits that hold for every content.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf, codeOf, DIALECTS, written } from "../../../test/vectors/hessianBytes.ts";
import { DEPTH_MAX, HessianReader, type Read, type Shape } from "./reader.ts";
import { listShape, mapShape, objectShape, ShapeTable } from "./shape.ts";
import { CLASSES_MAX, FIELDS_MAX, type HessianDialect, VALUES_MAX } from "./tokenReader.ts";
import { readTree } from "./tree.ts";
import type { HessianWriter } from "./writer.ts";
import { writtenClass } from "./writtenClass.ts";

const NO_CLASSES = new ShapeTable([], [], []);

interface Node {
  name: string | null;
  next: Node | null;
  bytes: Uint8Array | null;
}

const node = objectShape<Node>({
  className: "Node",
  blank: () => ({ name: null, next: null, bytes: null }),
  fields: {
    name: (target, reader) => {
      target.name = reader.string();
    },
    next: (target, reader) => {
      target.next = reader.value(node);
    },
  },
});
const nodes = listShape((reader) => reader.value(node));
const names = listShape((reader) => reader.string());
const NODE = writtenClass("Node", ["name", "next"]);
const NODES = new ShapeTable([node], ["Skipped"], [NODE]);

function readNodes<T>(dialect: HessianDialect, shape: Shape<T>, write: (writer: HessianWriter) => void): T {
  return new HessianReader(dialect, written(dialect, write), NODES).whole(shape);
}

test("fields are found by name in any order, unknown ones are skipped, absent ones keep their default", () => {
  const other = writtenClass("Node", ["__proto__", "later", "name"]);
  for (const dialect of DIALECTS) {
    const read = readNodes(dialect, node, (writer) => {
      writer.object(other);
      writer.string("x");
      writer.beginMap();
      writer.string("k");
      writer.double(1.5);
      writer.endMap();
      writer.string("first");
    });
    assert.deepEqual(read, { name: "first", next: null, bytes: null });
  }
});

test("a class that the protocol does not have is refused, in skipped fields too", () => {
  const evil = writtenClass("javax.script.ScriptEngineManager", ["loader"]);
  const extended = writtenClass("Node", ["extra"]);
  for (const dialect of DIALECTS) {
    const write = (writer: HessianWriter): void => {
      writer.object(extended);
      writer.object(evil);
      writer.null();
    };
    assert.equal(
      codeOf(() => readNodes(dialect, node, write)),
      "HESSIAN_CLASS_UNKNOWN",
    );
  }
});

// A list of a node and of what `second` writes; the list is 0 among the references and the node is 1.
function pairWith(dialect: HessianDialect, second: (writer: HessianWriter) => void): readonly (Node | null)[] {
  return readNodes(dialect, nodes, (writer) => {
    writer.beginList(2);
    writer.object(NODE);
    writer.string("a");
    writer.null();
    second(writer);
    writer.endList();
  });
}

test("a reference gives the object read before", () => {
  for (const dialect of DIALECTS) {
    const [first, second] = pairWith(dialect, (writer) => writer.ref(1));
    assert.equal(second, first);
  }
});

test("a reference to another kind, to what is still being read, or to nothing is refused", () => {
  for (const dialect of DIALECTS) {
    for (const index of [0, 2, 300, 70_000]) {
      assert.equal(
        codeOf(() => pairWith(dialect, (writer) => writer.ref(index))),
        "HESSIAN_MALFORMED",
        `ref ${index}`,
      );
    }
  }
  const cycle = (writer: HessianWriter): void => {
    writer.object(NODE);
    writer.string("a");
    writer.ref(0);
  };
  assert.equal(
    codeOf(() => readNodes("draft", node, cycle)),
    "HESSIAN_MALFORMED",
  );
});

test("a reference can not bring a list of one shape where another is wanted", () => {
  const pair = writtenClass("Pair", ["names", "nodes"]);
  const seen: unknown[] = [];
  const shape = objectShape<unknown[]>({
    className: "Pair",
    blank: () => seen,
    fields: {
      names: (target, reader) => void target.push(reader.value(names)),
      nodes: (target, reader) => void target.push(reader.value(nodes)),
    },
  });
  const content = written("draft", (writer) => {
    writer.object(pair);
    writer.beginList(1);
    writer.string("not a node");
    writer.endList();
    writer.ref(1);
  });
  const table = new ShapeTable([shape, node], [], []);
  assert.equal(
    codeOf(() => new HessianReader("draft", content, table).whole(shape)),
    "HESSIAN_MALFORMED",
  );
});

test("a skipped value may refer to what is still being read, as an exception's cause does", () => {
  const looped = writtenClass("Node", ["name", "cause"]);
  const read = readNodes("draft", node, (writer) => {
    writer.object(looped);
    writer.string("a");
    writer.ref(0);
  });
  assert.equal(read.name, "a");
});

function nested(dialect: HessianDialect, depth: number): Uint8Array {
  return written(dialect, (writer) => {
    for (let level = 0; level < depth; level++) writer.beginList(1);
    writer.null();
    for (let level = 0; level < depth; level++) writer.endList();
  });
}

test("nesting ends at DEPTH_MAX, read as a tree or skipped", () => {
  for (const dialect of DIALECTS) {
    assert.equal(
      codeOf(() => readTree(dialect, nested(dialect, DEPTH_MAX))),
      undefined,
    );
    assert.equal(
      codeOf(() => readTree(dialect, nested(dialect, DEPTH_MAX + 1))),
      "HESSIAN_LIMIT",
    );
    const skipping = listShape((reader) => reader.skip());
    const read = (depth: number) => (): unknown =>
      new HessianReader(dialect, nested(dialect, depth), NO_CLASSES).whole(skipping);
    assert.equal(codeOf(read(DEPTH_MAX)), undefined);
    assert.equal(codeOf(read(DEPTH_MAX + 1)), "HESSIAN_LIMIT");
  }
});

test("a message holds at most VALUES_MAX values", () => {
  const many = (count: number): Uint8Array => bytesOf("V", "NNNNNNNNNN".repeat(count / 10), "z");
  assert.equal(
    codeOf(() => readTree("draft", many(VALUES_MAX - 10))),
    undefined,
  );
  assert.equal(
    codeOf(() => readTree("draft", many(VALUES_MAX + 10))),
    "HESSIAN_LIMIT",
  );
});

test("declared lengths are believed only as far as bytes are there", () => {
  const huge = [0x7f, 0xff, 0xff, 0xff];
  const negative = [0xff, 0xff, 0xff, 0xff];
  const table: readonly (readonly [HessianDialect, Uint8Array, string | undefined])[] = [
    ["draft", bytesOf("Vl", huge, "z"), undefined], // a hint, which the end corrects
    ["draft", bytesOf("Vl", negative, "z"), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("V", "t", 0, 1, "x", "z"), undefined],
    ["draft", bytesOf("v", 0x90, "I", huge), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("O", "I", huge), "HESSIAN_LIMIT"],
    ["draft", bytesOf("O", "I", negative), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("O", 0x91, "P", "I", huge), "HESSIAN_LIMIT"],
    ["draft", bytesOf("O", 0x91, "P", 0x8f), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("o", 0x90), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("o", "I", huge), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("S", 0xff, 0xff, "short"), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("B", 0xff, 0xff, "short"), "HESSIAN_MALFORMED"],
    ["draft", bytesOf("s", 0, 1, "a", 0x91), "HESSIAN_MALFORMED"], // an int where a chunk belongs
    ["draft", bytesOf("R", negative), "HESSIAN_MALFORMED"],
    ["final", bytesOf("X", "I", huge), "HESSIAN_MALFORMED"],
    ["final", bytesOf("X", "I", negative), "HESSIAN_MALFORMED"],
    ["final", bytesOf("C", "S", 0xff, 0xff), "HESSIAN_LIMIT"],
    ["final", bytesOf("Q", "I", negative), "HESSIAN_MALFORMED"],
    ["final", bytesOf("V", 0x95, 0x91), "HESSIAN_MALFORMED"], // a type that never came
    ["final", bytesOf("N", "N"), "HESSIAN_MALFORMED"], // something follows
    ["final", bytesOf(0x57, "N"), "HESSIAN_MALFORMED"], // the end is missing
  ];
  for (const [dialect, bytes, code] of table) {
    assert.equal(
      codeOf(() => readTree(dialect, bytes)),
      code,
      Buffer.from(bytes).toString("hex"),
    );
  }
});

test("classes and their fields are counted", () => {
  const fields = (count: number): string[] => Array.from({ length: count }, (_, at) => `f${at}`);
  for (const dialect of DIALECTS) {
    const wide = (count: number): Uint8Array =>
      written(dialect, (writer) => {
        writer.object(writtenClass("Wide", fields(count)));
        for (let at = 0; at < count; at++) writer.null();
      });
    assert.equal(
      codeOf(() => readTree(dialect, wide(FIELDS_MAX))),
      undefined,
    );
    assert.equal(
      codeOf(() => readTree(dialect, wide(FIELDS_MAX + 1))),
      "HESSIAN_LIMIT",
    );
    const many = (count: number): Uint8Array =>
      written(dialect, (writer) => {
        writer.beginList(count);
        for (let at = 0; at < count; at++) writer.object(writtenClass(`C${at}`, []));
        writer.endList();
      });
    assert.equal(
      codeOf(() => readTree(dialect, many(CLASSES_MAX))),
      undefined,
    );
    assert.equal(
      codeOf(() => readTree(dialect, many(CLASSES_MAX + 1))),
      "HESSIAN_LIMIT",
    );
  }
});

test("ints and longs stand in for each other where the value fits, as in Java", () => {
  const of = <T>(read: Read<T>, write: (writer: HessianWriter) => void): readonly T[] => {
    const content = written("draft", (writer) => {
      writer.beginList(1);
      write(writer);
      writer.endList();
    });
    return new HessianReader("draft", content, NO_CLASSES).whole(listShape(read));
  };
  assert.deepEqual(
    of(
      (reader) => reader.long(),
      (writer) => writer.int(7),
    ),
    [7n],
  );
  assert.deepEqual(
    of(
      (reader) => reader.int(),
      (writer) => writer.long(7n),
    ),
    [7],
  );
  assert.equal(
    codeOf(() =>
      of(
        (reader) => reader.int(),
        (writer) => writer.long(2n ** 40n),
      ),
    ),
    "HESSIAN_MALFORMED",
  );
  assert.equal(
    codeOf(() =>
      of(
        (reader) => reader.string(),
        (writer) => writer.int(1),
      ),
    ),
    "HESSIAN_MALFORMED",
  );
});

test("a map with a null value has no such entry, and one with a null key is refused", () => {
  const attributes = mapShape((reader) => reader.string());
  const read = (content: Uint8Array): ReadonlyMap<string, string> =>
    new HessianReader("draft", content, NO_CLASSES).whole(attributes);
  assert.deepEqual(
    read(bytesOf("M", 0x01, "k", "N", 0x09, "__proto__", 0x01, "v", "z")),
    new Map([["__proto__", "v"]]),
  );
  assert.equal(
    codeOf(() => read(bytesOf("M", "N", 0x01, "v", "z"))),
    "HESSIAN_MALFORMED",
  );
});

test("a short string may be exactly as long as its bound, and absent", () => {
  for (const dialect of DIALECTS) {
    const read = (text: string | null, unitsMax: number) => {
      const content = written(dialect, (writer) => writer.string(text));
      return new HessianReader(dialect, content, NO_CLASSES).shortString(unitsMax);
    };
    assert.deepEqual([read("four", 4), read(null, 4), read("", 0)], ["four", null, ""]);
    assert.equal(
      codeOf(() => read("fives", 4)),
      "HESSIAN_LIMIT",
    );
  }
});

test("what may be null is null: strings, texts, bytes and numbers; null is a false boolean", () => {
  for (const dialect of DIALECTS) {
    const reader = () =>
      new HessianReader(
        dialect,
        written(dialect, (writer) => writer.string(null)),
        NO_CLASSES,
      );
    const read = [reader().string(), reader().text(), reader().bytes(), reader().int(), reader().long()];
    assert.deepEqual(read, [null, null, null, null, null]);
    assert.equal(reader().boolean(), false);
  }
});
