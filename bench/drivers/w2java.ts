// W2 by SOFARegistry's own Java client, which sends one registration at a time on each of its connections: what an
// application sees that registers with it. The first run is thrown away, since it is Java's own start that it measures.

import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Figure } from "../figures.ts";
import { mavenJars } from "../peers/cache.ts";
import { spawned } from "../processes/spawned.ts";
import { cpuSecondsOf } from "../processes/usage.ts";
import type { Bench } from "./task.ts";

const PROGRAM = join(import.meta.dirname, "java", "SerialPublishers.java");
const CLIENT = { group: "com.alipay.sofa", name: "registry-client-all", version: "6.5.6" };
const SILENT_LOG = { group: "org.slf4j", name: "slf4j-nop", version: "1.7.21" };
// As the suite with this client starts Java.
const JVM_OPTIONS = join(import.meta.dirname, "..", "..", "test", "clients", "java", "jvm.options");

export interface W2Java {
  readonly instances: number;
  readonly services: number;
  readonly clients: number;
}

export async function w2Java({ address, pids }: Bench, { instances, services, clients }: W2Java): Promise<Figure[]> {
  const jars = join(await mavenJars(CLIENT, [SILENT_LOG]), "jars", "*");
  const size = [address.host, address.port, instances, services, clients].map(String);
  const program = spawned(["java", `@${JVM_OPTIONS}`, "-cp", jars, PROGRAM, ...size], { hasPipes: true });
  const { stdin, stdout } = program.child;
  if (stdin === null || stdout === null) throw new Error("a program with pipes has them");
  const lines = createInterface(stdout)[Symbol.asyncIterator]();
  const run = async (workload: string): Promise<number> => {
    stdin.write(`${workload}\n`);
    for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
      const took = /^took (\d+)$/.exec(line.value);
      if (took !== null) return Number(took[1]);
    }
    throw new Error(`the Java clients ended with ${await program.ended}`);
  };
  try {
    await run("jw");
    const cpuBefore = cpuSecondsOf(pids);
    const ms = await run("js");
    const cpuSeconds = cpuSecondsOf(pids) - cpuBefore;
    return [
      { name: "registrations acknowledged", value: (instances / ms) * 1_000, unit: "/s" },
      { name: "server CPU a registration", value: (cpuSeconds / instances) * 1e6, unit: "µs" },
    ];
  } finally {
    await program.stop();
  }
}
