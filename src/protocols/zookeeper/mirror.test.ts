import assert from "node:assert/strict";
import { after, test } from "node:test";
import { packInstance } from "../../model/instance.ts";
import type { Publication } from "../../model/publication.ts";
import { anInstance } from "../../model/testing/instances.ts";
import { OPEN_ACL } from "../../records/tree/acl.ts";
import { nodeNamed, openTreeNode, type TreeNode } from "../../records/tree/testing/treeNode.ts";
import type { Transaction, WantedLifetime } from "../../records/tree/transactions.ts";
import { PERSISTENT } from "../../records/tree/znode.ts";
import type { Asker, Registry } from "../../registry/registry.ts";
import { MemoryDatabase, openMemoryRecords } from "../../store/memory/memoryRecords.ts";
import { Mirror } from "./mirror.ts";
import { ServicePaths } from "./servicePaths.ts";

const SELF = nodeNamed(0);
const PATH = "/services/orders";

/** A mirror on a tree of its own; a test says which lists the registry has, and when transactions are made. */
class MirrorScene {
  readonly node: TreeNode;
  readonly mirror: Mirror;
  readonly submitted: Transaction[] = [];
  #held: (() => void)[] | undefined;
  #asker: Asker | undefined;
  #version = 0n;

  static readonly #open: TreeNode[] = [];

  static async start(): Promise<MirrorScene> {
    const node = await openTreeNode(await openMemoryRecords(new MemoryDatabase()), "n0");
    MirrorScene.#open.push(node);
    await node.write({ kind: "beginSession", session: 1, timeoutMs: 4_000, judge: SELF });
    return new MirrorScene(node);
  }

  static closeAll(): void {
    for (const node of MirrorScene.#open) node.close();
  }

  constructor(node: TreeNode) {
    this.node = node;
    const registry: Registry = {
      step: (event) => {
        if (event.kind === "asked") this.#asker = event.asker;
      },
    };
    this.mirror = new Mirror({
      ...{ registry, tree: node.tree, self: SELF, nowMs: () => 0 },
      paths: new ServicePaths(["curator=/services/*"]),
      members: () => new Set([SELF]),
      submit: (txn, done) => {
        this.submitted.push(txn);
        const run = () => node.writer.submit(txn, done);
        if (this.#held === undefined) run();
        else this.#held.push(run);
      },
      later: (run) => run(),
    });
  }

  async create(path: string, lifetime: WantedLifetime = PERSISTENT): Promise<void> {
    const step = { kind: "create", path, data: undefined, acl: OPEN_ACL, lifetime, isSequential: false } as const;
    const written = await this.node.write({ kind: "step", step, author: { session: 1, ids: [], node: SELF } });
    assert.equal(written.kind, "done");
  }

  /** Follows what is there. */
  follow(): void {
    this.mirror.loaded();
    this.mirror.check(0);
  }

  /** The registry's list is this one now. */
  list(...hosts: readonly string[]): void {
    const publications = new Map(
      hosts.map((host) => [host, { payload: packInstance(anInstance({ host, port: 80 })) } as Publication]),
    );
    const view = { version: ++this.#version, publications } as never;
    const asker = this.#asker;
    this.#asker = undefined;
    asker?.answer({ kind: "list", view, isNewer: true });
  }

  /** Transactions wait until `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const run of held) run();
  }

  /** The children of the path, when all that waits is made. */
  async children(): Promise<string[]> {
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setImmediate(resolve));
    return [...this.node.tree.names(PATH)].sort();
  }
}

after(() => MirrorScene.closeAll());

test("the children of a service path are the instances of other protocols", async () => {
  const scene = await MirrorScene.start();
  await scene.create("/services");
  await scene.create(PATH);
  scene.follow();
  scene.list("10.0.0.1", "10.0.0.2");
  assert.deepEqual(await scene.children(), ["10.0.0.1:80", "10.0.0.2:80"]);
  scene.list("10.0.0.2");
  assert.deepEqual(await scene.children(), ["10.0.0.2:80"]);
});

test("an instance that goes before its child is there leaves none", async () => {
  const scene = await MirrorScene.start();
  await scene.create("/services");
  await scene.create(PATH);
  scene.follow();
  scene.hold();
  scene.list("10.0.0.1");
  scene.list();
  scene.release();
  assert.deepEqual(await scene.children(), []);
});

test("lists that come while the store makes nothing wait as one", async () => {
  const scene = await MirrorScene.start();
  await scene.create("/services");
  await scene.create(PATH);
  scene.follow();
  scene.hold();
  for (let last = 1; last <= 200; last++) scene.list(`10.0.0.${last}`);
  assert.equal(scene.submitted.length, 1);
  scene.release();
  assert.deepEqual(await scene.children(), ["10.0.0.200:80"]);
});

test("a path that is asked for before the service has an instance is there when it has one", async () => {
  const scene = await MirrorScene.start();
  await scene.create("/services");
  scene.mirror.wanted(PATH);
  scene.list();
  assert.deepEqual(await scene.children(), []);
  scene.list("10.0.0.1");
  assert.deepEqual(await scene.children(), ["10.0.0.1:80"]);
});

test("an ephemeral znode at a service path, or above it, gets no children, and its session can end", async () => {
  for (const path of [PATH, "/services"]) {
    const scene = await MirrorScene.start();
    if (path === PATH) await scene.create("/services");
    await scene.create(path, { kind: "ephemeral" });
    scene.mirror.wanted(PATH);
    scene.list("10.0.0.1");
    assert.deepEqual(await scene.children(), [], path);
    const ended = await scene.node.write({ kind: "endSession", session: 1, judge: SELF });
    assert.equal(ended.kind, "done", path);
  }
});
