// A driver: one workload against one server, in a process of its own. The task is its argument; the figures go back to
// the process that started it.

import type { Figure } from "../figures.ts";
import { protocolNamed } from "../protocols/protocols.ts";
import { example } from "./example.ts";
import { fair } from "./fair.ts";
import { slow } from "./slow.ts";
import { steady } from "./steady.ts";
import type { Answer, Bench, Job, Task } from "./task.ts";
import { w1 } from "./w1.ts";
import { w2 } from "./w2.ts";
import { w2Java } from "./w2java.ts";
import { w3 } from "./w3.ts";
import { w3Data } from "./w3data.ts";
import { w4 } from "./w4.ts";
import { w5 } from "./w5.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as Task;

function run(bench: Bench, job: Job): Promise<Figure[]> {
  switch (job.kind) {
    case "w1":
      return w1(bench, job);
    case "w2":
      return w2(bench, job);
    case "w2-java":
      return w2Java(bench, job);
    case "w3":
      return w3(bench, job);
    case "w3-data":
      return w3Data(bench, job);
    case "w4":
      return w4(bench, job);
    case "w5":
      return w5(bench);
    case "example":
      return example(bench, job);
    case "fair":
      return fair(bench, job);
    case "slow":
      return slow(bench, job);
    case "steady":
      return steady(bench, job);
  }
}

async function answer(): Promise<Answer> {
  const { job, protocol, ...rest } = task;
  const bench = { ...rest, protocol: protocolNamed(protocol), pids: task.processes.map(({ pid }) => pid) };
  try {
    return { kind: "figures", figures: await run(bench, job) };
  } catch (error) {
    return { kind: "failed", reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

// Sockets and timers are left as they are: the process ends with them.
process.send?.(await answer(), () => process.exit(0));
