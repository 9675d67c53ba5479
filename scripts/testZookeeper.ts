// ZooKeeper's own clients for Java, Python and Node against started servers: installs them beside the other caches, and
// runs test/clients/zookeeper. It needs Python 3.9 with venv and pip, npm, Java 17 and Maven; where they are missing
// nothing can be run: that is a failure in CI and a loud note elsewhere. `--whole` runs all of kazoo's tests, for six
// minutes.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const SUITE = join(ROOT, "test", "clients", "zookeeper");
const FOLDER = join(ROOT, "node_modules", ".cache", "zookeeper-clients");
const INSTALL_MS = 5 * 60_000;
const TESTS_MS = 20 * 60_000;

process.exitCode = main();

function main(): number {
  const failed = process.env["CI"] === "true";
  if (!install()) {
    console.error(`${failed ? "FAILED" : "NOT RUN"}: ZooKeeper's own clients (${SUITE}) could not be installed.`);
    return failed ? 1 : 0;
  }
  const tests = ["--test", "--test-reporter=spec", `--test-timeout=${TESTS_MS}`, join(SUITE, "zookeeper.test.ts")];
  return run(process.execPath, tests, TESTS_MS + 10_000) ? 0 : 1;
}

function install(): boolean {
  mkdirSync(FOLDER, { recursive: true });
  cpSync(join(SUITE, "package.json"), join(FOLDER, "package.json"));
  cpSync(join(SUITE, "java"), join(FOLDER, "java"), { recursive: true });
  const venv = join(FOLDER, "venv");
  const pip = join(venv, "bin", "pip");
  const requirements = join(SUITE, "requirements.txt");
  const libraries = ["dependency:copy-dependencies", `-DoutputDirectory=${join(FOLDER, "java", "target", "libs")}`];
  return (
    (existsSync(pip) || run("python3", ["-m", "venv", venv], INSTALL_MS)) &&
    run(pip, ["install", "--quiet", "--disable-pip-version-check", "-r", requirements], INSTALL_MS) &&
    run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", FOLDER], INSTALL_MS) &&
    run("mvn", ["-q", "-B", "-f", join(FOLDER, "java"), "compile", ...libraries], INSTALL_MS)
  );
}

/** Runs a command with its output shown. Returns whether it succeeded. */
function run(command: string, args: readonly string[], timeout: number): boolean {
  const isWhole = String(process.argv.includes("--whole"));
  const env = { ...process.env, ZOOKEEPER_CLIENTS: FOLDER, ZOOKEEPER_WHOLE: isWhole };
  return spawnSync(command, args, { cwd: ROOT, env, stdio: "inherit", timeout }).status === 0;
}
