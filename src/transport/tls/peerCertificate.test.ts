import assert from "node:assert/strict";
import { test } from "node:test";
import { alternativeNames } from "./peerCertificate.ts";

for (const [what, text, names] of [
  [
    "several kinds",
    "DNS:a.b, URI:roster://node/n1, IP Address:10.0.0.1",
    ["DNS:a.b", "URI:roster://node/n1", "IP Address:10.0.0.1"],
  ],
  ["none", "", []],
  ["a name with a comma, which can't be taken for two", 'DNS:"a, DNS:b", DNS:c', ["DNS:a, DNS:b", "DNS:c"]],
  ["a name with a quote", 'URI:"x\\"y"', ['URI:x"y']],
  ["a text in another form", "nonsense", []],
  ["a text that ends in another form", "DNS:a, nonsense", []],
] as const) {
  test(`alternative names: ${what}`, () => assert.deepEqual(alternativeNames(text), names));
}
