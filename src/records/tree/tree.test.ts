import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { MemoryDatabase, openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { OPEN_ACL } from "./acl.ts";
import { isWithin } from "./paths.ts";
import { PlainTree } from "./testing/plainTree.ts";
import { nodeNamed, openTreeNode, type TreeNode } from "./testing/treeNode.ts";
import type { Transaction, TreeStep } from "./transactions.ts";
import { type NodeState, PERSISTENT, statOf } from "./znode.ts";

const open: TreeNode[] = [];
after(() => {
  for (const node of open) node.close();
});

const PATHS = ["/a", "/b", "/a/x", "/a/y", "/b/x", "/a/x/1"] as const;
const path = fc.constantFrom(...PATHS);
const version = fc.constantFrom(-1, -1, 0, 1);
const data = fc
  .constantFrom(undefined, "", "one", "two")
  .map((text) => (text === undefined ? undefined : new TextEncoder().encode(text)));
const lifetime = fc.constantFrom({ kind: "persistent" } as const, { kind: "ephemeral" } as const);
const step: fc.Arbitrary<TreeStep> = fc.oneof(
  fc.record({
    kind: fc.constant("create" as const),
    path,
    data,
    acl: fc.constant(OPEN_ACL),
    lifetime,
    isSequential: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant("create" as const),
    path,
    data,
    acl: fc.constant(OPEN_ACL),
    lifetime,
    isSequential: fc.constant(false),
  }),
  fc.record({ kind: fc.constant("delete" as const), path, version }),
  fc.record({ kind: fc.constant("setData" as const), path, data, version }),
  fc.record({ kind: fc.constant("setAcl" as const), path, acl: fc.constant(OPEN_ACL), version }),
  fc.record({ kind: fc.constant("check" as const), path, version }),
);

/** A transaction of one of two clients, at one of two nodes. */
interface Wish {
  readonly at: 0 | 1;
  readonly session: number;
  readonly what:
    | { readonly kind: "steps"; readonly steps: readonly TreeStep[] }
    | { readonly kind: "end" }
    | { readonly kind: "move" };
}

const wish: fc.Arbitrary<Wish> = fc.record({
  at: fc.constantFrom(0 as const, 1 as const),
  session: fc.constantFrom(1, 2),
  what: fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant("steps" as const),
        steps: fc.array(step, { minLength: 1, maxLength: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.constantFrom({ kind: "end" } as const, { kind: "move" } as const) },
  ),
});

function transactionOf({ at, session, what }: Wish): Transaction {
  const node = nodeNamed(at);
  if (what.kind === "end") return { kind: "endSession", session, judge: node };
  if (what.kind === "move") return { kind: "moveSession", session, judge: node, timeoutMs: 4_000 };
  const author = { session, ids: [], node };
  const [only, ...more] = what.steps;
  assert.ok(only !== undefined);
  return more.length === 0 ? { kind: "step", step: only, author } : { kind: "multi", steps: what.steps, author };
}

const BEGIN: readonly Transaction[] = [
  { kind: "beginSession", session: 1, timeoutMs: 4_000, judge: nodeNamed(0) },
  { kind: "beginSession", session: 2, timeoutMs: 4_000, judge: nodeNamed(1) },
];

async function twoNodes() {
  const database = new MemoryDatabase();
  const nodes = await Promise.all([0, 1].map(async (at) => openTreeNode(await openMemoryRecords(database), `n${at}`)));
  open.push(...nodes);
  const [one, two] = nodes;
  assert.ok(one && two);
  for (const txn of BEGIN) await one.write(txn);
  return { nodes: [one, two] as const, database };
}

function plainWith(zxids: (at: number) => number): PlainTree {
  const plain = new PlainTree();
  for (const [at, txn] of BEGIN.entries()) plain.run(txn, zxids(at));
  return plain;
}

/** A node as the oracle has it. */
function seen(node: NodeState, names: Iterable<string>) {
  const stat = statOf(node);
  return {
    data: node.znode.data && Buffer.from(node.znode.data).toString(),
    names: [...names].sort(),
    ...{ version: stat.version, aclVersion: stat.aclVersion, childVersion: stat.childVersion },
    ...{ owner: stat.ephemeralOwner, children: stat.children },
    ...{ created: stat.czxid, modified: stat.mzxid, childChange: stat.pzxid },
  };
}

function within(plain: PlainTree, path: string): { readonly nodes: number; readonly bytes: number } {
  const all = [...plain.nodes].filter(([each]) => isWithin(each, path));
  return { nodes: all.length, bytes: all.reduce((sum, [, { data = "" }]) => sum + Buffer.from(data).length, 0) };
}

function assertSame({ tree }: TreeNode, plain: PlainTree): void {
  const found = new Map([...tree.all()].map((node) => [node.path, seen(node, tree.names(node.path))]));
  assert.deepEqual([...found.keys()].sort(), [...plain.nodes.keys()].sort());
  for (const [each, node] of plain.nodes) {
    const names = plain.children(each);
    const { data: bytes, version: v, aclVersion, creates, deletes, owner, created, modified, childChange } = node;
    const expected = { data: bytes, names, version: v, aclVersion, childVersion: creates + deletes, owner };
    assert.deepEqual(found.get(each), { ...expected, children: names.length, created, modified, childChange }, each);
    assert.deepEqual(tree.within(each), within(plain, each), each);
  }
  assert.equal(tree.size, plain.nodes.size);
  assert.deepEqual([...tree.sessions()].map(({ id }) => id).sort(), [...plain.sessions.keys()].sort());
}

test("transactions one after the other, at two nodes, do what the obvious tree does", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { maxLength: 25 }), async (wishes) => {
      const { nodes } = await twoNodes();
      const plain = plainWith((at) => 128 * (at + 1));
      for (const each of wishes) {
        const node = nodes[each.at];
        await node.writer.sync();
        const txn = transactionOf(each);
        const written = await node.write(txn);
        assert.ok(written.kind !== "lost");
        const expected = plain.run(txn, written.kind === "done" ? written.zxid : 0);
        const outcome =
          written.kind === "refused"
            ? { fault: written.fault, at: written.at }
            : { paths: written.results.map((result) => result.path) };
        assert.deepEqual(outcome, expected);
      }
      for (const node of nodes) {
        await node.writer.sync();
        assertSame(node, plain);
      }
    }),
    { numRuns: 150 },
  );
});

