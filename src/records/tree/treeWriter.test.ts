import assert from "node:assert/strict";
import { after, test } from "node:test";
import fc from "fast-check";
import { fail } from "../../base/errors.ts";
import { MemoryDatabase, openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import type { Commit, Records } from "../records.ts";
import { OPEN_ACL } from "./acl.ts";
import { nodeNamed, openTreeNode, type TreeNode } from "./testing/treeNode.ts";
import type { Transaction, TreeStep } from "./transactions.ts";
import { PERSISTENT } from "./znode.ts";

const open: TreeNode[] = [];
after(() => {
  for (const node of open) node.close();
});

/** A store that fails as it is told, one word for each commit. */
type Fault = "works" | "not made" | "made, and not said";

class FaultyRecords implements Pick<Records, "range" | "commit" | "watch"> {
  readonly #records: Records;
  readonly faults: Fault[] = [];
  commits: Commit[] = [];
  /** Happens before each commit. */
  before: (() => Promise<unknown>) | undefined;
  /** The history of the next change is gone when it is told. */
  isCompacted = false;

  constructor(records: Records) {
    this.#records = records;
  }

  range(query: Parameters<Records["range"]>[0]) {
    return this.#records.range(query);
  }

  watch(...[range, from, watcher]: Parameters<Records["watch"]>) {
    const changed: typeof watcher.changed = (changes, revision) => {
      if (!this.isCompacted) return watcher.changed(changes, revision);
      this.isCompacted = false;
      cancel();
      watcher.compacted(revision);
    };
    const cancel = this.#records.watch(range, from, { ...watcher, changed });
    return cancel;
  }

  async commit(commit: Commit) {
    this.commits.push(commit);
    await this.before?.();
    const fault = this.faults.shift() ?? "works";
    if (fault === "not made") throw fail("STORE_UNAVAILABLE", { reason: "a fault of the test" });
    const outcome = await this.#records.commit(commit);
    if (fault !== "works") throw fail("STORE_OUTCOME_UNKNOWN", { reason: "a fault of the test" });
    return outcome;
  }
}

async function faultyNode(database = new MemoryDatabase(), name = "n0") {
  const records = new FaultyRecords(await openMemoryRecords(database));
  const node = await openTreeNode(records, name);
  open.push(node);
  return { records, node, database };
}

/** A node whose copy shows changes some turns late. */
async function slowNode(database: MemoryDatabase): Promise<TreeNode> {
  const late = new FaultyRecords(await openMemoryRecords(database));
  const told: (() => void)[] = [];
  const slow: Pick<Records, "range" | "commit" | "watch"> = {
    range: (query) => late.range(query),
    commit: (commit) => late.commit(commit),
    watch: (range, from, watcher) =>
      late.watch(range, from, {
        ...watcher,
        changed: (changes, revision) => {
          told.push(() => watcher.changed(changes, revision));
          setImmediate(() => setImmediate(() => told.shift()?.()));
        },
      }),
  };
  const node = await openTreeNode(slow, "slow");
  open.push(node);
  return node;
}

const author = { session: 1, ids: [], node: nodeNamed(0) };
const begin: Transaction = { kind: "beginSession", session: 1, timeoutMs: 4_000, judge: nodeNamed(0) };

function create(path: string, isSequential = false): Transaction {
  const step = { kind: "create", path, data: undefined, acl: OPEN_ACL, lifetime: PERSISTENT, isSequential } as const;
  return { kind: "step", step, author };
}

/** Steps that create so many znodes. */
function creates(count: number): TreeStep[] {
  const each = { kind: "create", data: undefined, acl: OPEN_ACL, lifetime: PERSISTENT, isSequential: false } as const;
  return Array.from({ length: count }, (_, at) => ({ ...each, path: `/n${at}` }));
}

test("transactions that wait make one commit, each with its own outcome", async () => {
  const { node, records } = await faultyNode();
  await node.write(begin);
  records.commits = [];
  const written = await Promise.all(["/a", "/a", "/a/b", "/x/y", "/c"].map((path) => node.write(create(path))));
  assert.deepEqual(
    written.map((each) => (each.kind === "refused" ? each.fault : each.kind)),
    ["done", "nodeExists", "done", "noNode", "done"],
  );
  assert.equal(records.commits.length, 1);
  const zxids = written.flatMap((each) => (each.kind === "done" ? [each.zxid] : []));
  assert.deepEqual(zxids, [...new Set(zxids)]);
});

test("a session with many ephemeral znodes ends part by part, and takes all of them along", async () => {
  const { node } = await faultyNode();
  await node.write(begin);
  const lifetime = { kind: "ephemeral" } as const;
  const steps = creates(60).map((step) => ({ ...step, lifetime }) as TreeStep);
  await node.write({ kind: "multi", steps, author });
  const end = () => node.write({ kind: "endSession", session: 1, judge: nodeNamed(0) });
  const [first, left] = [await end(), [...node.tree.ephemerals(1)].length];
  assert.deepEqual([first.kind === "done" && first.isWhole, left], [false, 15]);
  const second = await end();
  assert.deepEqual([second.kind === "done" && second.isWhole, [...node.tree.ephemerals(1)].length], [true, 0]);
  assert.deepEqual([...node.tree.names("/")], ["zookeeper"]);
});

test("more than a commit can have goes into several", async () => {
  const { node, records } = await faultyNode();
  await node.write(begin);
  records.commits = [];
  await Promise.all(Array.from({ length: 250 }, (_, at) => node.write(create(`/n${at}`))));
  assert.ok(records.commits.length >= 3 && records.commits.length <= 5, `${records.commits.length}`);
  assert.equal(node.tree.names("/").size, 251);
});

test("a transaction that no commit can have is refused, and the next ones are made", async () => {
  const { node } = await faultyNode();
  await node.write(begin);
  const steps = creates(1_500);
  const [large, small] = await Promise.all([node.write({ kind: "multi", steps, author }), node.write(create("/s"))]);
  assert.deepEqual(large, { kind: "refused", fault: "tooLarge", at: 0 });
  assert.equal(small.kind, "done");
  assert.deepEqual([...node.tree.names("/")].sort(), ["s", "zookeeper"]);
});

test("a transaction of more records than a commit has conditions is one commit, beside those of others", async () => {
  const { node, database, records } = await faultyNode();
  const { node: other } = await faultyNode(database, "n1");
  await node.write(begin);
  await other.writer.sync();
  records.commits = [];
  const steps = creates(900);
  const beside = Array.from({ length: 20 }, (_, at) => other.write(create(`/o${at}`)));
  const all = [node.write(create("/first")), node.write({ kind: "multi", steps, author }), ...beside];
  for (const { kind } of await Promise.all(all)) assert.equal(kind, "done");
  await node.writer.sync();
  assert.equal(node.tree.names("/").size, 900 + 22);
  const removals = steps.map(({ path }) => ({ kind: "delete", path, version: -1 }) as const);
  assert.equal((await node.write({ kind: "multi", steps: removals, author })).kind, "done");
  assert.equal(node.tree.names("/").size, 22);
});

test("a large transaction behind a small one is decided on what other nodes have done before it", async () => {
  const { node, database } = await faultyNode();
  await node.write(begin);
  await node.write(create("/x"));
  const slow = await slowNode(database);
  const data = { kind: "setData", path: "/x", data: undefined, version: -1 } as const;
  assert.equal((await node.write({ kind: "step", step: data, author })).kind, "done");
  const check = { kind: "check", path: "/x", version: 0 } as const;
  const multi: Transaction = { kind: "multi", steps: [check, ...creates(150)], author };
  const [small, large] = await Promise.all([slow.write(create("/small")), slow.write(multi)]);
  assert.equal(small.kind, "done");
  assert.deepEqual(large, { kind: "refused", fault: "badVersion", at: 0 });
});

test("a large transaction that others overtake all the time is given up, and the next one is made", async () => {
  const { node, database, records } = await faultyNode();
  const { node: other } = await faultyNode(database, "n1");
  await node.write(begin);
  await other.writer.sync();
  records.before = () => other.write(create("/o", true));
  const large = node.write({ kind: "multi", steps: creates(150), author });
  const next = node.write(create("/next"));
  assert.deepEqual(await large, { kind: "lost" });
  records.before = undefined;
  assert.equal((await next).kind, "done");
});

test("a refusal is decided on the newest state, however old the copy is", async () => {
  const { node, database } = await faultyNode();
  await node.write(begin);
  const other = await slowNode(database);
  assert.equal((await node.write(create("/a"))).kind, "done");
  assert.deepEqual(await other.write(create("/a")), { kind: "refused", fault: "nodeExists", at: 0 });
  assert.equal((await other.write(create("/a/b"))).kind, "done");
});

test("whatever becomes of commits, each transaction is made once", async () => {
  const fault = fc.constantFrom<Fault>("works", "not made", "made, and not said");
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 8 }), fc.array(fault, { maxLength: 8 }), async (first, second) => {
      const { node, records, database } = await faultyNode();
      const { node: other, records: others } = await faultyNode(database, "n1");
      await node.write(begin);
      await node.write(create("/s"));
      await other.writer.sync();
      records.faults.push(...first);
      others.faults.push(...second);
      const all = [node, other].flatMap((at) => Array.from({ length: 4 }, () => at.write(create("/s/n-", true))));
      const written = await Promise.all(all);
      const paths = written.flatMap((each) => (each.kind === "done" ? each.results.map(({ path }) => path) : []));
      assert.equal(paths.length, 8);
      const expected = Array.from({ length: 8 }, (_, at) => `/s/n-000000000${at}`);
      assert.deepEqual([...paths].sort(), expected);
      await node.writer.sync();
      assert.deepEqual([...node.tree.names("/s")].map((name) => `/s/${name}`).sort(), expected);
    }),
    { numRuns: 60 },
  );
});

test("a commit of which neither the store nor the history says whether it was made is not made again", async () => {
  const { node, records } = await faultyNode();
  await node.write(begin);
  await node.write(create("/s"));
  records.faults.push("made, and not said");
  records.isCompacted = true;
  assert.deepEqual(await node.write(create("/s/n-", true)), { kind: "lost" });
  assert.deepEqual([...node.tree.names("/s")], ["n-0000000000"]);
  assert.equal((await node.write(create("/s/n-", true))).kind, "done");
});

test("a writer that is closed answers what waits as lost", async () => {
  const { node, records } = await faultyNode();
  await node.write(begin);
  records.faults.push(...Array<Fault>(100).fill("not made"));
  const written = [node.write(create("/a")), node.write(create("/b"))];
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  node.writer.close();
  assert.deepEqual(await Promise.all(written), [{ kind: "lost" }, { kind: "lost" }]);
});
