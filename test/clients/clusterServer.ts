// Looks like one `roster server` and is a cluster: one meta node, two data nodes and two sessions, each a process of
// its own. So a suite that was made for one server runs against a cluster unchanged. Takes the flags of `roster
// server`; --bolt-port and --http-port are those of the first session. Needs Linux: the processes end with this one,
// however it ends, and not before it.

import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

const { values } = parseArgs({
  options: {
    "data-dir": { type: "string", default: "./.roster" },
    bind: { type: "string", default: "127.0.0.1" },
    "bolt-port": { type: "string", default: "9600" },
    "http-port": { type: "string", default: "9603" },
    "meta-http-port": { type: "string", default: "9615" },
  },
});

const children: ChildProcess[] = [];

// Below the range that systems give to outgoing connections: in it, a client that tries to reach a stopped server can
// be given the very port that it connects to, talk to itself, and keep the server from starting again.
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  const port = randomInt(PORT_MIN, PORT_MAX);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(freePort()));
    server.listen(port, values.bind, () => server.close(() => resolve(port)));
  });
}

/** Free ports when the cluster first starts, the same ones when it starts again, as those of a real cluster are. */
async function keptPorts(count: number): Promise<string[]> {
  const file = join(values["data-dir"], "ports.json");
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    const ports = await Promise.all(Array.from({ length: count }, async () => String(await freePort())));
    mkdirSync(values["data-dir"], { recursive: true });
    writeFileSync(file, JSON.stringify(ports));
    return ports;
  }
}

function start(name: string, flags: Readonly<Record<string, string>>): ChildProcess {
  const own = { "data-dir": join(values["data-dir"], name), bind: values.bind, ...flags };
  const args = Object.entries(own).flatMap(([flag, value]) => [`--${flag}`, value]);
  const command = ["--pdeathsig", "KILL", process.execPath, MAIN, "server", ...args];
  const child = spawn("setpriv", command, { stdio: "inherit" });
  child.once("exit", (code, signal) => {
    if (isStopping) return;
    console.error(`${name} has ended: ${signal ?? code}`);
    process.exit(1);
  });
  children.push(child);
  return child;
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once("exit", () => resolve());
  });
}

let isStopping = false;

async function stop(): Promise<void> {
  isStopping = true;
  for (const child of children) child.kill("SIGTERM");
  await Promise.all(children.map(ended));
  process.exit(0);
}

process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());

const [metaPort = "0", otherBoltPort = "0", otherHttpPort = "0"] = await keptPorts(3);
const metas = `${values.bind}:${metaPort}`;
start("meta", {
  roles: "meta",
  "node-port": metaPort,
  "meta-addresses": metas,
  "meta-http-port": values["meta-http-port"],
});
for (const name of ["data-1", "data-2"]) {
  // All stop at once: there is nobody to hand the slots over to.
  start(name, {
    roles: "data",
    "meta-addresses": metas,
    "node-port": "0",
    "data-http-port": "0",
    "drain-timeout-ms": "200",
  });
}
start("session-1", {
  roles: "session",
  "meta-addresses": metas,
  "bolt-port": values["bolt-port"],
  "http-port": values["http-port"],
});
start("session-2", {
  roles: "session",
  "meta-addresses": metas,
  "bolt-port": otherBoltPort,
  "http-port": otherHttpPort,
});
