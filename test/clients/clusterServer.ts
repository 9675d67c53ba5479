// Looks like one `roster server` and is a cluster: one meta node, two data nodes and two sessions, each a process of
// its own. So a suite that was made for one server runs against a cluster unchanged. Takes the flags of `roster
// server`: --bolt-port and --http-port are those of the first session, --data-http-port that of the first data node,
// --admin-port that of the meta node. Needs Linux: the processes end with this one, however it ends, and not before it.

import type { ChildProcess } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type ClusterPorts, clusterNodes, ended, freePort, type NodeSpec, startNode } from "./nodes.ts";

const { values } = parseArgs({
  options: {
    "data-dir": { type: "string", default: "./.roster" },
    bind: { type: "string", default: "127.0.0.1" },
    "bolt-port": { type: "string", default: "9600" },
    "http-port": { type: "string", default: "9603" },
    "eureka-port": { type: "string", default: "0" },
    "nacos-port": { type: "string", default: "0" },
    "nacos-grpc-port": { type: "string", default: "0" },
    "zookeeper-port": { type: "string", default: "0" },
    "consul-port": { type: "string", default: "0" },
    "dns-port": { type: "string", default: "0" },
    "meta-http-port": { type: "string", default: "9615" },
    "data-http-port": { type: "string", default: "9622" },
    "admin-port": { type: "string", default: "9604" },
  },
});

const children: ChildProcess[] = [];

/** Free ports when the cluster first starts, the same ones when it starts again, as those of a real cluster are. */
async function keptPorts(count: number): Promise<string[]> {
  const file = join(values["data-dir"], "ports.json");
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    const ports = await Promise.all(Array.from({ length: count }, () => freePort(values.bind)));
    mkdirSync(values["data-dir"], { recursive: true });
    writeFileSync(file, JSON.stringify(ports));
    return ports;
  }
}

function start(spec: NodeSpec): void {
  const child = startNode(spec, values["data-dir"], "inherit");
  child.once("exit", (code, signal) => {
    if (isStopping) return;
    console.error(`${spec.name} has ended: ${signal ?? code}`);
    process.exit(1);
  });
  children.push(child);
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

const [meta = "0", otherBolt = "0", otherHttp = "0"] = await keptPorts(3);
const ports: ClusterPorts = {
  meta,
  metaHttp: values["meta-http-port"],
  admin: values["admin-port"],
  dataHttp: [values["data-http-port"], "0"],
  sessions: [
    { bolt: values["bolt-port"], http: values["http-port"] },
    { bolt: otherBolt, http: otherHttp },
  ],
};
for (const spec of clusterNodes(values.bind, ports)) start(spec);
