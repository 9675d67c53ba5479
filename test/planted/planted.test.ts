// The simulation finds bugs: each planted one within a few seeds, and by a rule that it breaks. Without a plant the
// same seeds pass.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { PLANTS, type Plant } from "./plants.ts";

// Every plant is found well before; the unplanted run needs as many.
const SEEDS = 120;
const CLUSTER_SEEDS = 500;
const RUNS_AT_ONCE = 2;
const ROOT = new URL("../../", import.meta.url).pathname;

interface Run {
  readonly exitCode: number;
  readonly output: string;
}

interface Seeds {
  readonly firstSeed: number;
  readonly isCluster: boolean;
}

function seedsOf({ firstSeed = 1, isCluster = false }: Plant): Seeds {
  return { firstSeed, isCluster };
}

function simulate(options: Seeds & { plant?: string }): Promise<Run> {
  const planted = options.plant === undefined ? [] : ["--import", "./test/planted/plant.ts"];
  const seeds = [
    "--seeds",
    String(options.isCluster ? CLUSTER_SEEDS : SEEDS),
    "--first-seed",
    String(options.firstSeed),
    ...(options.isCluster ? ["--cluster"] : []),
  ];
  const env = { ...process.env, ROSTER_PLANT: options.plant ?? "" };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...planted, "src/sim/main.ts", ...seeds],
      { cwd: ROOT, env },
      (error, stdout, stderr) => {
        resolve({ exitCode: typeof error?.code === "number" ? error.code : 0, output: stdout + stderr });
      },
    );
  });
}

async function finds(plant: Plant): Promise<string> {
  const { exitCode, output } = await simulate({ ...seedsOf(plant), plant: plant.name });
  const found = /VIOLATION of rule (\S+)[^\n]*\n\s*seed (\d+)/.exec(output);
  assert.ok(exitCode === 1 && found !== null, `not found:\n${output.slice(-2_000)}`);
  const [, rule = "", seed] = found;
  assert.ok(
    plant.rules.includes(rule),
    `found as ${rule}, expected ${plant.rules.join(" or ")}:\n${output.slice(0, 2_000)}`,
  );
  return `rule ${rule}, seed ${seed}`;
}

describe("planted bugs", { concurrency: RUNS_AT_ONCE }, () => {
  const allSeeds = new Map(PLANTS.map(seedsOf).map((seeds) => [JSON.stringify(seeds), seeds]));
  for (const seeds of allSeeds.values()) {
    test(`without a plant seeds ${seeds.firstSeed} on pass${seeds.isCluster ? " on a cluster" : ""}`, async () => {
      const { exitCode, output } = await simulate(seeds);
      assert.equal(exitCode, 0, output);
    });
  }
  for (const plant of PLANTS) {
    test(`found: ${plant.name}`, async (t) => t.diagnostic(await finds(plant)));
  }
});
