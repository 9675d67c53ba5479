import { createServer, type Server } from "node:net";

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listening(0)));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await closeAll(servers);
  return ports;
}

// Below those that the system gives out by itself, above the usual ones of servers.
const FROM = 12_000;
const TO = 30_000;
const ATTEMPTS_MAX = 50;

/** A port that was free a moment ago, as were those at these distances from it. */
export async function freePortWith(distances: readonly number[]): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM));
    const servers = await Promise.allSettled(distances.map((distance) => listening(port + distance)));
    await closeAll(servers.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
    if (servers.every(({ status }) => status === "fulfilled")) return port;
  }
  throw new Error(`no port with free ones at ${distances.join(", ")}`);
}

async function listening(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, resolve);
  });
  return server;
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
}
