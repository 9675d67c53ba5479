import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readInstanceText, writeInstanceText } from "./instanceText.ts";
import { anInstance } from "./testing/instances.ts";

const read = (text: string) => readInstanceText(text, "test");
/** The parts of an address that tests look at. */
function parts(text: string): unknown[] | undefined {
  const found = read(text);
  return found && [found.host, found.port, found.weight, Object.fromEntries(found.metadata)];
}

test("a text of SOFARPC is an instance, its weight of 100 being the usual one", () => {
  const text =
    "10.1.0.1:12200?rpcVer=50803&serialization=hessian2&weight=100&timeout=3000&appName=shop&_IDLETIMEOUT=27";
  const metadata = { rpcVer: "50803", serialization: "hessian2", timeout: "3000", appName: "shop", _IDLETIMEOUT: "27" };
  assert.deepEqual(
    read(text),
    anInstance({ host: "10.1.0.1", port: 12_200, metadata: new Map(Object.entries(metadata)) }),
  );
});

const ADDRESSES: readonly (readonly [string, unknown[]])[] = [
  ["10.0.0.1:80", ["10.0.0.1", 80, 1, {}]],
  ["orders.example.com:0?", ["orders.example.com", 0, 1, {}]],
  ["[fe80::1]:65535?weight=0", ["fe80::1", 65_535, 0, {}]],
  ["10.0.0.1:80?weight=250", ["10.0.0.1", 80, 2.5, {}]],
  ["10.0.0.1:80?weight=-5", ["10.0.0.1", 80, 1, { weight: "-5" }]],
  ["10.0.0.1:80?weight=99999999999", ["10.0.0.1", 80, 1, { weight: "99999999999" }]],
  ["10.0.0.1:80?a=1&a=2&&b&=c&d=", ["10.0.0.1", 80, 1, { a: "1", b: "", d: "" }]],
  ["10.0.0.1:80?load=50%&name=%C3%A9", ["10.0.0.1", 80, 1, { load: "50%", name: "é" }]],
  ["10.0.0.1:80?a=%ff&b=%41%&c=%e9%41&d=%zz", ["10.0.0.1", 80, 1, { a: "%ff", b: "A%", c: "%e9%41", d: "%zz" }]],
  ["[fe80::1%eth0]:80", ["fe80::1%eth0", 80, 1, {}]],
  ["10.0.0.1:80?url=http://a/b?c", ["10.0.0.1", 80, 1, { url: "http://a/b?c" }]],
  ["10.0.0.1:80?text=two\nlines", ["10.0.0.1", 80, 1, { text: "two\nlines" }]],
  [
    "dubbo://10.0.0.1:20880/com.example.Orders?side=provider",
    ["10.0.0.1", 20_880, 1, { side: "provider", protocol: "dubbo", path: "com.example.Orders" }],
  ],
  ["bolt://10.0.0.1:80/?protocol=own&path=own", ["10.0.0.1", 80, 1, { protocol: "own", path: "own" }]],
];
for (const [text, expected] of ADDRESSES) {
  test(`"${text.replace("\n", "\\n")}" is an address`, () => assert.deepEqual(parts(text), expected));
}

const OTHERS = [
  "",
  "10.0.0.1",
  "10.0.0.1:",
  ":80",
  "10.0.0.1:x",
  "10.0.0.1:65536",
  "10.0.0.1:080000",
  "a b:80",
  "fe80::1:80",
];
for (const text of [
  ...OTHERS,
  '{"host":"10.0.0.1"}',
  "[fe80::1:80",
  "a:80#b",
  `a:80?${"x".repeat(8_192)}`,
  `a:80?${"b=1&".repeat(256)}`,
]) {
  test(`"${text.slice(0, 30)}" is none`, () => assert.equal(parts(text), undefined));
}

test("the text of an instance is read as that instance, whatever its metadata", () => {
  const string = fc.string({ unit: fc.constantFrom(..."aé&=%#? \n+/"), maxLength: 8 });
  const key = string.filter((text) => text !== "" && text !== "weight");
  const metadata = fc.array(fc.tuple(key, string), { maxLength: 5 }).map((entries) => new Map(entries));
  const host = fc.constantFrom("10.0.0.1", "fe80::1", "orders");
  fc.assert(
    fc.property(host, fc.nat(65_535), fc.nat(1_000), metadata, (name, port, hundredths, pairs) => {
      const instance = anInstance({ host: name, port, weight: hundredths / 100, metadata: pairs });
      assert.deepEqual(read(writeInstanceText(instance) ?? ""), instance);
    }),
  );
});

test("a text says no weight if that is the usual one, and one weight only", () => {
  const metadata = new Map([
    ["weight", "7"],
    ["a", "1"],
  ]);
  assert.equal(writeInstanceText(anInstance({ metadata })), "10.0.0.1:8080?a=1");
  assert.equal(writeInstanceText(anInstance({ metadata, weight: 0.5 })), "10.0.0.1:8080?weight=50&a=1");
  assert.equal(writeInstanceText(anInstance({ host: "::1" })), "[::1]:8080");
});

test("a small weight is not none, and a weight that is none stays with its words", () => {
  assert.equal(writeInstanceText(anInstance({ weight: 0 })), "10.0.0.1:8080?weight=0");
  assert.equal(writeInstanceText(anInstance({ weight: 0.004 })), "10.0.0.1:8080?weight=1");
  assert.equal(read(writeInstanceText(anInstance({ weight: 1e9 })) ?? "")?.weight, 9_999_999.99);
  assert.equal(writeInstanceText(anInstance({ metadata: new Map([["weight", "-5"]]) })), "10.0.0.1:8080?weight=-5");
});

test("an instance whose host can't be read again has no text", () => {
  for (const host of ["", "a b", "a?b", "a/b"]) assert.equal(writeInstanceText(anInstance({ host })), undefined);
});
