// W5, start: from the start of the process to the first accepted registration, and what an idle server takes of memory.

import { setTimeout as sleep } from "node:timers/promises";
import { connectWhenUp } from "./connect.ts";
import { type Figures, milliseconds } from "./figures.ts";
import { startServerProcess } from "./serverProcess.ts";

// After this the garbage of the start is collected or never will be.
const IDLE_MS = 5_000;
const SERVICE = { dataId: "bench.w5", instanceId: "DEFAULT_INSTANCE_ID", group: "DEFAULT_GROUP" };

/** Runs W5. */
export async function w5(): Promise<Figures> {
  const server = await startServerProcess();
  try {
    let accept: (atMs: number) => void = () => undefined;
    const accepted = new Promise<number>((resolve) => {
      accept = resolve;
    });
    const { client, close } = await connectWhenUp(server.bolt, { onAcknowledged: () => accept(performance.now()) });
    client.publish(SERVICE, [], Date.now());
    const startMs = (await accepted) - server.startedAtMs;
    close();
    await sleep(IDLE_MS);
    const rss = `${(server.rssBytes() / 2 ** 20).toFixed(0)} MiB`;
    return { name: "W5", figures: { "first accepted registration": milliseconds(startMs), "idle RSS": rss } };
  } finally {
    await server.stop();
  }
}
