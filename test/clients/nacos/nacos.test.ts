// Nacos' clients on one server: those for Java run a suite each, those for Node, Python and Go see each
// other, and all of them run cases of configuration.
// `scripts/testNacos.ts` installs them and names their folder in NACOS_CLIENTS.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { defined } from "../../../src/base/assert.ts";
import { startProcess } from "../../../src/cli/testing/serverProcess.ts";
import { eventually } from "../../../src/server/testing/eventually.ts";
import { freePort } from "../nodes.ts";

const FOLDER = defined(process.env["NACOS_CLIENTS"], "NACOS_CLIENTS, which scripts/testNacos.ts sets");
const JAVA = defined(process.env["NACOS_JAVA"], "NACOS_JAVA, which scripts/testNacos.ts sets").split("\n");

// Clients compute the port for gRPC from the other one.
const GRPC_OFFSET = 1_000;
// Starts of six programs on a busy machine, and the rounds of those that ask every ten seconds.
const SEEN_MS = 60_000;

/** The addresses that a client sees, by service. */
type Seen = Readonly<Record<string, readonly string[]>>;

interface Application {
  readonly child: ChildProcess;
  /** The last line that it has printed. */
  readonly seen: () => Seen;
}

const PROGRAMS = {
  node: [process.execPath, join(import.meta.dirname, "client.cjs"), FOLDER],
  python1: [join(FOLDER, "python1", "bin", "python"), join(import.meta.dirname, "client1.py")],
  python2: [join(FOLDER, "python2", "bin", "python"), join(import.meta.dirname, "client2.py")],
  go: [join(FOLDER, "go-client")],
  go1: [join(FOLDER, "go1-client")],
} as const;

/** Programs that run cases of configuration, each with the server's address as its last argument. */
const CONFIG_PROGRAMS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  node: [process.execPath, join(import.meta.dirname, "config.cjs"), FOLDER],
  python1: [join(FOLDER, "python1", "bin", "python"), join(import.meta.dirname, "config1.py")],
  python2: [join(FOLDER, "python2", "bin", "python"), join(import.meta.dirname, "config2.py")],
  go: [join(FOLDER, "go-config")],
};

/** Starts an application with one of the clients; it ends with the test. */
function start(t: TestContext, program: keyof typeof PROGRAMS, ...args: readonly string[]): Application {
  const [file, ...own] = PROGRAMS[program];
  const child = spawn(file, [...own, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  let printed = "";
  child.stdout.on("data", (chunk) => {
    printed += String(chunk);
  });
  t.after(() => void child.kill("SIGKILL"));
  // The last line may not be whole yet.
  const lines = () => printed.split("\n").slice(0, -1).filter((line) => line.startsWith("{"));
  return { child, seen: () => JSON.parse(lines().at(-1) ?? "{}") };
}

async function allSee(expected: Seen, ...applications: readonly Application[]): Promise<void> {
  const isAsExpected = (now: Seen) => isDeepStrictEqual(instancesIn(now), instancesIn(expected));
  for (const { seen } of applications) await eventually(seen, isAsExpected, SEEN_MS);
}

/** Without services that have no instances: a client that has never heard of one does not name it. */
function instancesIn(seen: Seen): Seen {
  return Object.fromEntries(Object.entries(seen).filter(([, addresses]) => addresses.length > 0));
}

interface Server {
  /** Its address for clients. */
  readonly address: string;
  /** The lists that clients have acknowledged by UDP. */
  readonly acknowledged: () => Promise<number>;
}

async function startServer(t: TestContext): Promise<Server> {
  const [http, admin] = [await freePort(), await freePort()];
  const grpc = Number(http) + GRPC_OFFSET;
  const ports = { "nacos-port": Number(http), "nacos-grpc-port": grpc, "admin-port": Number(admin) };
  await startProcess(t, { flags: ports }).line("roster is ready");
  const acknowledged = async () => {
    const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    return Number(/^roster_nacos_datagrams_total\{outcome="acknowledged"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
  };
  return { address: `127.0.0.1:${http}`, acknowledged };
}

test("Nacos' clients on one server", { concurrency: true }, async (t) => {
  const server = await startServer(t);
  const { address } = server;
  const others = [configure(t, address), t.test("Node, Python and Go", (own) => see(own, server))];
  // Each has a hundred clients at a time: together they would keep each other from answering.
  for (const classPath of JAVA) {
    await t.test(`Java: ${/classes-([\d.]+)/.exec(classPath)?.[1]}`, async () => {
      const child = spawn("java", ["-cp", classPath, "roster.nacos.Main", address], { stdio: "inherit" });
      const [code] = await once(child, "exit");
      assert.equal(code, 0);
    });
  }
  await Promise.all(others);
});

/** The cases of configuration, one client after the other. */
async function configure(t: TestContext, address: string): Promise<void> {
  for (const [name, [file, ...args]] of Object.entries(CONFIG_PROGRAMS)) {
    await t.test(`configuration: ${name}`, { skip: !existsSync(file) }, async () => {
      const child = spawn(file, [...args, address], { stdio: "inherit", cwd: FOLDER, timeout: SEEN_MS * 2 });
      const [code] = await once(child, "exit");
      assert.equal(code, 0);
    });
  }
}

/** Applications of all kinds see each other, one that is killed is gone, and one that ends takes itself back. */
async function see(t: TestContext, { address, acknowledged }: Server): Promise<void> {
  const pythons = { python1: "10.1.0.2:80", python2: "10.1.0.3:80" };
  const own = { node: "10.1.0.1:80", ...pythons, go: "10.1.0.4:80", go1: "10.1.0.5:80" };
  const names = Object.keys(own).map((name) => `of-${name}`);
  const hasGo = existsSync(PROGRAMS.go[0]);
  const begin = (program: keyof typeof PROGRAMS) => start(t, program, address, `of-${program}`, own[program], ...names);
  const [node, python1, python2] = [begin("node"), begin("python1"), begin("python2")];
  const go = hasGo ? [begin("go"), begin("go1")] : [];
  const goes = { "of-go": hasGo ? [own.go] : [], "of-go1": hasGo ? [own.go1] : [] };
  const all = { "of-node": [own.node], "of-python1": [own.python1], "of-python2": [own.python2], ...goes };
  await allSee(all, node, python1, python2, ...go);

  python2.child.kill("SIGKILL");
  const withoutPython2 = { ...all, "of-python2": [] };
  await allSee(withoutPython2, python1, ...go);
  // The one for Go of the first generation is pushed by UDP.
  if (hasGo) await eventually(acknowledged, (lists) => lists > 0, SEEN_MS);

  // Node's client ignores a list without instances, so the others tell.
  node.child.stdin?.end();
  await allSee({ ...withoutPython2, "of-node": [] }, python1, ...go);
}
