import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MemoryDatabase, openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { OPEN_ACL } from "./acl.ts";
import { nodeNamed, openTreeNode, type TreeNode } from "./testing/treeNode.ts";
import { nodeKey } from "./treeRecords.ts";
import { PERSISTENT } from "./znode.ts";

const open: TreeNode[] = [];
after(() => {
  for (const node of open) node.close();
});

const author = { session: 1, ids: [], node: nodeNamed(0) };

async function treeNode(database: MemoryDatabase, name: string): Promise<TreeNode> {
  const node = await openTreeNode(await openMemoryRecords(database), name);
  open.push(node);
  return node;
}

async function create(node: TreeNode, path: string): Promise<void> {
  const step = { kind: "create", path, data: undefined, acl: OPEN_ACL, lifetime: PERSISTENT } as const;
  await node.write({ kind: "step", step: { ...step, isSequential: false }, author });
}

test("a record that can't be read leaves the tree as it was, and nothing is left out once it can", async () => {
  const database = new MemoryDatabase();
  const node = await treeNode(database, "n0");
  await node.write({ kind: "beginSession", session: 1, timeoutMs: 4_000, judge: nodeNamed(0) });
  await create(node, "/a");
  const other = await treeNode(database, "n1");
  const store = await openMemoryRecords(database);
  const page = await store.range({ from: nodeKey("/a"), to: nodeKey("/b") });
  const [a] = page.kind === "page" ? page.records : [];
  assert.ok(a !== undefined);
  await store.commit({
    conditions: [],
    operations: [
      { kind: "put", key: nodeKey("/m"), value: new Uint8Array([99]) },
      { kind: "put", key: nodeKey("/n"), value: a.value },
    ],
  });
  for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual([...other.tree.names("/")].sort(), ["a", "zookeeper"]);
  await store.commit({ conditions: [], operations: [{ kind: "delete", key: nodeKey("/m") }] });
  await create(node, "/b");
  await other.writer.sync();
  for (const each of [node, other]) assert.deepEqual([...each.tree.names("/")].sort(), ["a", "b", "n", "zookeeper"]);
  await store.close();
});
