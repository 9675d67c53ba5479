import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { KEY_PART_CHARS_MAX, makeServiceKey, parseServiceKey, readServiceKey } from "./serviceKey.ts";

test("the three parts make one key and come back from it", () => {
  const name = { name: "com.example.服务😀:1.0@DEFAULT", namespace: "tenant", group: "SOFA" };
  const key = makeServiceKey(name);
  assert.equal(key, "com.example.服务😀:1.0@DEFAULT#@#tenant#@#SOFA");
  assert.deepEqual(parseServiceKey(key), name);
  assert.equal(readServiceKey(key, "service"), key);
});

test("parts that a client leaves out get SOFARegistry's defaults", () => {
  assert.equal(makeServiceKey({ name: "a", namespace: "", group: "" }), "a#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP");
});

const REFUSED: [string, string][] = [
  ["an empty name", ""],
  ["a name that is too long", "x".repeat(KEY_PART_CHARS_MAX + 1)],
  ["NUL", "a\0b"],
  ["a line break", "a\nb"],
  ["a bidi override", "a\u202eb"],
  ["a lone surrogate", "a\ud800b"],
  ["the separator inside a part", "a#@#b"],
  ["a part that would move the border to the next", "a#@"],
];
for (const [what, name] of REFUSED) {
  test(`${what} is refused with the field's name`, () => {
    assert.throws(
      () => makeServiceKey({ name, namespace: "", group: "" }),
      (error) => error instanceof RegistryError && error.code === "FIELD_INVALID" && error.details["field"] === "name",
    );
  });
}

for (const text of ["", "a", "a#@#b", "a#@#b#@#c#@#d"]) {
  test(`"${text}" is no key`, () => {
    assert.throws(() => readServiceKey(text, "service"), /FIELD_INVALID.*service/);
  });
}
