// A cluster whose nodes are killed one after the other, and started again where they were.

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ClusterPorts, clusterNodes, ended, freePort, type NodeSpec, startNode } from "../nodes.ts";

const BIND = "127.0.0.1";
const READY_LIMIT_MS = 60_000;
const READY_POLL_MS = 100;

export class KillableCluster {
  readonly nodes: readonly NodeSpec[];
  /**
   * All nodes. The session at which clients ask for servers comes before the other one: a client that asked while the
   * other one was away would know no other session when this one is killed. The only meta node comes last: a starting
   * one gives all the others time to come back before it believes them dead.
   */
  readonly killOrder: readonly NodeSpec[];
  /** host:port of the first session's HTTP, which clients are given. */
  readonly registry: string;
  readonly #adminUrl: string;
  readonly #dir: string;
  readonly #processes = new Map<NodeSpec, ChildProcess>();

  private constructor(dir: string, ports: ClusterPorts) {
    this.#dir = dir;
    this.#adminUrl = `http://${BIND}:${ports.admin}`;
    this.nodes = clusterNodes(BIND, ports);
    const [meta, ...others] = this.nodes;
    this.killOrder = meta === undefined ? others : [...others, meta];
    this.registry = `${BIND}:${ports.sessions[0].http}`;
  }

  static async start(dir: string): Promise<KillableCluster> {
    const cluster = new KillableCluster(dir, {
      meta: await freePort(),
      metaHttp: await freePort(),
      admin: await freePort(),
      dataHttp: [await freePort(), await freePort()],
      sessions: [
        { bolt: await freePort(), http: await freePort() },
        { bolt: await freePort(), http: await freePort() },
      ],
    });
    await Promise.all(cluster.nodes.map((node) => cluster.startNode(node)));
    await cluster.calm();
    return cluster;
  }

  /** Resolves when the node is ready. */
  async startNode(node: NodeSpec): Promise<void> {
    const log = openSync(join(this.#dir, `${node.name}.log`), "a");
    const child = startNode(node, this.#dir, log);
    closeSync(log);
    this.#processes.set(node, child);
    const endMs = Date.now() + READY_LIMIT_MS;
    while (!(await isReady(node))) {
      assert.ok(child.exitCode === null && Date.now() < endMs, `${node.name} is not ready`);
      await sleep(READY_POLL_MS);
    }
  }

  /**
   * Resolves when both data nodes lead half of the slots and follow the other half, which they are given when their
   * copies are whole: a cluster that loses its last whole copy holds services back for fear of short lists.
   */
  async calm(): Promise<void> {
    const endMs = Date.now() + READY_LIMIT_MS;
    while (!(await this.#isBalanced())) {
      assert.ok(Date.now() < endMs, "the slots are not spread over both data nodes");
      await sleep(READY_POLL_MS);
    }
  }

  async #isBalanced(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.#adminUrl}/v1/slots`);
      const { items } = (await answer.json()) as { items: readonly SlotAnswer[] };
      const leads = Map.groupBy(items, ({ leader }) => leader);
      const counts = [...leads.values()].map((slots) => slots.length);
      return counts.length === 2 && counts[0] === counts[1] && items.every(({ followers }) => followers.length === 1);
    } catch {
      return false;
    }
  }

  /** SIGKILL: the node can't say goodbye. */
  async killNode(node: NodeSpec): Promise<void> {
    const child = this.#processes.get(node);
    assert.ok(child?.exitCode === null, `${node.name} has ended by itself`);
    child.kill("SIGKILL");
    await ended(child);
  }

  async end(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.killNode(node)));
  }
}

interface SlotAnswer {
  readonly leader: string;
  readonly followers: readonly string[];
}

async function isReady({ flags }: NodeSpec): Promise<boolean> {
  const port = flags["http-port"] ?? flags["data-http-port"] ?? flags["meta-http-port"];
  try {
    const { ok } = await fetch(`http://${BIND}:${port}/readyz`, { signal: AbortSignal.timeout(READY_LIMIT_MS) });
    return ok;
  } catch {
    return false;
  }
}
