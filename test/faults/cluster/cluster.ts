// Three meta, three data and three session nodes, each a process on a host of its own, on one PostgreSQL or etcd.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionPlace } from "../clients/commands.ts";
import { runCommand, tryCommand } from "../net/command.ts";
import type { Network } from "../net/network.ts";
import { BOLT_PORT, NODE_PORT, NodeProcess, type Role } from "./nodeProcess.ts";
import { askStatus, type ClusterStatus, isOk, slotOfService } from "./status.ts";

export const METAS = ["meta1", "meta2", "meta3"] as const;
export const DATAS = ["data1", "data2", "data3"] as const;
export const SESSIONS = ["session1", "session2", "session3"] as const;
export const NODES: readonly string[] = [...METAS, ...DATAS, ...SESSIONS];

export interface ClusterOptions {
  readonly network: Network;
  readonly storeUrl: string;
  /** For data directories and logs. */
  readonly dir: string;
  /** Settings of all nodes beside their flags. */
  readonly environment: Readonly<Record<string, string>>;
}

const POLL_MS = 50;
// Far more than a node needs, and small enough to be filled in a moment.
const DISK_SIZE = "16m";

export class Cluster {
  readonly nodes: ReadonlyMap<string, NodeProcess>;
  readonly #options: ClusterOptions;

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.nodes = new Map(NODES.map((name) => [name, this.#node(name)]));
  }

  get sessions(): readonly SessionPlace[] {
    const { network } = this.#options;
    return SESSIONS.map((name) => ({ name, host: network.address(name), port: BOLT_PORT }));
  }

  node(name: string): NodeProcess {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return node;
  }

  /** Makes the nodes' disks and starts all of them. */
  async start(): Promise<void> {
    mkdirSync(join(this.#options.dir, "logs"), { recursive: true });
    for (const name of NODES) {
      const disk = this.diskOf(name);
      mkdirSync(disk, { recursive: true });
      await runCommand(["mount", "-t", "tmpfs", "-o", `size=${DISK_SIZE}`, "roster-faults", disk]);
    }
    for (const node of this.nodes.values()) node.start();
  }

  /** The file system of a node, which holds nothing but its data directory. */
  diskOf(name: string): string {
    return join(this.#options.dir, "disks", name);
  }

  /** Writes a node's disk full. */
  async fillDisk(name: string): Promise<void> {
    // It ends with "no space left", which is what it is for.
    await tryCommand(["dd", "if=/dev/zero", `of=${join(this.diskOf(name), "ballast")}`, "bs=64k"]);
    await tryCommand(["dd", "if=/dev/zero", `of=${join(this.diskOf(name), "ballast2")}`, "bs=1"]);
  }

  async freeDisk(name: string): Promise<void> {
    await runCommand(["rm", "-f", join(this.diskOf(name), "ballast"), join(this.diskOf(name), "ballast2")]);
  }

  status(): Promise<ClusterStatus> {
    const metas = METAS.map((name) => this.node(name)).filter(({ isRunning, isFrozen }) => isRunning && !isFrozen);
    return askStatus(metas, (address) => this.#hostOf(address));
  }

  /** Resolves when all nine do their part: true, or false at the limit. */
  async untilWhole(limitMs: number): Promise<boolean> {
    return this.until(limitMs, async () => (await this.missing()) === undefined);
  }

  /** The reason why the cluster is not whole; undefined if it is. */
  async missing(): Promise<string | undefined> {
    const { metaLeader, members, slots } = await this.status();
    if (metaLeader === undefined) return "no meta node leads";
    const absent = [...DATAS, ...SESSIONS].filter((name) => !members.has(name));
    if (absent.length > 0) return `no members: ${absent.join(", ")}`;
    if (slots.length === 0) return "no slot table";
    for (const name of DATAS) {
      const even = slots.length / DATAS.length;
      const led = slots.filter(({ leader }) => leader === name).length;
      const followed = slots.filter(({ followers }) => followers.includes(name)).length;
      if (led < even - 1 || led > even + 1) return `${name} leads ${led} slots of ${slots.length}`;
      if (followed < even - 1) return `${name} follows ${followed} slots of ${slots.length}`;
    }
    const ready = await Promise.all(NODES.map((name) => isOk(`${this.node(name).httpUrl}/readyz`)));
    const unready = NODES.filter((_, at) => ready[at] !== true);
    return unready.length === 0 ? undefined : `not ready: ${unready.join(", ")}`;
  }

  /** The data node that leads a service now; "gone" if none lives. */
  async leaderOf(service: string): Promise<string> {
    const { slots } = await this.status();
    return slots[slotOfService(service, slots.length)]?.leader ?? "gone";
  }

  /** The meta node that leads. */
  async metaLeader(): Promise<string> {
    let name: string | undefined;
    await this.until(10_000, async () => {
      name = (await this.status()).metaLeader;
      return name !== undefined;
    });
    if (name === undefined) throw new Error("no meta node leads");
    return name;
  }

  async until(limitMs: number, condition: () => Promise<boolean>): Promise<boolean> {
    const endMs = performance.now() + limitMs;
    do {
      if (await condition()) return true;
      await sleep(POLL_MS);
    } while (performance.now() < endMs);
    return false;
  }

  /** Ends all processes and gives the disks back. */
  async close(): Promise<void> {
    await Promise.all([...this.nodes.values()].map((node) => node.kill()));
    for (const name of NODES) await tryCommand(["umount", "-l", this.diskOf(name)]);
  }

  #hostOf(address: string): string {
    const { network } = this.#options;
    return network.hosts.find((host) => network.address(host) === address) ?? address;
  }

  #node(name: string): NodeProcess {
    const { network, storeUrl, dir, environment } = this.#options;
    const role = name.slice(0, -1) as Role;
    const metaAddresses = METAS.map((meta) => `${network.address(meta)}:${NODE_PORT}`).join(",");
    const flags = [
      "--roles",
      role,
      "--bind",
      network.address(name),
      "--insecure",
      "--data-dir",
      join(this.diskOf(name), "data"),
      "--meta-addresses",
      metaAddresses,
      ...(role === "meta" ? ["--store-url", storeUrl] : []),
    ];
    return new NodeProcess({ name, role, network, flags, environment, logFile: join(dir, "logs", `${name}.log`) });
  }
}
