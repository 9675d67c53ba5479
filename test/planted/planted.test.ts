// The simulation finds bugs: each planted one within a few seeds, and by a rule that it breaks. Without the plant the
// seed that finds it passes.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { type ByScenario, PLANTS, type Plant } from "./plants.ts";

const SEEDS = 120;
const CLUSTER_SEEDS = 500;
const RUNS_AT_ONCE = 2;
/** A plant may make the simulation turn in a circle; all its seeds take a quarter of this. */
const RUN_MS_MAX = 240_000;
const ROOT = new URL("../../", import.meta.url).pathname;

interface Run {
  readonly exitCode: number;
  readonly output: string;
}

interface Seeds {
  readonly first: number;
  readonly count: number;
  readonly isCluster: boolean;
  readonly isTight: boolean;
}

function simulate({ first, count, isCluster, isTight }: Seeds, plant?: string): Promise<Run> {
  const world = [...(isCluster ? ["--cluster"] : []), ...(isTight ? ["--tight"] : [])];
  return run(["--first-seed", String(first), "--seeds", String(count), ...world], plant);
}

function run(what: readonly string[], plant?: string): Promise<Run> {
  const planted = plant === undefined ? [] : ["--import", "./test/planted/plant.ts"];
  const options = { cwd: ROOT, env: { ...process.env, ROSTER_PLANT: plant ?? "" }, timeout: RUN_MS_MAX };
  return new Promise((resolve) => {
    execFile(process.execPath, [...planted, "src/sim/main.ts", ...what], options, (error, stdout, stderr) => {
      const end = error?.killed === true ? `ended after ${RUN_MS_MAX} ms` : "";
      resolve({ exitCode: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr + end });
    });
  });
}

async function finds(plant: Exclude<Plant, ByScenario>): Promise<string> {
  const { name, rules, firstSeed = 1, isCluster = false, isTight = false } = plant;
  const seeds = { first: firstSeed, count: isCluster ? CLUSTER_SEEDS : SEEDS, isCluster, isTight };
  const { exitCode, output } = await simulate(seeds, name);
  const found = /VIOLATION of rule (\S+)[^\n]*\n\s*seed (\d+)/.exec(output);
  assert.ok(exitCode === 1 && found !== null, `not found:\n${output.slice(-2_000)}`);
  const [, rule = "", seed = ""] = found;
  assert.ok(rules.includes(rule), `found as ${rule}, expected ${rules.join(" or ")}:\n${output.slice(0, 2_000)}`);
  const unplanted = await simulate({ first: Number(seed), count: 1, isCluster, isTight });
  assert.equal(unplanted.exitCode, 0, `without the plant:\n${unplanted.output}`);
  return `rule ${rule}, seed ${seed}`;
}

async function findsByScenario(plant: ByScenario, scenario: string): Promise<string> {
  const planted = await run(["--scenario", scenario], plant.name);
  assert.ok(
    planted.exitCode === 1 && planted.output.includes("\n  but "),
    `not found:\n${planted.output.slice(-2_000)}`,
  );
  const unplanted = await run(["--scenario", scenario]);
  assert.equal(unplanted.exitCode, 0, `without the plant:\n${unplanted.output.slice(-2_000)}`);
  return `scenario ${scenario}`;
}

describe("planted bugs", { concurrency: RUNS_AT_ONCE }, () => {
  for (const plant of PLANTS) {
    test(`found: ${plant.name}`, async (t) => {
      t.diagnostic(await ("scenario" in plant ? findsByScenario(plant, plant.scenario) : finds(plant)));
    });
  }
});
