// etcd, built from its Go module, or the `etcd` that is installed if BENCH_ETCD names it.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { freePorts } from "../processes/ports.ts";
import { diskBytes } from "../processes/usage.ts";
import type { Target } from "../targets/target.ts";
import { cached, peersFolder, runTool } from "./cache.ts";
import { startPeer } from "./peer.ts";

const VERSION = "3.7.3";
const MODULE = "go.etcd.io/etcd/server/v3";
const NAME = `etcd-${VERSION}`;

export function etcd(): Target {
  return {
    name: "etcd",
    protocol: "etcd",
    isOurs: false,
    prepare: async () => {
      if (process.env["BENCH_ETCD"] === undefined) await cached(NAME, build);
      const [version] = execFileSync(program(), ["--version"], { encoding: "utf8" }).split("\n", 1);
      const number = version?.replace("etcd Version: ", "") ?? "";
      return `${number}, one node, as shipped (every write synced to disk); a lease a connection; prefix watch`;
    },
    diskBytes: () => diskBytes(program()),
    start: async (options) => {
      const [client = 0, peer = 0] = await freePorts(2);
      const [clientUrl, peerUrl] = [client, peer].map((port) => `http://127.0.0.1:${port}`);
      const command = (folder: string) => [
        program(),
        `--data-dir=${join(folder, "data")}`,
        `--listen-client-urls=${clientUrl}`,
        `--advertise-client-urls=${clientUrl}`,
        `--listen-peer-urls=${peerUrl}`,
        `--initial-advertise-peer-urls=${peerUrl}`,
        `--initial-cluster=default=${peerUrl}`,
        "--log-level=warn",
      ];
      return startPeer({ command, port: client }, options);
    },
  };
}

function program(): string {
  return process.env["BENCH_ETCD"] ?? join(peersFolder(), NAME, "etcd");
}

async function build(folder: string): Promise<void> {
  await runTool(["go", "mod", "init", "bench"], folder);
  await runTool(["go", "get", `${MODULE}@v${VERSION}`], folder);
  await runTool(["go", "build", "-trimpath", "-ldflags=-s -w", "-o", "etcd", MODULE], folder);
}
