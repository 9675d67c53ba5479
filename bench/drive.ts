// Runs one case against one target: starts the server, hands the task to a driver in a process of its own, stops both.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Answer, Task } from "./drivers/task.ts";
import type { Figure } from "./figures.ts";
import { spawned } from "./processes/spawned.ts";
import type { Target } from "./targets/target.ts";
import type { Case } from "./workloads.ts";

const DRIVER = join(import.meta.dirname, "drivers", "main.ts");
// The longest, the worked example, takes some three minutes.
const DRIVER_MS_MAX = 900_000;

/** Rejects with the reason if the server does not start or the driver fails. */
export async function drive({ job, start }: Case, target: Target, root: string): Promise<readonly Figure[]> {
  const base = { job, target: target.name, root, protocol: target.protocol };
  if (job.kind === "w5") return await runDriver({ ...base, address: { host: "", port: 0 }, processes: [] });
  const server = await target.start(start);
  try {
    const figures = runDriver({ ...base, address: server.address, processes: server.processes });
    return await Promise.race([figures, server.failed]);
  } finally {
    await server.stop();
  }
}

async function runDriver(task: Task): Promise<readonly Figure[]> {
  const flags = process.env["BENCH_DRIVER_FLAGS"]?.split(" ").filter((flag) => flag !== "") ?? [];
  const driver = spawned([process.execPath, ...flags, DRIVER, JSON.stringify(task)], { hasChannel: true });
  const answered = new Promise<Answer>((resolve) => {
    driver.child.once("message", (answer) => resolve(answer as Answer));
  });
  const ended = driver.ended.then((how): Answer => ({ kind: "failed", reason: `the driver ended with ${how}` }));
  const late = sleep(DRIVER_MS_MAX, undefined, { ref: false }).then(
    (): Answer => ({ kind: "failed", reason: `no end after ${DRIVER_MS_MAX} ms` }),
  );
  try {
    const answer = await Promise.race([answered, ended, late]);
    if (answer.kind === "failed") throw new Error(answer.reason);
    return answer.figures;
  } finally {
    await driver.stop();
  }
}
