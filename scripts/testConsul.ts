// Consul's own clients for Python and Go, dig and Go's resolver against a started server: installs the clients beside
// the other caches, and runs test/clients/consul. It needs Python 3.9 with venv and pip, Go and dig; where they are
// missing nothing can be run: that is a failure in CI and a loud note elsewhere.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const SUITE = join(ROOT, "test", "clients", "consul");
const FOLDER = join(ROOT, "node_modules", ".cache", "consul-clients");
const INSTALL_MS = 5 * 60_000;
const TESTS_MS = 3 * 60_000;
// Where Go's own archive puts it.
const PATH = [process.env["PATH"], "/usr/local/go/bin"].join(delimiter);

process.exitCode = main();

function main(): number {
  const failed = process.env["CI"] === "true";
  if (!install()) {
    console.error(`${failed ? "FAILED" : "NOT RUN"}: Consul's own clients (${SUITE}) could not be installed.`);
    return failed ? 1 : 0;
  }
  const tests = ["--test", "--test-reporter=spec", `--test-timeout=${TESTS_MS}`, join(SUITE, "consul.test.ts")];
  return run(process.execPath, tests, { timeout: TESTS_MS + 10_000 }) ? 0 : 1;
}

function install(): boolean {
  mkdirSync(FOLDER, { recursive: true });
  const venv = join(FOLDER, "venv");
  const pip = join(venv, "bin", "pip");
  const program = join(FOLDER, "go");
  cpSync(join(SUITE, "go"), program, { recursive: true });
  const timeout = INSTALL_MS;
  return (
    run("dig", ["-v"], { timeout }) &&
    (existsSync(pip) || run("python3", ["-m", "venv", venv], { timeout })) &&
    run(pip, ["install", "--quiet", "--disable-pip-version-check", "-r", join(SUITE, "requirements.txt")], {
      timeout,
    }) &&
    run("go", ["build", "-mod=readonly", "-o", join(FOLDER, "client"), "."], { timeout, cwd: program })
  );
}

/** Runs a command with its output shown. Returns whether it succeeded. */
function run(
  command: string,
  args: readonly string[],
  { timeout, cwd = ROOT }: { timeout: number; cwd?: string },
): boolean {
  const env = { ...process.env, PATH, CONSUL_CLIENTS: FOLDER };
  return spawnSync(command, args, { cwd, env, stdio: "inherit", timeout }).status === 0;
}
