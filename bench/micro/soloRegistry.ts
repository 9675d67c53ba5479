// A whole registry in this process, with everything but sockets and disk: what a benchmark sees of it is the cost of
// its own work, without the kernel's.

import { setTimeout as sleep } from "node:timers/promises";
import { unlimitedBudget } from "../../src/base/budget.ts";
import type { Connection, ConnectionHandler, Log } from "../../src/base/ports.ts";
import { META_PREFIX } from "../../src/meta/metaRecords.ts";
import { OPEN_ACCESS } from "../../src/protocols/kit/clientAccess.ts";
import { SofaConnections } from "../../src/protocols/sofa/connections.ts";
import { sofaGateway } from "../../src/protocols/sofa/gateway.ts";
import { keysWith } from "../../src/records/keys.ts";
import { readAll } from "../../src/records/readAll.ts";
import { configWith } from "../../src/server/config/load.ts";
import { createMetrics } from "../../src/server/metrics.ts";
import { createRoles, type Roles } from "../../src/server/roles.ts";
import type { SessionHost } from "../../src/server/sessionHost.ts";
import { openMemoryNodeStore } from "../../src/store/memory/memoryNodeStore.ts";
import { openMemoryRecords } from "../../src/store/memory/memoryRecords.ts";
import { hostClock, hostTimers } from "../../src/transport/clock.ts";
import { hostCompression } from "../../src/transport/compression.ts";
import { answerFrame } from "../protocols/sofa/answers.ts";

const ADDRESS = "127.0.0.1:1";
const REQUEST_TYPE = 1;
const ID_AT = 5;

const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: (event, fields) => console.error(event, fields),
};

/** A client's connection that takes everything and remembers the pushes that it was sent. */
export class SoloConnection implements Connection {
  readonly localAddress = "10.0.0.1:9600";
  readonly remoteAddress: string;
  readonly bufferedBytes = 0;
  readonly hasUnread = false;
  /** Ids of pushes that were not answered. */
  readonly pushes: number[] = [];
  bytes = 0;

  constructor(number: number) {
    this.remoteAddress = `10.1.${number >> 8}.${number & 0xff}:40123`;
  }

  write(...parts: readonly Uint8Array[]): void {
    for (const part of parts) this.bytes += part.length;
    const [head] = parts;
    if (head?.[1] !== REQUEST_TYPE) return;
    this.pushes.push(new DataView(head.buffer, head.byteOffset).getInt32(ID_AT));
  }

  close(): void {
    throw new Error(`the registry closed ${this.remoteAddress}`);
  }
}

/** One client, from both sides. */
export interface SoloClient {
  readonly connection: SoloConnection;
  readonly handler: ConnectionHandler;
}

/** The client says that it has taken all that it was pushed. */
export function answerPushes({ connection, handler }: SoloClient): void {
  for (const id of connection.pushes.splice(0)) {
    handler.received(answerFrame("hessian-draft", id), hostClock.nowMs());
  }
}

export class SoloRegistry {
  readonly #gateway: SofaConnections;
  readonly #roles: Roles;
  #accepted = 0;

  private constructor(roles: Roles, gateway: SofaConnections) {
    this.#roles = roles;
    this.#gateway = gateway;
  }

  /** Starts one, and resolves when it has a slot table. */
  static async start(): Promise<SoloRegistry> {
    const config = configWith({ registrationsPerSecondMax: 100_000_000, clientRegistrationsMax: 10_000_000 });
    const { metrics, gatewayMetrics } = createMetrics([sofaGateway]);
    const failed = (error: unknown) => {
      throw error;
    };
    const host = { clock: hostClock, timers: hostTimers, failed, log: silent, metrics };
    const records = await openMemoryRecords();
    const stores = {
      nodeStore: await openMemoryNodeStore(),
      metaStore: {
        load: () => readAll(records, keysWith(META_PREFIX), 1_000_000),
        range: records.range.bind(records),
        commit: records.commit.bind(records),
        acquireLease: records.acquireLease.bind(records),
        releaseLease: records.releaseLease.bind(records),
        close: () => records.close(),
      },
    };
    const addresses = { address: ADDRESS, metaHttpAddress: () => ADDRESS };
    // It has no links.
    const tls = { dial: () => () => undefined, checkNode: () => undefined };
    const roles = createRoles(config, { ...host, ...stores, ...addresses, tls, settingsChanged: () => undefined });
    roles.begin();
    const { stepper } = sessionOf(roles);
    const gateway = new SofaConnections({
      config,
      registry: stepper,
      budget: unlimitedBudget(),
      access: OPEN_ACCESS,
      compression: hostCompression,
      log: silent,
      metrics: gatewayMetrics,
    });
    const registry = new SoloRegistry(roles, gateway);
    while (sessionOf(roles).session.slotTable === undefined) await registry.turn();
    return registry;
  }

  get session(): SessionHost {
    return sessionOf(this.#roles);
  }

  connect(): SoloClient {
    const connection = new SoloConnection(this.#accepted++);
    return { connection, handler: this.#gateway.accept(connection, hostClock.nowMs()) };
  }

  /** Lets timers and messages between the roles have their turn; waiting itself takes no processor time. */
  async turn(): Promise<void> {
    await sleep(1);
  }

  close(): void {
    this.#roles.close();
  }
}

function sessionOf({ session }: Roles): SessionHost {
  if (session === undefined) throw new Error("a registry of one process has all roles");
  return session;
}
