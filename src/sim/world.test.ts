import assert from "node:assert/strict";
import { test } from "node:test";
import { runTreeSeed } from "./treeWorld.ts";
import { runSeed } from "./world.ts";

const settle = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("the same seed gives the same run, event by event", () => {
  for (const isCluster of [false, true]) {
    const [first, second] = [runSeed(11, { isCluster }), runSeed(11, { isCluster })];
    assert.equal(first.log.hash, second.log.hash);
    assert.ok(first.log.size > 500, `${first.log.size} events`);
    assert.notEqual(runSeed(12, { isCluster }).log.hash, first.log.hash);
  }
});

test("a few tight worlds keep all rules", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { finding } = runSeed(seed, { isCluster: false, isTight: true });
    assert.equal(finding, undefined, `seed ${seed}: ${finding?.rule}: ${finding?.text}`);
  }
});

test("a few worlds of each kind keep all rules", () => {
  for (let seed = 1; seed <= 10; seed++) {
    for (const isCluster of [false, true]) {
      const { finding } = runSeed(seed, { isCluster });
      assert.equal(finding, undefined, `seed ${seed}: ${finding?.rule}: ${finding?.text}`);
    }
  }
});

test("the same seed gives the same run with the ordered tree, and a few such worlds keep all rules", async () => {
  const hashes = new Map<number, string>();
  for (const seed of [1, 2, 3, 2]) {
    const { finding, log } = await runTreeSeed(seed, settle);
    assert.equal(finding, undefined, `seed ${seed}: ${finding?.rule}: ${finding?.text}`);
    assert.equal(hashes.get(seed) ?? log.hash, log.hash);
    hashes.set(seed, log.hash);
  }
});
