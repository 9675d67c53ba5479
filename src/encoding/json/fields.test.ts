import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import {
  decodeJson,
  fieldsOf,
  flagField,
  listField,
  numberField,
  parseJson,
  textField,
  textsField,
  wholeField,
} from "./fields.ts";

const FIELDS = fieldsOf(
  parseJson('{"text":"a","number":1.5,"whole":7,"flag":true,"none":null,"list":[1,2],"map":{"a":"b","n":1,"f":false}}'),
  "body",
);
const RANGE = { min: 0, max: 10 };

function codeOf(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof RegistryError, String(error));
    return error.code;
  }
  return "read";
}

test("fields have the type that their reader names", () => {
  assert.equal(textField(FIELDS, "text"), "a");
  assert.equal(numberField(FIELDS, "number", RANGE), 1.5);
  assert.equal(wholeField(FIELDS, "whole", RANGE), 7);
  assert.equal(flagField(FIELDS, "flag"), true);
  assert.deepEqual(listField(FIELDS, "list", 2), [1, 2]);
  assert.deepEqual([...(textsField(FIELDS, "map", 3) ?? [])].flat(), ["a", "b", "n", "1", "f", "false"]);
});

test("absent and null fields are undefined, or none", () => {
  for (const field of ["none", "absent"]) {
    const read = [textField(FIELDS, field), numberField(FIELDS, field, RANGE), flagField(FIELDS, field)];
    assert.deepEqual([...read, textsField(FIELDS, field, 1)], [undefined, undefined, undefined, undefined]);
    assert.deepEqual(listField(FIELDS, field, 1), []);
  }
});

test("another type, and a value beyond the bounds, is refused by its field", () => {
  const table: readonly (() => unknown)[] = [
    () => textField(FIELDS, "number"),
    () => textField(FIELDS, "map"),
    () => numberField(FIELDS, "text", RANGE),
    () => numberField(FIELDS, "number", { min: 2, max: 3 }),
    () => wholeField(FIELDS, "number", RANGE),
    () => flagField(FIELDS, "text"),
    () => listField(FIELDS, "map", 5),
    () => listField(FIELDS, "list", 1),
    () => textsField(FIELDS, "list", 5),
    () => textsField(FIELDS, "map", 2),
    () => textsField(fieldsOf(parseJson('{"map":{"a":{}}}'), "body"), "map", 2),
    () => fieldsOf(parseJson("[]"), "body"),
    () => fieldsOf(undefined, "body"),
  ];
  for (const read of table) assert.equal(codeOf(read), "JSON_FIELD_INVALID", String(read));
});

test("what is no JSON, no UTF-8, or too deep is refused", () => {
  assert.equal(
    codeOf(() => parseJson("{")),
    "JSON_MALFORMED",
  );
  assert.equal(
    codeOf(() => decodeJson(Uint8Array.of(0xff))),
    "JSON_MALFORMED",
  );
  assert.equal(
    codeOf(() => parseJson("[".repeat(100_000))),
    "JSON_MALFORMED",
  );
  assert.equal(
    codeOf(() => parseJson("[".repeat(17) + "]".repeat(17))),
    "JSON_MALFORMED",
  );
  assert.equal(
    codeOf(() => parseJson("[".repeat(16) + "]".repeat(16))),
    "read",
  );
});

test("names that mean something to JavaScript are names like any other", () => {
  const fields = fieldsOf(parseJson('{"__proto__":{"polluted":"yes"},"constructor":"c"}'), "body");
  assert.equal(textField(fields, "constructor"), "c");
  assert.equal(textsField(fields, "__proto__", 5)?.get("polluted"), "yes");
  assert.equal(Reflect.get({}, "polluted"), undefined);
});
