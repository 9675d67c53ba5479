// Consul's clients for Python, Node and Go, with their own tests, consul-template, dig and Go's resolver against
// started servers: installs the clients beside the other caches, and runs test/clients/consul. It needs Python 3.10
// with venv and pip, npm, Go and dig; where they are missing nothing can be run: that is a failure in CI and a loud
// note elsewhere.
//
//   --node-suite DIR   also runs the client for Node's own tests, which its package does not contain: DIR is the folder
//                      test/acceptance of its repository (silas/node-consul), at the version in test/clients/consul

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";

const ROOT = join(import.meta.dirname, "..");
const SUITE = join(ROOT, "test", "clients", "consul");
const FOLDER = join(ROOT, "node_modules", ".cache", "consul-clients");
const { values: flags } = parseArgs({ options: { "node-suite": { type: "string" } } });
const NODE_SUITE = flags["node-suite"];
const INSTALL_MS = 5 * 60_000;
const TESTS_MS = 5 * 60_000;
// Where Go's own archive puts it.
const PATH = [process.env["PATH"], "/usr/local/go/bin"].join(delimiter);

/** The modules of the client with its tests, and of what they need. */
const MODULES = { api: "github.com/hashicorp/consul/api", sdk: "github.com/hashicorp/consul/sdk" } as const;

const TEMPLATE = "github.com/hashicorp/consul-template@v0.41.1";

/** What is changed in the tests of the client for Go, in copies of its modules. */
const EDITS = [
  // Each test waits for the certificates of a mesh, also where it is about something else.
  { file: "api/api_test.go", from: "server.WaitForActiveCARoot(t)", to: "" },
  // Its loop goes on for two seconds when the server has answered.
  { file: "sdk/testutil/server.go", from: "failed = false\n\t}", to: "failed = false\n\t\tbreak\n\t}" },
] as const;

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
  for (const file of ["package.json", "client.mjs"]) cpSync(join(SUITE, file), join(FOLDER, file));
  const timeout = INSTALL_MS;
  return (
    run("dig", ["-v"], { timeout }) &&
    (existsSync(pip) || run("python3", ["-m", "venv", venv], { timeout })) &&
    run(pip, ["install", "--quiet", "--disable-pip-version-check", "-r", join(SUITE, "requirements.txt")], {
      timeout,
    }) &&
    installPythonSuite(pip) &&
    run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", FOLDER], { timeout }) &&
    installNodeSuite() &&
    run("go", ["build", "-mod=readonly", "-o", join(FOLDER, "client"), "."], { timeout, cwd: program }) &&
    run("go", ["build", "-mod=readonly", "-o", join(FOLDER, "bin", "consul"), "./consul"], { timeout, cwd: program }) &&
    run("go", ["install", TEMPLATE], { timeout }) &&
    installSuite(program)
  );
}

/** Unpacks the own tests of the client for Python: those of the release that is installed. */
function installPythonSuite(pip: string): boolean {
  const suite = join(FOLDER, "python-suite");
  const wanted = readFileSync(join(SUITE, "requirements.txt"), "utf8").match(/^py-consul.*==(\S+)$/m)?.[1] ?? "";
  const name = `py_consul-${wanted}`;
  if (existsSync(join(suite, name, "tests"))) return true;
  const timeout = INSTALL_MS;
  const source = ["--no-deps", "--no-binary", ":all:", "--dest", suite, `py-consul==${wanted}`];
  return (
    run(pip, ["download", "--quiet", "--disable-pip-version-check", ...source], { timeout }) &&
    run("tar", ["-C", suite, "-xzf", join(suite, `${name}.tar.gz`), `${name}/tests`], { timeout })
  );
}

/** Lays the own tests of the client for Node out as they are in its repository, beside a copy of the client. */
function installNodeSuite(): boolean {
  if (NODE_SUITE === undefined) return true;
  const suite = join(FOLDER, "node-suite");
  const tests = join(suite, "test", "acceptance");
  rmSync(suite, { recursive: true, force: true });
  cpSync(NODE_SUITE, tests, { recursive: true });
  cpSync(join(SUITE, "nodeHelper.cjs"), join(tests, "helper.js"));
  cpSync(join(FOLDER, "node_modules", "consul", "lib"), join(suite, "lib"), { recursive: true });
  cpSync(join(FOLDER, "node_modules", "consul", "package.json"), join(suite, "package.json"));
  return true;
}

/** Builds the own tests of the client for Go from copies of its modules, which are read-only where they are. */
function installSuite(program: string): boolean {
  const suite = join(FOLDER, "suite");
  const timeout = INSTALL_MS;
  rmSync(suite, { recursive: true, force: true });
  mkdirSync(suite);
  if (!run("go", ["mod", "download", ...Object.values(MODULES)], { timeout, cwd: program })) return false;
  for (const [folder, module] of Object.entries(MODULES)) {
    const list = ["list", "-mod=readonly", "-m", "-f", "{{.Dir}}", module];
    const { stdout } = spawnSync("go", list, {
      cwd: program,
      env: { ...process.env, PATH },
      encoding: "utf8",
      timeout,
    });
    const copy = ["-R", stdout.trim(), join(suite, folder)];
    if (!run("cp", copy, { timeout }) || !run("chmod", ["-R", "u+w", join(suite, folder)], { timeout })) return false;
  }
  for (const { file, from, to } of EDITS) {
    const path = join(suite, file);
    const text = readFileSync(path, "utf8");
    if (text.split(from).length !== 2) {
      console.error(`${file} does not contain ${JSON.stringify(from)} exactly once: look at the release's tests again`);
      return false;
    }
    writeFileSync(path, text.replace(from, to));
  }
  const build = ["test", "-mod=readonly", `-modfile=${join(program, "suite.mod")}`, "-c", "-o", "../api.test", "."];
  return run("go", build, { timeout, cwd: join(suite, "api") });
}

/** Runs a command with its output shown. Returns whether it succeeded. */
function run(
  command: string,
  args: readonly string[],
  { timeout, cwd = ROOT }: { timeout: number; cwd?: string },
): boolean {
  const suite = NODE_SUITE === undefined ? {} : { CONSUL_NODE_SUITE: NODE_SUITE };
  const env = { ...process.env, PATH, GOBIN: join(FOLDER, "bin"), CONSUL_CLIENTS: FOLDER, ...suite };
  return spawnSync(command, args, { cwd, env, stdio: "inherit", timeout }).status === 0;
}
