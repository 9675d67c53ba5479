// Runs SOFARegistry's own Java client against this server: builds test/clients/java with Maven and starts its suite,
// which starts the servers it needs itself. `node scripts/testJava.ts [--cluster] [filter]` runs the cases whose name
// contains the filter, with --cluster against clusters of five processes instead of single servers. Without Java or
// Maven nothing can be run: that is a failure in CI and a loud note elsewhere.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const SUITE = join("test", "clients", "java");
const CODEC_TEST = join("test", "conformance", "javaCodec.test.ts");

// The suite itself takes two to three minutes on two cores; the first build also fetches what it depends on.
const LIMIT_MS = 8 * 60_000;

const TOOLS = [
  { command: "java", versionFlag: "-version", needed: "Java 17 or newer" },
  { command: "mvn", versionFlag: "--version", needed: "Maven 3.8 or newer" },
];

const SERVER = [process.execPath, join("src", "cli", "main.ts"), "server"];
// Servers start as `npm start` starts them.
const ENVIRONMENT = { ...process.env, NODE_COMPILE_CACHE: join(ROOT, "node_modules", ".cache", "roster") };
const CLUSTER = [process.execPath, join("test", "clients", "clusterServer.ts")];

const isCluster = process.argv.includes("--cluster");
process.exitCode = await main(process.argv.slice(2).find((argument) => argument !== "--cluster") ?? "");

async function main(filter: string): Promise<number> {
  const missing = TOOLS.filter(({ command, versionFlag }) => spawnSync(command, [versionFlag]).status !== 0);
  if (missing.length > 0) return reportMissing(missing.map((tool) => tool.needed));
  const endMs = Date.now() + LIMIT_MS;
  const built = await run("mvn", ["-q", "-B", "-f", SUITE, "package"], endMs);
  if (built !== 0) return built;
  // First whether its codec reads what we write: if not, every case would fail in its own way.
  const read = await run(process.execPath, ["--test", CODEC_TEST], endMs);
  return read === 0 ? await run("java", suiteArguments(filter), endMs) : read;
}

function reportMissing(needed: readonly string[]): number {
  const failed = process.env["CI"] === "true";
  console.error(`${failed ? "FAILED" : "NOT RUN"}: the acceptance tests with the real Java client (${SUITE}),`);
  console.error("which are the only proof that SOFARegistry's own client is served.");
  console.error(`Missing on this machine: ${needed.join(", ")}.`);
  return failed ? 1 : 0;
}

function suiteArguments(filter: string): string[] {
  const target = join(SUITE, "target");
  const classPath = [join(target, "acceptance.jar"), join(target, "lib", "*")].join(delimiter);
  const options = [`@${join(SUITE, "jvm.options")}`, "-cp", classPath, "roster.acceptance.Main"];
  return [...options, ...(filter === "" ? [] : [filter]), "--", ...(isCluster ? CLUSTER : SERVER)];
}

/** Runs a command in the root of the repository and resolves to its exit code; at `endMs` it is stopped. */
function run(command: string, args: readonly string[], endMs: number): Promise<number> {
  // On SIGTERM the suite kills the servers and clients that it has started, so one signal to it is enough.
  const timeout = Math.max(1, endMs - Date.now());
  const child = spawn(command, args, { cwd: ROOT, env: ENVIRONMENT, stdio: "inherit", timeout });
  const forget = passSignalsOn(child);
  return new Promise((resolve) => {
    child.once("error", (error) => {
      console.error(`${command} could not be started: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code, signal) => {
      forget();
      if (signal !== null) console.error(`${command} was ended by ${signal}`);
      // Java catches SIGTERM, also the one sent at the limit, and exits by itself with a code that is not 0 either.
      resolve(code ?? 1);
    });
  });
}

function passSignalsOn(child: ChildProcess): () => void {
  const stop = (): void => {
    child.kill("SIGTERM");
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  return () => {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  };
}
