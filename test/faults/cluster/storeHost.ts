// The process that runs the cluster's store in its own network namespace and does to it what it is told.

import { startEtcd } from "../../store/etcd.ts";
import { startPostgres } from "../../store/postgres.ts";

/** Its host in the network. */
export const STORE_HOST = "store";

export type StoreKind = "postgres" | "etcd";

export const STORE_PORTS: Readonly<Record<StoreKind, number>> = { postgres: 5_432, etcd: 2_379 };

export type StoreOrder = "kill" | "start" | "pause" | "resume" | { readonly database: string };

/** The answer after each order, and once at the start. */
export interface StoreAnswer {
  readonly error: string | undefined;
}

interface StoreServer {
  kill(): Promise<void>;
  start(): Promise<void>;
  pause(): void;
  resume(): void;
  createDatabase(name: string): Promise<unknown>;
}

const START: Readonly<Record<StoreKind, (dir: string, address: string) => Promise<StoreServer>>> = {
  postgres: async (dir, address) => {
    const server = await startPostgres({ dir, port: STORE_PORTS.postgres, addresses: [address] });
    return Object.assign(server, { createDatabase: (name: string) => server.sql(`CREATE DATABASE ${name}`) });
  },
  etcd: async (dir, address) => {
    const server = await startEtcd({ dir, port: STORE_PORTS.etcd, addresses: [address] });
    // A prefix needs no making.
    return Object.assign(server, { createDatabase: async () => undefined });
  },
};

async function obey(server: StoreServer, order: StoreOrder): Promise<void> {
  switch (order) {
    case "kill":
      return server.kill();
    case "start":
      return server.start();
    case "pause":
      return server.pause();
    case "resume":
      return server.resume();
    default:
      await server.createDatabase(order.database);
  }
}

async function main(kind: StoreKind, dir: string, address: string): Promise<void> {
  const server = await START[kind](dir, address);
  process.send?.({ error: undefined } satisfies StoreAnswer);
  let last = Promise.resolve();
  process.on("message", (order: StoreOrder) => {
    last = last
      .then(() => obey(server, order))
      .then(
        () => undefined,
        (error: unknown) => String(error),
      )
      .then((error) => {
        process.send?.({ error } satisfies StoreAnswer);
      });
  });
  process.once("disconnect", () => process.exit(0));
}

if (import.meta.main) await main(process.argv[2] as StoreKind, process.argv[3] ?? "", process.argv[4] ?? "");
