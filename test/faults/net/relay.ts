// Delay where the kernel has none to offer: a program on a host through which all connections go that begin there, and
// which passes on what it gets later. Packets are not late then but bytes are, which is what a TCP program sees of it.

import { createConnection, createServer, type Socket } from "node:net";

/** Connections to `port` here are carried on to that address. */
export interface RelayRoute {
  readonly port: number;
  readonly toHost: string;
  readonly toPort: number;
}

export interface RelayOrder {
  readonly delayMs: number;
}

/** Says that all routes are listened on. */
export const RELAY_READY = "ready";

let delayMs = 0;

/** Does things as much later as the delay says, and never in another order. */
class Later {
  #dueMs = 0;

  do(action: () => void): void {
    const nowMs = performance.now();
    this.#dueMs = Math.max(this.#dueMs, nowMs + delayMs);
    // Timers of different lengths may swap their order within a millisecond; a queue of equal ones does not.
    this.#queue.push({ action, dueMs: this.#dueMs });
    if (this.#queue.length === 1) this.#arm();
  }

  readonly #queue: { readonly action: () => void; readonly dueMs: number }[] = [];

  #arm(): void {
    const [next] = this.#queue;
    if (next !== undefined) setTimeout(() => this.#run(), Math.max(0, next.dueMs - performance.now()));
  }

  #run(): void {
    const nowMs = performance.now();
    while ((this.#queue[0]?.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) this.#queue.shift()?.action();
    this.#arm();
  }
}

function pass(from: Socket, to: Socket): void {
  const later = new Later();
  from.on("data", (chunk: Buffer) => later.do(() => to.write(chunk)));
  from.on("end", () => later.do(() => to.end()));
  from.on("close", () => later.do(() => to.destroy()));
  // `close` follows.
  from.on("error", () => undefined);
}

function listen({ port, toHost, toPort }: RelayRoute): Promise<void> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => {
    const far = createConnection({ host: toHost, port: toPort, noDelay: true, allowHalfOpen: true });
    pass(near, far);
    pass(far, near);
  });
  return new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
}

async function main(routes: readonly RelayRoute[]): Promise<void> {
  process.on("message", (order: RelayOrder) => {
    delayMs = order.delayMs;
  });
  process.once("disconnect", () => process.exit(0));
  await Promise.all(routes.map(listen));
  process.send?.(RELAY_READY);
}

if (import.meta.main) await main(JSON.parse(process.argv[2] ?? "[]") as RelayRoute[]);
