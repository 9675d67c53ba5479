// The bare server of floorServer.ts as something to measure.

import { join } from "node:path";
import { freePorts } from "../processes/ports.ts";
import { failureOf, spawned } from "../processes/spawned.ts";
import { nowMs } from "../protocols/clock.ts";
import type { Target } from "./target.ts";

const SERVER = join(import.meta.dirname, "floorServer.ts");

export function floor(): Target {
  return {
    name: "floor",
    protocol: "sofa",
    isOurs: false,
    prepare: async () => "a bare server that only answers and pushes: what machine, Node and driver take",
    diskBytes: () => 0,
    start: async () => {
      const [port = 0] = await freePorts(1);
      const startedAtMs = nowMs();
      const server = spawned([process.execPath, SERVER, String(port)]);
      const processes = [{ name: "server", pid: server.pid }];
      const failed = failureOf(server, "");
      return { address: { host: "127.0.0.1", port }, processes, startedAtMs, failed, stop: server.stop };
    },
  };
}
