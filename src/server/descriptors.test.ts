import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { connectionLimits, descriptorLimit, parseDescriptorLimit } from "./descriptors.ts";

test("with plenty of descriptors everybody gets what was wanted", () => {
  assert.deepEqual(connectionLimits(1_048_576, 50_000), {
    clients: 50_000,
    sessionHttp: 50_000,
    otherHttp: 1_024,
    nodes: 4_096,
  });
});

for (const descriptors of [256, 1_024, 4_096, 65_536]) {
  test(`of ${descriptors} descriptors, clients leave some for HTTP, links and files`, () => {
    const { clients, sessionHttp, otherHttp, nodes } = connectionLimits(descriptors, 50_000);
    assert.ok(clients >= descriptors / 8, `${clients} clients`);
    for (const part of [sessionHttp, otherHttp]) assert.ok(part >= 8);
    assert.ok(nodes >= 32);
    assert.ok(clients + sessionHttp + 2 * otherHttp + nodes <= descriptors - 96);
  });
}

test("with hardly any the server does not start, and says what to raise", () => {
  const isClear = (error: unknown) => error instanceof RegistryError && error.message.includes('key="ulimit -n"');
  assert.throws(() => connectionLimits(64, 50_000), isClear);
});

test("the soft limit is read, and no limit is none", () => {
  const line = (soft: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}   1048576   files\n`;
  assert.equal(parseDescriptorLimit(line("1024")), 1_024);
  assert.equal(parseDescriptorLimit(line("unlimited")), undefined);
  assert.equal(parseDescriptorLimit(""), undefined);
  if (process.platform === "linux") assert.ok((descriptorLimit() ?? 0) > 0);
});
