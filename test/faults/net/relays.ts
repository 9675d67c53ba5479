// The relays of a network: one on each host that begins connections, and the rules that send connections through them.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import type { Network } from "./network.ts";
import type { RelayOrder, RelayRoute } from "./relay.ts";

const RELAY_PROGRAM = join(import.meta.dirname, "relay.ts");
const FIRST_PORT = 20_001;
// By its group the rules tell a relay's own connections from those that are to go through it. "nogroup" in Debian; the
// user stays root, for another one may not be let into the folder that the program is in.
const RELAY_GROUP = 65_534;
const START_MS = 20_000;

/** Somewhere that connections go to. */
export interface RelayTarget {
  readonly host: string;
  readonly port: number;
}

export class Relays {
  readonly #children: readonly ChildProcess[];

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
  }

  /** From now on all new connections from these hosts to these targets go through relays, which delay nothing yet. */
  static async start(network: Network, hosts: readonly string[], targets: readonly RelayTarget[]): Promise<Relays> {
    const children = await Promise.all(hosts.map((host) => startRelay(network, host, targets)));
    return new Relays(children);
  }

  /** How late everything is from now on, in each direction. */
  delay(delayMs: number): void {
    for (const child of this.#children) child.send({ delayMs } satisfies RelayOrder);
  }
}

async function startRelay(network: Network, host: string, targets: readonly RelayTarget[]): Promise<ChildProcess> {
  const others = targets.filter((target) => target.host !== host);
  const routes = others.map(
    (target, at): RelayRoute => ({ port: FIRST_PORT + at, toHost: network.address(target.host), toPort: target.port }),
  );
  const group = ["setpriv", `--regid=${RELAY_GROUP}`, "--clear-groups"];
  const command = network.on(host, [...group, process.execPath, RELAY_PROGRAM, JSON.stringify(routes)]);
  const [program = "", ...args] = command;
  const child = spawn(program, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  // Where it ends instead, nothing comes and the limit does.
  await once(child, "message", { signal: AbortSignal.timeout(START_MS) });
  const rules = routes.map(
    ({ port, toHost, toPort }) => `    ip daddr ${toHost} tcp dport ${toPort} redirect to :${port}`,
  );
  const chain = [
    "    type nat hook output priority -100; policy accept;",
    `    meta skgid ${RELAY_GROUP} accept`,
    ...rules,
  ];
  const ruleset = ["table inet relays {", "  chain output {", ...chain, "  }", "}", ""].join("\n");
  await runCommand(network.on(host, ["nft", "-f", "-"]), ruleset);
  return child;
}
