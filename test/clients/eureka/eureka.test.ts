// Eureka's clients on one server: those for Java run a suite each, those for Python and for Node see each other, each
// with its own heartbeats and its own way of reading changes. `scripts/testEureka.ts` installs them and names their
// folder in EUREKA_CLIENTS.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { defined } from "../../../src/base/assert.ts";
import { startProcess } from "../../../src/cli/testing/serverProcess.ts";
import { eventually } from "../../../src/server/testing/eventually.ts";

const FOLDER = defined(process.env["EUREKA_CLIENTS"], "EUREKA_CLIENTS, which scripts/testEureka.ts sets");
const JAVA = defined(process.env["EUREKA_JAVA"], "EUREKA_JAVA, which scripts/testEureka.ts sets").split("\n");

// Without its heartbeats an instance would be gone after three seconds.
const HEARTBEATS_MS = 6_000;
// A lease, and the clients' own rounds; on a busy machine a client starts for many seconds.
const SEEN_MS = 60_000;

/** The instances that a client sees, by application: `address status`. */
type Seen = Readonly<Record<string, readonly string[]>>;

interface Application {
  readonly child: ChildProcess;
  /** The last line that it has printed. */
  readonly seen: () => Seen;
}

const PROGRAMS = {
  python: [join(FOLDER, "venv", "bin", "python"), join(import.meta.dirname, "client.py")],
  node: [process.execPath, join(import.meta.dirname, "client.cjs"), FOLDER],
} as const;

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
  const lines = () => printed.split("\n").slice(0, -1);
  return { child, seen: () => JSON.parse(lines().at(-1) ?? "{}") };
}

async function allSee(expected: Seen, ...applications: readonly Application[]): Promise<void> {
  for (const { seen } of applications) {
    await eventually(
      () => own(seen()),
      (now) => isDeepStrictEqual(now, expected),
      SEEN_MS,
    );
  }
}

/** Without the applications of other suites. */
function own({ orders, stock }: Seen): Seen {
  return { ...(orders && { orders }), ...(stock && { stock }) };
}

test("Eureka's clients on one server", { concurrency: true }, async (t) => {
  const { eureka, nacos } = await startProcess(t).line("roster is ready");
  const url = `http://127.0.0.1:${eureka}/eureka/`;
  const others = t.test("Python's and Node's see each other, killed, back and gone", (one) => see(one, url));
  for (const classPath of JAVA) {
    await t.test(`Netflix' for Java: ${/classes-([\d.]+)/.exec(classPath)?.[1]}`, async () => {
      const args = ["-cp", classPath, "roster.eureka.Main", url, `127.0.0.1:${nacos}`];
      const [code] = await once(spawn("java", args, { stdio: "inherit" }), "exit");
      assert.equal(code, 0);
    });
  }
  await others;
});

async function see(t: TestContext, url: string): Promise<void> {
  const orders = ["10.1.1.1:8080 UP"];
  const stock = ["10.1.1.2:8081 UP"];
  const python = start(t, "python", url, "orders", "10.1.1.1:8080");
  const node = start(t, "node", url, "stock", "10.1.1.2:8081");
  await allSee({ orders, stock }, python, node);
  await sleep(HEARTBEATS_MS);
  await allSee({ orders, stock }, python, node);

  python.child.kill("SIGKILL");
  await allSee({ stock }, node);
  const moved = start(t, "python", url, "orders", "10.1.1.3:8080");
  const ordersMoved = ["10.1.1.3:8080 UP"];
  await allSee({ orders: ordersMoved, stock }, moved, node);

  node.child.stdin?.end();
  await allSee({ orders: ordersMoved }, moved);
}
