// The process that runs PostgreSQL in its own network namespace and does to it what it is told.

import { type PostgresServer, startPostgres } from "../../store/postgres.ts";

export const POSTGRES_PORT = 5_432;

export type PostgresOrder = "kill" | "start" | "pause" | "resume" | { readonly database: string };

/** The answer after each order, and once at the start. */
export interface PostgresAnswer {
  readonly error: string | undefined;
}

async function obey(server: PostgresServer, order: PostgresOrder): Promise<void> {
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
      await server.sql(`CREATE DATABASE ${order.database}`);
  }
}

async function main(dir: string, address: string): Promise<void> {
  const server = await startPostgres({ dir, port: POSTGRES_PORT, addresses: [address] });
  process.send?.({ error: undefined } satisfies PostgresAnswer);
  let last = Promise.resolve();
  process.on("message", (order: PostgresOrder) => {
    last = last
      .then(() => obey(server, order))
      .then(
        () => undefined,
        (error: unknown) => String(error),
      )
      .then((error) => {
        process.send?.({ error } satisfies PostgresAnswer);
      });
  });
  process.once("disconnect", () => process.exit(0));
}

if (import.meta.main) await main(process.argv[2] ?? "", process.argv[3] ?? "");
