// Nacos' own clients against a started server: those for Java (two generations), Node, Python (two) and Go (two).
// Installs them beside the other caches, and runs test/clients/nacos. It needs Java and Maven, Python 3.9 with venv and
// pip, and npm; where they are missing nothing can be run: that is a failure in CI and a loud note elsewhere. Go is
// newer than that of many systems: without it, its clients alone are left out, with a note.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const SUITE = join(ROOT, "test", "clients", "nacos");
const FOLDER = join(ROOT, "node_modules", ".cache", "nacos-clients");
const INSTALL_MS = 5 * 60_000;
const TESTS_MS = 8 * 60_000;

/** The clients for Java. Those of the first have what only the newer generation can do. */
const JAVA = [
  { version: "3.1.1", sources: ["src", "src3"] },
  { version: "2.5.1", sources: ["src"] },
] as const;

process.exitCode = main();

function main(): number {
  const failed = process.env["CI"] === "true";
  mkdirSync(FOLDER, { recursive: true });
  if (!JAVA.every(installJava) || !installPython() || !installNode()) {
    console.error(`${failed ? "FAILED" : "NOT RUN"}: Nacos' own clients (${SUITE}) could not be installed.`);
    return failed ? 1 : 0;
  }
  if (!installGo()) console.error("NOT RUN: Nacos' clients for Go, which need Go 1.24 or newer.");
  const tests = ["--test", "--test-reporter=spec", `--test-timeout=${TESTS_MS}`, join(SUITE, "nacos.test.ts")];
  return run(process.execPath, tests, TESTS_MS + 10_000) ? 0 : 1;
}

function installJava({ version, sources }: (typeof JAVA)[number]): boolean {
  const jars = join(FOLDER, `java-${version}`);
  const pom = join(SUITE, "java", "pom.xml");
  const get = ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-Dnacos.version=${version}`];
  if (!existsSync(jars) && !run("mvn", [...get, `-DoutputDirectory=${jars}`], INSTALL_MS)) return false;
  const classes = join(FOLDER, `classes-${version}`);
  rmSync(classes, { recursive: true, force: true });
  const files = sources.flatMap((folder) => globSync(join(SUITE, "java", folder, "**", "*.java")));
  return run("javac", ["-d", classes, "-cp", join(jars, "*"), ...files], INSTALL_MS);
}

function installPython(): boolean {
  return [1, 2].every((generation) => {
    const venv = join(FOLDER, `python${generation}`);
    const pip = join(venv, "bin", "pip");
    const requirements = join(SUITE, `requirements${generation}.txt`);
    return (
      (existsSync(pip) || run("python3", ["-m", "venv", venv], INSTALL_MS)) &&
      run(pip, ["install", "--quiet", "--disable-pip-version-check", "-r", requirements], INSTALL_MS)
    );
  });
}

function installNode(): boolean {
  cpSync(join(SUITE, "package.json"), join(FOLDER, "package.json"));
  return run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", FOLDER], INSTALL_MS);
}

function installGo(): boolean {
  return [
    ["go-client", "go", "."],
    ["go-config", "go", "./config"],
    ["go1-client", "go1", "."],
  ].every(([program = "", module = "", source = ""]) => {
    rmSync(join(FOLDER, program), { force: true });
    return run("go", ["build", "-C", join(SUITE, module), "-o", join(FOLDER, program), source], INSTALL_MS);
  });
}

/** Runs a command with its output shown. Returns whether it succeeded. */
function run(command: string, args: readonly string[], timeout: number): boolean {
  const classPaths = JAVA.map(({ version }) =>
    [join(FOLDER, `classes-${version}`), join(FOLDER, `java-${version}`, "*")].join(delimiter),
  );
  const env = { ...process.env, NACOS_CLIENTS: FOLDER, NACOS_JAVA: classPaths.join("\n") };
  return spawnSync(command, args, { cwd: ROOT, env, stdio: "inherit", timeout }).status === 0;
}
