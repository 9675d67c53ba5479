import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { type ParameterTable, parametersOfQuery, readParameters } from "./parameter.ts";

const TABLE = {
  limit: { type: "integer", min: 1, max: 10, default: 5, about: "" },
  pattern: { type: "text", charsMax: 5, default: "*", about: "" },
  all: { type: "flag", about: "" },
  service: { type: "service", about: "" },
  address: { type: "list", of: { type: "address", about: "" }, countMax: 2, about: "" },
  version: { type: "version", about: "" },
  block: { type: "addressOrBlock", about: "" },
  duration: { type: "duration", about: "" },
  time: { type: "time", about: "" },
} as const satisfies ParameterTable;

const READ: readonly (readonly [behaviour: string, query: Record<string, string | string[]>, values: object])[] = [
  ["nothing: the defaults", {}, { limit: 5, pattern: "*", all: false }],
  ["a number and a flag", { limit: "10", all: "true" }, { limit: 10, pattern: "*", all: true }],
  ["a text that looks like a number", { pattern: "007" }, { limit: 5, pattern: "007", all: false }],
  [
    "a list with commas, in the form that hosts have",
    { address: "::1,10.0.0.1" },
    { limit: 5, pattern: "*", all: false, address: ["[::1]", "10.0.0.1"] },
  ],
  [
    "a list that is given twice",
    { address: ["::1", "10.0.0.1"] },
    { limit: 5, pattern: "*", all: false, address: ["[::1]", "10.0.0.1"] },
  ],
  [
    "the largest version",
    { version: "9223372036854775807" },
    { limit: 5, pattern: "*", all: false, version: 2n ** 63n - 1n },
  ],
  [
    "a block, in one form",
    { block: "2001:DB8::/32" },
    { limit: 5, pattern: "*", all: false, block: "[2001:db8::]/32" },
  ],
  ["a duration", { duration: "1h30m" }, { limit: 5, pattern: "*", all: false, duration: 5_400_000 }],
  [
    "a point in time in another zone",
    { time: "1970-01-01T02:00:00+01:00" },
    { limit: 5, pattern: "*", all: false, time: 3_600_000 },
  ],
  [
    "a service by its name",
    { service: "orders" },
    { limit: 5, pattern: "*", all: false, service: "orders#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP" },
  ],
  [
    "a service by its key",
    { service: "orders#@#i#@#g" },
    { limit: 5, pattern: "*", all: false, service: "orders#@#i#@#g" },
  ],
];

for (const [behaviour, query, values] of READ) {
  test(`a query is read: ${behaviour}`, () => {
    const read = readParameters(TABLE, parametersOfQuery(TABLE, query));
    assert.deepEqual(Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined)), values);
  });
}

const REFUSED: readonly (readonly [what: string, query: Record<string, string | string[]>, named: RegExp])[] = [
  ["an unknown name, with the known ones", { limt: "1" }, /field=limt.*limit, pattern/],
  ["a name that every object has", { toString: "1" }, /field=toString/],
  ["a number that is none", { limit: "1e1" }, /field=limit, value=1e1, .*1 to 10/],
  ["a single value that is given twice", { limit: ["1", "2"] }, /field=limit/],
  ["an empty list", { address: "" }, /field=address.*1 to 2 values/],
  ["a list with an empty value", { address: "::1," }, /field=address/],
  ["a range of addresses", { address: "10.0.0.0/8" }, /field=address, value=10.0.0.0\/8.*no range/],
  ["a block with bits behind its prefix, with the one meant", { block: "10.1.2.3/8" }, /field=block.* 10\.0\.0\.0\/8/],
  ["a duration without a unit", { duration: "30" }, /field=duration.*30m/],
  ["a duration of more than ten years", { duration: "9999d" }, /field=duration/],
  ["a point in time without its zone", { time: "2026-11-29T18:00:00" }, /field=time.*zone/],
  ["two of the three parts of a key", { service: "a#@#b" }, /field=service/],
  ["a value with invisible characters, which are shown", { pattern: "a\u202eb\u0007cd" }, /a\\\\u202eb\\\\u0007cd/],
];

for (const [what, query, named] of REFUSED) {
  test(`a query is refused: ${what}`, () => {
    assert.throws(
      () => readParameters(TABLE, parametersOfQuery(TABLE, query)),
      (error) => error instanceof RegistryError && error.code === "FIELD_INVALID" && named.test(error.message),
    );
  });
}
