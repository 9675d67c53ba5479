import assert from "node:assert/strict";
import { after, test } from "node:test";
import { JuteReader } from "../../encoding/jute/reader.ts";
import type { Acl, AuthId } from "../../records/tree/acl.ts";
import { nodeNamed, openTreeNode } from "../../records/tree/testing/treeNode.ts";
import { PERSISTENT } from "../../records/tree/znode.ts";
import { MemoryDatabase, openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { CODE, type Code } from "./codec/operations.ts";
import type { ReadOperation } from "./codec/requests.ts";
import { answerAllChildren, answerRead, answerReads, answerWhoAmI, type Reader } from "./reads.ts";

const READER: AuthId = { scheme: "digest", id: "reader:r" };
const ADMIN: AuthId = { scheme: "digest", id: "admin:a" };
const SUPER: AuthId = { scheme: "super", id: "" };
const ACL: readonly Acl[] = [
  { ...READER, permissions: 1 },
  { ...ADMIN, permissions: 16 },
];
const NONE_OF_THEM: AuthId = { scheme: "ip", id: "10.0.0.1" };

const node = await openTreeNode(await openMemoryRecords(new MemoryDatabase()), "n0");
after(() => node.close());
await node.write({ kind: "beginSession", session: 1, timeoutMs: 4_000, judge: nodeNamed(0) });
for (const [path, acl] of [
  ["/p", ACL],
  ["/p/c", ACL],
] as const) {
  const step = { kind: "create", path, data: undefined, acl, lifetime: PERSISTENT, isSequential: false } as const;
  const author = { session: 1, ids: [SUPER], node: nodeNamed(0) };
  assert.equal((await node.write({ kind: "step", step, author })).kind, "done");
}

function as(...ids: readonly AuthId[]): Reader {
  return { ids, judge: { seesAll: true, may: () => true } as never };
}

const READS = ["exists", "getData", "getChildren", "getChildren2"] as const;

const CODES: readonly (readonly [operations: readonly ReadOperation[], path: string, by: AuthId, code: Code])[] = [
  [READS, "/p", READER, CODE.ok],
  [READS, "/p", SUPER, CODE.ok],
  [READS, "/p", ADMIN, CODE.noAuth],
  [READS, "/p", NONE_OF_THEM, CODE.noAuth],
  [["getACL"], "/p", READER, CODE.ok],
  [["getACL"], "/p", ADMIN, CODE.ok],
  [["getACL"], "/p", NONE_OF_THEM, CODE.noAuth],
  [[...READS, "getACL"], "/none", NONE_OF_THEM, CODE.noNode],
  [[...READS, "getACL"], "/p/", READER, CODE.badArguments],
  [[...READS, "getACL"], "p", READER, CODE.badArguments],
];

for (const [operations, path, by, code] of CODES) {
  test(`${operations.join(", ")} of ${path} by ${by.scheme}:${by.id} is answered with ${code}`, () => {
    for (const operation of operations) {
      assert.equal(answerRead(node.tree, operation, path, as(by)).code, code, operation);
    }
  });
}

test("digests are shown to those only who may set them", () => {
  const idsFor = (by: AuthId) => {
    const body = new JuteReader(Buffer.concat(answerRead(node.tree, "getACL", "/p", as(by)).body));
    return body.vector(12, (from) => `${from.int()} ${from.string()} ${from.string()}`);
  };
  assert.deepEqual(idsFor(READER), ["1 digest reader:x", "16 digest admin:x"]);
  for (const by of [ADMIN, SUPER]) assert.deepEqual(idsFor(by), ["1 digest reader:r", "16 digest admin:a"]);
});

test("each part of a multiRead is answered by itself", () => {
  const reads = [
    { operation: "getChildren", path: "/p" },
    { operation: "getData", path: "/none" },
  ] as const;
  const body = new JuteReader(Buffer.concat(answerReads(node.tree, reads, as(READER)).body));
  const header = () => [body.int(), body.bool(), body.int()];
  assert.deepEqual(header(), [8, false, CODE.ok]);
  assert.deepEqual(
    body.vector(4, (from) => from.string()),
    ["c"],
  );
  assert.deepEqual(header(), [-1, false, CODE.noNode]);
  assert.equal(body.int(), CODE.noNode);
  assert.deepEqual(header(), [-1, true, -1]);
  assert.equal(body.remaining, 0);
});

test("all znodes below a path are counted for those who may read it", () => {
  const count = (path: string) => {
    const { code, body } = answerAllChildren(node.tree, path, as(READER));
    return code === CODE.ok ? new JuteReader(Buffer.concat(body)).int() : code;
  };
  assert.deepEqual(["/", "/p", "/p/c", "/none"].map(count), [5, 1, 0, CODE.noNode]);
  assert.equal(answerAllChildren(node.tree, "/p", as(ADMIN)).code, CODE.noAuth);
});

test("a client is told its identities without what proves them", () => {
  const body = new JuteReader(Buffer.concat(answerWhoAmI([NONE_OF_THEM, READER]).body));
  assert.deepEqual(
    body.vector(8, (from) => `${from.string()} ${from.string()}`),
    ["ip 10.0.0.1", "digest reader"],
  );
});
