// SofaClient over real sockets, as light as it gets: the benchmark must not measure its own clients.

import { createConnection, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "../src/base/ports.ts";
import { SofaClient, type SofaClientHost, type SofaClientOptions } from "../src/client/sofaClient.ts";
import { BOLT_V1 } from "../src/codec/bolt/frame.ts";

/** Where a server's clients connect. */
export interface BoltAddress {
  readonly host: string;
  readonly port: number;
}

export type ClientEvents = Pick<SofaClientHost, "onPush" | "onAcknowledged">;

const OPTIONS: SofaClientOptions = {
  appName: "bench",
  zone: "DEFAULT_ZONE",
  acceptEncoding: null,
  mode: "pipelined",
  form: "hessian-draft",
  dialect: BOLT_V1,
  dataCenter: "DefaultDataCenter",
  answersPushes: true,
};

let nextId = 1;

/** A connected client and its end. */
export interface BenchClient {
  readonly client: SofaClient;
  close(): void;
}

/** Connects a client to a session. Rejects if that fails. */
export async function connectClient(address: BoltAddress, events: ClientEvents = {}): Promise<BenchClient> {
  const socket = createConnection({ ...address, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  const host: SofaClientHost = {
    nextRequestId: () => nextId++,
    nextRegistId: () => crypto.randomUUID(),
    // A benchmark that loses a connection has failed; it does not go on with another one.
    connect: () => undefined,
    decompress: () => new Map(),
    ...events,
  };
  const client = new SofaClient(OPTIONS, host, Date.now());
  client.connected(connectionOf(socket), Date.now());
  socket.on("data", (chunk: Buffer) => {
    socket.cork();
    client.received(chunk, Date.now());
    socket.uncork();
  });
  const ticks = setInterval(() => client.tick(Date.now()), 1_000);
  const close = () => {
    clearInterval(ticks);
    socket.destroy();
  };
  return { client, close };
}

// How often a server that is starting is tried, and for how long.
const RETRY_MS = 5;
const START_MS_MAX = 20_000;

/** Connects as soon as the server listens. */
export async function connectWhenUp(address: BoltAddress, events: ClientEvents = {}): Promise<BenchClient> {
  const endMs = performance.now() + START_MS_MAX;
  for (;;) {
    try {
      return await connectClient(address, events);
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await sleep(RETRY_MS);
    }
  }
}

function connectionOf(socket: Socket): Connection {
  return {
    remoteAddress: "server",
    localAddress: "client",
    get bufferedBytes() {
      return socket.writableLength;
    },
    write: (...parts) => {
      for (const part of parts) socket.write(part);
    },
    close: () => socket.end(),
  };
}