test("transactions all at once, at two nodes, do what the obvious tree does in their order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(wish, { maxLength: 40 }), async (wishes) => {
      const { nodes, database } = await twoNodes();
      const plain = plainWith((at) => 128 * (at + 1));
      const all = await Promise.all(
        wishes.map(async (each) => ({
          txn: transactionOf(each),
          written: await nodes[each.at].write(transactionOf(each)),
        })),
      );
      const done = all.flatMap(({ txn, written }) => (written.kind === "done" ? [{ txn, ...written }] : []));
      done.sort((a, b) => a.zxid - b.zxid);
      for (const { txn, zxid, results } of done) {
        const isCheck = txn.kind === "step" && txn.step.kind === "check";
        const isChecks = txn.kind === "multi" && txn.steps.every(({ kind }) => kind === "check");
        // A transaction that changes nothing has the number of one before it.
        if (isCheck || isChecks) continue;
        assert.deepEqual(plain.run(txn, zxid), { paths: results.map((result) => result.path) });
      }
      const late = await openTreeNode(await openMemoryRecords(database), "late");
      open.push(late);
      for (const node of [...nodes, late]) {
        await node.writer.sync();
        assertSame(node, plain);
      }
      const [one, two] = nodes;
      assert.deepEqual(one.told, two.told);
    }),
    { numRuns: 150 },
  );
});

test("paths that are keyed by digests are read in any order, and leave nothing behind", async () => {
  const { nodes, database } = await twoNodes();
  const [node] = nodes;
  await node.write({ kind: "beginSession", session: 9, timeoutMs: 4_000, judge: nodeNamed(0) });
  const author = { session: 9, ids: [], node: nodeNamed(0) };
  const paths = Array.from({ length: 8 }, (_, at) => `/${"n".repeat(299)}`.repeat(at + 1));
  const made = { kind: "create", data: new Uint8Array(3), acl: OPEN_ACL, lifetime: PERSISTENT } as const;
  for (const path of paths) {
    const step = { ...made, path, isSequential: false };
    assert.equal((await node.write({ kind: "step", step, author })).kind, "done");
  }
  const late = await openTreeNode(await openMemoryRecords(database), "late");
  open.push(late);
  for (const { tree } of [node, late]) {
    for (const [at, path] of paths.entries()) {
      assert.deepEqual(tree.within(path), { nodes: paths.length - at, bytes: 3 * (paths.length - at) });
    }
  }
  const steps = paths.toReversed().map((path) => ({ kind: "delete", path, version: -1 }) as const);
  assert.equal((await node.write({ kind: "multi", steps, author })).kind, "done");
  await late.writer.sync();
  for (const { tree } of [node, late]) assert.equal(tree.size, 4);
});
