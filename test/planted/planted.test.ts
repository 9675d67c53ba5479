// The simulation finds bugs: each planted one within the seeds that CI runs, and by a rule that it breaks. Without the
// plants those seeds pass: CI's simulations run them all.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { CI_SEEDS } from "../../scripts/seeds.ts";
import type { ByScenario, Plant } from "./plantedBug.ts";
import { PLANTS } from "./plants.ts";

const RUNS_AT_ONCE = 2;
/** A plant may make the simulation turn in a circle; all its seeds take a tenth of this on an idle machine. */
const RUN_MS_MAX = 600_000;
const ROOT = new URL("../../", import.meta.url).pathname;

interface Run {
  readonly exitCode: number;
  readonly output: string;
}

type Kind = keyof typeof CI_SEEDS;
const WORLDS: Readonly<Record<Kind, readonly string[]>> = {
  single: [],
  cluster: ["--cluster"],
  tight: ["--tight"],
  tree: ["--tree"],
};

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

function kindOf({ isCluster = false, isTight = false, isTree = false }: Exclude<Plant, ByScenario>): Kind {
  if (isTree) return "tree";
  if (isTight) return "tight";
  return isCluster ? "cluster" : "single";
}

async function finds(plant: Exclude<Plant, ByScenario>): Promise<string> {
  const { name, rules, firstSeed = 1 } = plant;
  const kind = kindOf(plant);
  const seeds = ["--first-seed", String(firstSeed), "--seeds", String(CI_SEEDS[kind] - firstSeed + 1)];
  const { exitCode, output } = await run([...seeds, ...WORLDS[kind]], name);
  const found = /VIOLATION of rule (\S+)[^\n]*\n\s*seed (\d+)/.exec(output);
  assert.ok(exitCode === 1 && found !== null, `not found:\n${output.slice(-2_000)}`);
  const [, rule = "", seed = ""] = found;
  assert.ok(rules.includes(rule), `found as ${rule}, expected ${rules.join(" or ")}:\n${output.slice(0, 2_000)}`);
  return `rule ${rule}, seed ${seed}`;
}

async function findsByScenario(plant: ByScenario, scenario: string): Promise<string> {
  const planted = await run(["--scenario", scenario], plant.name);
  assert.ok(
    planted.exitCode === 1 && /\n(?: {2}but |rule )/.test(planted.output),
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
