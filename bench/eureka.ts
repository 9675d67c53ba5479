// `node bench/eureka.ts [pollers' instances] [leases]`: what Eureka's clients cost the server when nothing happens:
// 200 of them ask for all applications each second, and many instances say every 30 s that they are alive, each over
// connections that stay open. One process with all roles; the share of one processor is that of the whole process.

import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { headline } from "./machine.ts";
import { table } from "./micro/cost.ts";
import { cpuSeconds, rssBytes } from "./processes/usage.ts";
import { startAt } from "./targets/roster.ts";

const CONNECTIONS = 200;
const REGISTERING = 64;
const POLLS_PER_SECOND = 200;
const RENEWAL_SECONDS = 30;
// Registering takes longer than the usual 90 s.
const LEASE_SECONDS = 900;
const MEASURED_MS = 20_000;
const SLICE_MS = 20;
const INSTANCES_AN_APP = 100;
const MIB = 1024 * 1024;

interface Asked {
  readonly method: "GET" | "POST" | "PUT";
  readonly path: string;
  readonly body?: string;
  readonly expected: number;
}

interface Server {
  readonly port: number;
  readonly pid: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
let answeredBytes = 0;

/** Rejects for another status than was expected. */
function ask({ port }: Server, { method, path, body, expected }: Asked): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { accept: "application/json", "accept-encoding": "gzip", "content-type": "application/json" };
    const asked = request({ host: "127.0.0.1", port, method, path: `/eureka${path}`, headers, agent }, (answer) => {
      answer.on("data", (chunk: Buffer) => {
        answeredBytes += chunk.length;
      });
      answer.once("end", () => {
        if (answer.statusCode === expected) resolve();
        else reject(new Error(`${method} ${path}: ${answer.statusCode}`));
      });
    });
    asked.once("error", reject);
    asked.end(body);
  });
}

const appOf = (at: number) => `APP-${Math.floor(at / INSTANCES_AN_APP)}`;
const idOf = (at: number) => `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}:8080`;

function registration(at: number): Asked {
  const app = appOf(at);
  const [ipAddr] = idOf(at).split(":");
  const instance = {
    ...{ instanceId: idOf(at), hostName: ipAddr, app, ipAddr, status: "UP", vipAddress: app.toLowerCase() },
    port: { $: 8080, "@enabled": "true" },
    securePort: { $: 443, "@enabled": "false" },
    dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
    leaseInfo: { renewalIntervalInSecs: RENEWAL_SECONDS, durationInSecs: LEASE_SECONDS },
    metadata: { zone: "z1", version: "1.4.2" },
    lastDirtyTimestamp: "1000",
  };
  return { method: "POST", path: `/apps/${app}`, body: JSON.stringify({ instance }), expected: 204 };
}

/** Registers instances `from` to `to`, some at a time. */
async function registerAll(server: Server, from: number, to: number): Promise<void> {
  let next = from;
  const worker = async () => {
    for (let at = next++; at < to; at = next++) await ask(server, registration(at));
  };
  await Promise.all(Array.from({ length: REGISTERING }, worker));
}

/** Asks at an even pace; resolves to the server's figures in the time that was measured. */
async function paced(server: Server, perSecond: number, asked: (count: number) => Asked): Promise<readonly string[]> {
  const startMs = performance.now();
  const startCpu = cpuSeconds(server.pid);
  const delays: number[] = [];
  const open = new Set<Promise<void>>();
  answeredBytes = 0;
  let count = 0;
  let failure: unknown;
  for (let nowMs = startMs; nowMs < startMs + MEASURED_MS; nowMs = performance.now()) {
    for (const due = ((nowMs - startMs) / 1_000) * perSecond; count < due; count++) {
      const sentMs = performance.now();
      const one = ask(server, asked(count))
        .then(() => void delays.push(performance.now() - sentMs))
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => open.delete(one));
      open.add(one);
    }
    await sleep(SLICE_MS);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  const share = (cpuSeconds(server.pid) - startCpu) / seconds;
  await Promise.all(open);
  if (failure !== undefined) throw failure;
  delays.sort((a, b) => a - b);
  const p99 = delays[Math.floor(delays.length * 0.99)] ?? 0;
  return [
    `${Math.round(delays.length / seconds)} /s`,
    `${(share * 100).toFixed(1)} %`,
    `${p99.toFixed(1)} ms`,
    `${(answeredBytes / delays.length / 1024).toFixed(1)} KiB`,
  ];
}

async function main(pollersInstances: number, leases: number): Promise<void> {
  const root = process.cwd();
  const running = await startAt(root, "eureka-port");
  try {
    const [{ pid } = { pid: 0 }] = running.processes;
    const server = { port: running.address.port, pid };
    const beforeBytes = rssBytes(server.pid);
    await registerAll(server, 0, pollersInstances);
    const poll: Asked = { method: "GET", path: "/apps", expected: 200 };
    await ask(server, poll);
    const delta: Asked = { method: "GET", path: "/apps/delta", expected: 200 };
    const polled = await paced(server, POLLS_PER_SECOND, () => poll);
    const changes = await paced(server, POLLS_PER_SECOND, () => delta);
    await registerAll(server, pollersInstances, leases);
    const heldBytes = rssBytes(server.pid) - beforeBytes;
    const renewed = await paced(server, leases / RENEWAL_SECONDS, (count) => {
      const at = count % leases;
      return { method: "PUT", path: `/apps/${appOf(at)}/${encodeURIComponent(idOf(at))}`, expected: 200 };
    });
    console.log(`${headline(root, "node bench/eureka.ts")}\n`);
    console.log(
      table(
        ["", "answered", "of one processor", "p99", "an answer"],
        [
          [`GET apps, ${pollersInstances} instances`, ...polled],
          [`GET apps/delta, ${pollersInstances} instances`, ...changes],
          [`heartbeats, ${leases} leases`, ...renewed],
        ],
      ),
    );
    console.log(`\n${leases} instances take ${(heldBytes / MIB).toFixed(0)} MiB resident.`);
  } finally {
    await running.stop();
  }
}

const [pollersInstances = "10000", leases = "100000"] = process.argv.slice(2);
await main(Number(pollersInstances), Number(leases));
process.exit();
