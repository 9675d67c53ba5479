// W5, start: from the start of the process to the first accepted registration, what an idle server takes of memory, and
// what an installation takes on disk.

import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, mebibytes } from "../figures.ts";
import type { Service } from "../instances.ts";
import { rssBytesOf } from "../processes/usage.ts";
import { nowMs } from "../protocols/clock.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { RunningTarget } from "../targets/target.ts";
import { targetNamed } from "../targets/targets.ts";
import { Publishers } from "./publishers.ts";
import type { Bench } from "./task.ts";

// After this the garbage of the start is collected or never will be.
const IDLE_MS = 5_000;
const SERVICE: Service = { workload: "w5", number: 0 };

export async function w5({ protocol, target: name, root }: Bench): Promise<Figure[]> {
  const target = targetNamed(name, root);
  await protocol.warmUp(1);
  const server = await target.start({ isImpatient: true });
  try {
    const acceptedMs = (await Promise.race([firstAccepted(protocol, server), server.failed])) - server.startedAtMs;
    await sleep(IDLE_MS);
    return [
      { name: "first accepted registration", value: acceptedMs, unit: "ms" },
      { name: "idle RSS", value: mebibytes(rssBytesOf(server.processes.map(({ pid }) => pid))), unit: "MiB" },
      { name: "on disk, without runtime", value: mebibytes(target.diskBytes()), unit: "MiB" },
    ];
  } finally {
    await server.stop();
  }
}

/** Registers as soon as the server lets, and returns when that was. */
async function firstAccepted(protocol: Protocol, { address }: RunningTarget): Promise<number> {
  const publishers = await Publishers.open({ protocol, address, services: 1, instances: 1, connections: 1, window: 1 });
  await protocol.prepare(address, [SERVICE]);
  const instance = { service: SERVICE, number: 0, revision: 0 };
  publishers.of(instance).register(instance);
  await publishers.settled();
  const acceptedMs = nowMs();
  publishers.close();
  return acceptedMs;
}
