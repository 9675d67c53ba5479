// ZooKeeper's own clients for Java, Python and Node against started servers: installs them beside the other caches, and
// runs test/clients/zookeeper. It needs Python 3.9 with venv and pip, npm, Java 17 and Maven; where they are missing
// nothing can be run: that is a failure in CI and a loud note elsewhere. `--whole` runs all of kazoo's tests, for six
// minutes, and applications of Dubbo 3, whose provider is stopped and killed, for two.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const SUITE = join(ROOT, "test", "clients", "zookeeper");
const FOLDER = join(ROOT, "node_modules", ".cache", "zookeeper-clients");
const FRAMEWORKS = join(ROOT, "test", "clients", "frameworks");
const DUBBO = { jars: join(FOLDER, "dubbo-3.3.6"), classes: join(FOLDER, "dubbo-classes") } as const;
const INSTALL_MS = 5 * 60_000;
const TESTS_MS = 20 * 60_000;
const IS_WHOLE = process.argv.includes("--whole");

process.exitCode = main();

function main(): number {
  const failed = process.env["CI"] === "true";
  if (!install()) {
    console.error(`${failed ? "FAILED" : "NOT RUN"}: ZooKeeper's own clients (${SUITE}) could not be installed.`);
    return failed ? 1 : 0;
  }
  const files = ["zookeeper.test.ts", ...(IS_WHOLE ? ["dubbo.test.ts"] : [])].map((name) => join(SUITE, name));
  // The times that clients need are judged: one file after the other.
  const options = ["--test-reporter=spec", `--test-timeout=${TESTS_MS}`, "--test-concurrency=1"];
  return run(process.execPath, ["--test", ...options, ...files], TESTS_MS + 10_000) ? 0 : 1;
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
    run("mvn", ["-q", "-B", "-f", join(FOLDER, "java"), "compile", ...libraries], INSTALL_MS) &&
    (!IS_WHOLE || installDubbo())
  );
}

/** The program of Dubbo that other registries are tried with, too, for this release. */
function installDubbo(): boolean {
  const { jars, classes } = DUBBO;
  const get = ["-q", "-B", "-f", join(SUITE, "dubbo", "pom.xml"), "dependency:copy-dependencies"];
  if (!existsSync(jars) && !run("mvn", [...get, `-DoutputDirectory=${jars}`], INSTALL_MS)) return false;
  rmSync(classes, { recursive: true, force: true });
  const files = ["common", "dubbo"].flatMap((folder) => globSync(join(FRAMEWORKS, folder, "src", "**", "*.java")));
  return run("javac", ["-d", classes, "-cp", join(jars, "*"), ...files], INSTALL_MS);
}

/** Runs a command with its output shown. Returns whether it succeeded. */
function run(command: string, args: readonly string[], timeout: number): boolean {
  const DUBBO_CLASSES = [DUBBO.classes, join(DUBBO.jars, "*")].join(delimiter);
  const env = { ...process.env, ZOOKEEPER_CLIENTS: FOLDER, ZOOKEEPER_WHOLE: String(IS_WHOLE), DUBBO_CLASSES };
  return spawnSync(command, args, { cwd: ROOT, env, stdio: "inherit", timeout }).status === 0;
}
