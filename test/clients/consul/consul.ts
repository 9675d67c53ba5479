// Stands in for the program `consul` in HashiCorp's own tests: `consul agent -config-file FILE` starts Roster on the
// ports that the file names, and `consul version -format=json` tells a release.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "..", "..", "..", "src", "cli", "main.ts");
const OFF = ["eureka", "nacos", "zookeeper"].map((protocol) => `--serve-${protocol}=false`);
const FREE = ["bolt", "http", "meta-http", "data-http", "admin"].flatMap((port) => [`--${port}-port`, "0"]);

const [command = "", ...args] = process.argv.slice(2);
if (command === "version") console.log(JSON.stringify({ Version: "1.22.3" }));
else if (command === "agent") startAgent(args.at(args.indexOf("-config-file") + 1) ?? "");
else process.exitCode = 1;

function startAgent(file: string): void {
  const { ports, node_name: node, data_dir: dataDir, datacenter } = JSON.parse(readFileSync(file, "utf8"));
  const named = { node, datacenter: datacenter ?? "dc1" };
  const open = ["--consul-port", `${ports.http}`, "--dns-port", `${ports.dns}`];
  const own = [...open, "--consul-node", named.node.toLowerCase()];
  const rest = ["--consul-datacenter", named.datacenter, "--data-dir", join(dataDir, "roster"), "--log-level", "warn"];
  process.argv.splice(2, Number.POSITIVE_INFINITY, "server", ...OFF, ...FREE, ...own, ...rest);
  void import(MAIN);
}
