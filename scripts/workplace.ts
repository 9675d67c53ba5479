// A copy of the repository in which faults are planted and tests run, so that the working files are never touched.

import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, sep } from "node:path";
import { type Fault, planted } from "./faults.ts";
import { Reach } from "./reach.ts";

// Folders that no unit test reads.
const NOT_COPIED = new Set(["node_modules", "dist", "target", ".git", ".roster", "results"]);
// A fault may make a test do more than it did, and the machine may be busy.
const TIMES_AS_LONG = 5;
const LIMIT_MS_MIN = 20_000;

/**
 * How it went with a fault: `hung` is one whose tests did not come to an end, which is found, too. To the place of one
 * that is `unreached` no test near comes.
 */
export type Verdict = "found" | "hung" | "survived" | "unreached";

/** A test file when nothing is planted. */
interface Usual {
  readonly ms: number;
  /** Undefined if it only passes while its reach is not measured: that makes everything slower. */
  readonly reach: Reach | undefined;
}

export class Workplace {
  readonly #root: string;
  #running: ChildProcess | undefined;
  readonly #usual = new Map<string, Usual>();
  /** How many faults each test file has found, in all and of each file: the one that found most is asked first. */
  readonly #finds = new Map<string, number>();

  readonly #limitMsMin: number;

  /** Copies the repository at `root`. A test that takes longer than `limitMsMin`, and than it should, hangs. */
  constructor(root: string, limitMsMin = LIMIT_MS_MIN) {
    this.#limitMsMin = limitMsMin;
    this.#root = realpathSync(mkdtempSync(join(tmpdir(), "roster-mutate-")));
    cpSync(root, this.#root, { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
    const modules = join(root, "node_modules");
    if (existsSync(modules)) symlinkSync(realpathSync(modules), join(this.#root, "node_modules"));
  }

  /** Plants a fault, runs the tests near that come to its place until one fails, and takes it out again. */
  async try(fault: Fault): Promise<Verdict> {
    const path = join(this.#root, fault.path);
    const text = readFileSync(path, "utf8");
    const tests: string[] = [];
    for (const test of testsNear(this.#root, fault.path)) {
      const { reach } = await this.#measured(test);
      if (reach === undefined || reach.comesTo(fault.path, text, fault.start)) tests.push(test);
    }
    if (tests.length === 0) return "unreached";
    writeFileSync(path, planted(text, fault));
    try {
      return await this.#runUntilFound(this.#inOrder(tests, fault.path), fault.path);
    } finally {
      writeFileSync(path, text);
    }
  }

  /** Ends what runs and removes the copy. */
  remove(): void {
    killGroup(this.#running);
    rmSync(this.#root, { recursive: true, force: true });
  }

  async #runUntilFound(tests: readonly string[], path: string): Promise<Verdict> {
    for (const test of tests) {
      const limitMs = Math.max(this.#limitMsMin, TIMES_AS_LONG * (this.#usual.get(test)?.ms ?? 0));
      const outcome = await this.#run(test, { limitMs });
      if (outcome === "passed") continue;
      for (const finds of [test, `${test} ${path}`]) this.#finds.set(finds, (this.#finds.get(finds) ?? 0) + 1);
      return outcome === "failed" ? "found" : "hung";
    }
    return "survived";
  }

  /** A test that fails with nothing planted would find every fault. */
  async #measured(test: string): Promise<Usual> {
    const known = this.#usual.get(test);
    if (known !== undefined) return known;
    const startMs = performance.now();
    const folder = mkdtempSync(join(this.#root, ".reach-"));
    const limitMs = Number.POSITIVE_INFINITY;
    const isCounted = (await this.#run(test, { limitMs, reachFolder: folder })) === "passed";
    if (!isCounted && (await this.#run(test, { limitMs })) !== "passed") {
      throw new Error(`${test} fails with nothing planted`);
    }
    const ms = performance.now() - startMs;
    const usual = { ms, reach: isCounted ? new Reach(folder, this.#root) : undefined };
    rmSync(folder, { recursive: true });
    this.#usual.set(test, usual);
    return usual;
  }

  /** The file's own test, then those that have found most in it, or else anywhere, and of these the shortest. */
  #inOrder(tests: readonly string[], path: string): string[] {
    const own = ownTestOf(path);
    const ranks = (test: string): number[] => [
      test === own ? 1 : 0,
      this.#finds.get(`${test} ${path}`) ?? 0,
      this.#finds.get(test) ?? 0,
      -(this.#usual.get(test)?.ms ?? 0),
    ];
    return tests
      .map((test) => ({ test, ranks: ranks(test) }))
      .sort((a, b) => firstDifference(b.ranks, a.ranks))
      .map(({ test }) => test);
  }

  /** Runs a test file; where it has come to is written to `reachFolder`. */
  #run(
    test: string,
    { limitMs, reachFolder }: { limitMs: number; reachFolder?: string },
  ): Promise<"passed" | "failed" | "hung"> {
    // A test that runs this itself must not hand on that it is one.
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    // V8 counts code from a cache by the function only.
    const how =
      reachFolder === undefined
        ? { NODE_COMPILE_CACHE: join(this.#root, ".compiled") }
        : { NODE_DISABLE_COMPILE_CACHE: "1", NODE_V8_COVERAGE: reachFolder };
    const env = { ...inherited, ...how };
    // In a group of its own, so that what a test starts ends with it.
    const child = spawn(process.execPath, [test], { cwd: this.#root, env, stdio: "ignore", detached: true });
    this.#running = child;
    return new Promise((resolve, reject) => {
      let isHung = false;
      const onLimit = (): void => {
        isHung = true;
        killGroup(child);
      };
      const timer = Number.isFinite(limitMs) ? setTimeout(onLimit, limitMs) : undefined;
      child.once("error", reject);
      child.once("exit", (code) => {
        clearTimeout(timer);
        killGroup(child);
        this.#running = undefined;
        if (isHung) resolve("hung");
        else resolve(code === 0 ? "passed" : "failed");
      });
    });
  }
}

/**
 * The tests that are nearest to a file: those of its folder and of the folders below it, and of the folders around it
 * up to that of its layer, such as src/data for src/data/packed. And those of its folder that need a server, such as
 * test/store/postgresOutage.test.ts for src/store/postgres.
 */
export function testsNear(root: string, path: string): string[] {
  const own = dirname(path);
  const below = filesIn(root, own, true);
  const layer = join("test", path.split("/")[1] ?? "");
  const elsewhere = existsSync(join(root, layer)) ? filesIn(root, layer) : [];
  const withServer = elsewhere.filter((file) => basename(file).startsWith(basename(own)));
  const around: string[] = [];
  for (let folder = dirname(own); folder.includes("/"); folder = dirname(folder)) around.push(...filesIn(root, folder));
  return [...below, ...around, ...withServer].filter((file) => file.endsWith(".test.ts"));
}

function filesIn(root: string, folder: string, recursive = false): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => relative(root, join(parentPath, name)).split(sep).join("/")).sort();
}

function firstDifference(a: readonly number[], b: readonly number[]): number {
  return a.map((each, at) => each - (b[at] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

function ownTestOf(path: string): string {
  return path.replace(/\.ts$/, ".test.ts");
}

function killGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // The usual case: nothing is left of it.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
