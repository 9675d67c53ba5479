// The frameworks that people use SOFARegistry with, at work on a cluster whose providers and nodes are killed: builds
// test/clients/frameworks with Maven and drives its programs. Each framework has a consumer that calls two providers
// without end; no call may fail but those under way when a provider is killed. `node scripts/testFrameworks.ts
// [filter]` plays the frameworks whose name contains the filter. It needs Java 17, Maven and Linux; where they are
// missing nothing can be run: that is a failure in CI and a loud note elsewhere.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Cast, type Framework } from "../test/clients/frameworks/cast.ts";
import { FRAMEWORKS } from "../test/clients/frameworks/frameworks.ts";
import { KillableCluster } from "../test/clients/frameworks/killableCluster.ts";
import { missingJavaTools, runInRoot } from "./javaTools.ts";

const MODULES = join("test", "clients", "frameworks");

// The first build also fetches what the frameworks depend on.
const BUILD_LIMIT_MS = 5 * 60_000;
// Most of the time some forty JVMs start. One framework alone took four minutes beside fifty other busy processes.
const LIMIT_MS = 9 * 60_000;

/** JVMs that start take a core each. */
const STARTED_TOGETHER_MAX = 2;

const filter = process.argv[2] ?? "";
let failures = 0;
process.exit(await main());

async function main(): Promise<number> {
  const missing = process.platform === "linux" ? missingJavaTools() : ["Linux"];
  if (missing.length > 0) return reportMissing(missing);
  const build = ["-q", "-B", "-f", MODULES, "compile"];
  const built = await runInRoot("mvn", build, Date.now() + BUILD_LIMIT_MS);
  if (built !== 0) return built;
  const dir = mkdtempSync(join(tmpdir(), "roster-frameworks-"));
  const timer = setTimeout(() => giveUp(dir), LIMIT_MS);
  await play(dir);
  clearTimeout(timer);
  if (failures === 0) rmSync(dir, { recursive: true });
  else console.log(`${failures} failed; logs: ${dir}`);
  return failures === 0 ? 0 : 1;
}

async function play(dir: string): Promise<void> {
  const cluster = await KillableCluster.start(dir);
  const frameworks = FRAMEWORKS.filter(({ name }) => name.includes(filter)).map((framework) => ({ framework }));
  let casts: Cast[] = [];
  await together(frameworks, {
    what: "calls reach both providers",
    togetherMax: STARTED_TOGETHER_MAX,
    play: async ({ framework }) => {
      const classPath = classPathOf(framework);
      casts.push(await Cast.start(framework, { registry: cluster.registry, classPath, dir }));
    },
  });
  /** Only those for which all went well until now go on. */
  const all = async (part: Part<Cast>) => {
    const passed = await together(casts, part);
    await Promise.all(casts.filter((cast) => !passed.has(cast)).map((cast) => cast.end()));
    casts = casts.filter((cast) => passed.has(cast));
  };
  await all({
    what: "a provider is stopped and comes back",
    togetherMax: STARTED_TOGETHER_MAX,
    play: async (cast) => {
      await cast.stopProvider("b");
      await cast.callsReach(["a"]);
      await cast.startProvider("b");
      await cast.callsReach(["a", "b"]);
    },
  });
  await all({
    what: "a provider is killed and comes back",
    togetherMax: STARTED_TOGETHER_MAX,
    play: async (cast) => {
      await cast.killProvider("b");
      await cast.callsReach(["a"]);
      await cast.startProvider("b");
      await cast.callsReach(["a", "b"]);
    },
  });
  for (const node of cluster.killOrder) {
    await cluster.calm();
    await cluster.killNode(node);
    if (node.name.startsWith("session")) {
      // SOFARegistry's client 6.5.6 loses an unregister that falls into its reconnection: a provider that leaves just
      // then stays listed for the lease of its dead session, or longer. So no provider leaves here.
      await all({
        what: `${node.name} is killed, and calls go on`,
        togetherMax: casts.length,
        play: (cast) => cast.callsReach(["a", "b"]),
      });
      await cluster.startNode(node);
      continue;
    }
    await all({
      what: `${node.name} is killed, and a provider goes and comes`,
      togetherMax: casts.length,
      play: async (cast) => {
        await cast.withdraw("b");
        await cast.callsReach(["a"]);
        await cast.provideAgain("b");
        await cast.callsReach(["a", "b"]);
      },
    });
    await cluster.startNode(node);
  }
  await all({ what: "no call failed:", togetherMax: casts.length, play: (cast) => cast.judge() });
  await Promise.all(casts.map((cast) => cast.end()));
  await cluster.end();
}

interface Part<Item> {
  readonly what: string;
  readonly togetherMax: number;
  /** A text that it resolves to is shown. */
  readonly play: (item: Item) => Promise<unknown>;
}

/** Plays a part for each item, says how it went, and returns those for which it went well. */
async function together<Item extends { readonly framework: Framework }>(
  items: readonly Item[],
  { what, togetherMax, play }: Part<Item>,
): Promise<ReadonlySet<Item>> {
  const passed = new Set<Item>();
  const left = [...items];
  const playOne = async (item: Item): Promise<void> => {
    const startMs = performance.now();
    let said: string;
    try {
      const result = await play(item);
      said = typeof result === "string" ? result : "";
      passed.add(item);
    } catch (error) {
      failures++;
      said = error instanceof Error ? error.message : String(error);
    }
    const seconds = ((performance.now() - startMs) / 1_000).toFixed(1).padStart(6);
    console.log(
      `${passed.has(item) ? "ok  " : "FAIL"} ${seconds} s  ${item.framework.name}: ${what} ${said}`.trimEnd(),
    );
  };
  const lane = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await playOne(item);
  };
  await Promise.all(Array.from({ length: togetherMax }, lane));
  return passed;
}

function classPathOf({ name }: Framework): string {
  const target = join(MODULES, name, "target");
  return [join(target, "classes"), readFileSync(join(target, "class-path"), "utf8").trim()].join(delimiter);
}

/** All processes that were started end with this one. */
function giveUp(dir: string): void {
  console.error(`FAILED: not done after ${LIMIT_MS / 1_000} s; logs: ${dir}`);
  process.exit(1);
}

function reportMissing(needed: readonly string[]): number {
  const failed = process.env["CI"] === "true";
  console.error(`${failed ? "FAILED" : "NOT RUN"}: SOFARPC, Dubbo and Seata on a cluster (${MODULES}).`);
  console.error(`Missing on this machine: ${needed.join(", ")}.`);
  return failed ? 1 : 0;
}
