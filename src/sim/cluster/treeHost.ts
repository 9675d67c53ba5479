// The gateway for ZooKeeper's clients in a simulated process: its own code, on the store that all processes share.

import { InvariantError } from "../../base/assert.ts";
import { unlimitedBudget } from "../../base/budget.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { Connection, ConnectionHandler, Secrets } from "../../base/ports.ts";
import type { NodeId } from "../../model/ids.ts";
import { OPEN_ACCESS } from "../../protocols/kit/clientAccess.ts";
import type { OpenGateway } from "../../protocols/kit/gateway.ts";
import { ZooKeeperConnections } from "../../protocols/zookeeper/connections.ts";
import type { ZooKeeperConfig } from "../../protocols/zookeeper/environment.ts";
import type { GatewayRecords } from "../../records/gatewayRecords.ts";
import type { Watcher } from "../../records/records.ts";
import type { Tree } from "../../records/tree/tree.ts";
import type { Registry } from "../../registry/registry.ts";
import type { NetworkProcess } from "../network/nodeWire.ts";
import type { Dice } from "../random.ts";
import { bug, bugLog, type SimEnvironment } from "./environment.ts";
import type { SimProcess } from "./simProcess.ts";
import type { Store } from "./store.ts";
import { StoreRecords } from "./storeRecords.ts";
import { inTurns } from "./turnGate.ts";
import type { Turns } from "./turns.ts";

export interface TreeHostParts {
  readonly store: Store;
  readonly turns: Turns;
  readonly registry: Registry;
  readonly sessions: () => readonly NodeId[];
}

/** The longest session: its client gives up a server after two thirds of it. */
export const TREE_SESSION_MS = [4_000, 6_000, 9_000, 15_000] as const;

const CONFIG: ZooKeeperConfig = {
  serveZookeeper: true,
  zookeeperSessionMinMs: 4_000,
  zookeeperSessionMaxMs: 40_000,
  zookeeperFrameBytesMax: 1_048_575,
  zookeeperAddressConnectionsMax: 0,
  zookeeperWords: [],
  zookeeperSuperDigest: "",
  zookeeperNodesMax: 10_000,
  zookeeperTreeBytesMax: 100 * 1024 * 1024,
  zookeeperEnforceQuota: false,
  zookeeperServicePaths: [],
  clientOutputBytesMax: 16 * 1024 * 1024,
  dataCenter: "dc",
  zone: "z",
};

export class TreeHost {
  readonly #environment: SimEnvironment;
  readonly #process: SimProcess;
  readonly #turns: Turns;
  readonly #records: StoreRecords;
  readonly #connections: ZooKeeperConnections;
  readonly #budget = unlimitedBudget();
  readonly #inTurns: NetworkProcess;

  constructor(environment: SimEnvironment, process: SimProcess, { store, turns, registry, sessions }: TreeHostParts) {
    this.#environment = environment;
    this.#process = process;
    this.#turns = turns;
    this.#inTurns = inTurns(process, turns);
    const { id, time } = process;
    const made: ConstructorParameters<typeof StoreRecords>[2] = (commit, revision) =>
      environment.record({ kind: "treeCommitted", by: id, commit, revision });
    this.#records = new StoreRecords(store, this.#inTurns, made);
    this.#connections = new ZooKeeperConnections({
      config: CONFIG,
      self: id,
      version: "0.0.0",
      access: OPEN_ACCESS,
      registry,
      records: this.#checked(),
      budget: this.#budget,
      log: bugLog(environment, id),
      metrics: noMetrics,
      later: (run) => turns.add(process, run),
      secrets: drawnSecrets(environment.dice.fork()),
      members: () => new Set(sessions()),
      nowMs: time.clock.nowMs,
    });
  }

  /** The node's copy. */
  get tree(): Tree {
    return this.#connections.server.tree;
  }

  /** Accepts a client's connection; the handler's calls have turns of their own. */
  accept(connection: Connection): ConnectionHandler {
    const { gate, time } = this.#inTurns;
    let handler: ConnectionHandler | undefined;
    gate.message(() => {
      handler = this.#connections.accept(connection, time.clock.nowMs());
    });
    return {
      received: (chunk) => gate.message(() => handler?.received(chunk, time.clock.nowMs())),
      drained: () => gate.message(() => handler?.drained(time.clock.nowMs())),
      closed: () => gate.message(() => handler?.closed(time.clock.nowMs())),
    };
  }

  /** The gateway as the node's regular checks see it. */
  get gateway(): OpenGateway {
    return {
      listeners: [],
      check: (nowMs) => this.#turns.add(this.#process, () => this.#connections.check(nowMs)),
      resumed: (awayMs) => this.#turns.add(this.#process, () => this.#connections.server.resumed(awayMs)),
    };
  }

  /** The store says that there may be something new. */
  wake(): void {
    this.#inTurns.gate.message(() => this.#records.wake());
  }

  *leftovers(): Generator<string> {
    const { heldBytes } = this.#budget;
    if (heldBytes !== 0) yield `${heldBytes} bytes are charged to clients of the tree`;
    const { watches } = this.#connections.server;
    if (watches.size !== 0) yield `${watches.size} watches of the tree are kept`;
  }

  close(): void {
    this.#records.close();
  }

  /** A watch calls the tree, whose bugs must not be mistaken for faults of the store. */
  #checked(): GatewayRecords {
    const { range, changes, watch } = this.#records;
    return {
      range,
      changes,
      commit: (commit) => this.#records.commit(commit),
      watch: (keys, after, watcher) => watch(keys, after, this.#watcher(watcher)),
    };
  }

  #watcher(watcher: Watcher): Watcher {
    const checked = (run: () => void) => {
      try {
        run();
      } catch (error) {
        bug(this.#environment, this.#process.id, error);
      }
    };
    return {
      changed: (changes, revision) => checked(() => watcher.changed(changes, revision)),
      compacted: (oldest) => checked(() => watcher.compacted(oldest)),
    };
  }
}

/** Random bytes that follow from the seed; nothing else of it is asked for. */
function drawnSecrets(dice: Dice): Secrets {
  const random = (bytes: number) => Array.from({ length: bytes }, () => dice.below(36).toString(36)).join("");
  const unasked = (): never => {
    throw new InvariantError("the tree asks for random bytes only");
  };
  return { random, sha256: unasked, hmacSha256: unasked, scrypt: unasked, isEqual: unasked };
}
