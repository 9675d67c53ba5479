import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { connectionLimits, descriptorLimit, parseDescriptorLimit } from "./descriptors.ts";

const WANTED = { clientsWanted: 50_000, hasNodePort: true };

test("with plenty of descriptors everybody gets what was wanted", () => {
  const { clients, nodes, otherHttp } = connectionLimits(1_048_576, WANTED);
  assert.deepEqual({ clients, nodes, otherHttp }, { clients: 50_000, nodes: 4_096, otherHttp: 256 });
});

for (const descriptors of [256, 1_024, 4_096, 65_536]) {
  test(`of ${descriptors} descriptors, clients leave some for HTTP, links and files`, () => {
    const { clients, session, otherHttp, nodes } = connectionLimits(descriptors, WANTED);
    assert.ok(clients >= descriptors / 4, `${clients} clients`);
    for (const part of [session - clients, otherHttp]) assert.ok(part >= 8);
    assert.ok(nodes >= 32);
    assert.ok(session + 2 * otherHttp + nodes <= descriptors - 96);
  });
}

test("with hardly any the server does not start, and says what to raise", () => {
  const isClear = (error: unknown) => error instanceof RegistryError && error.message.includes('key="ulimit -n"');
  assert.throws(() => connectionLimits(64, WANTED), isClear);
});

test("the soft limit is read, and no limit is none", () => {
  const line = (soft: string) =>
    `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}   1048576   files\n`;
  assert.equal(parseDescriptorLimit(line("1024")), 1_024);
  assert.equal(parseDescriptorLimit(line("unlimited")), undefined);
  assert.equal(parseDescriptorLimit(""), undefined);
  if (process.platform === "linux") assert.ok((descriptorLimit() ?? 0) > 0);
});
