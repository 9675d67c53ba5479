// The cost of calls on the main thread, in microseconds of its processor time, the shortest of some rounds: a longer
// one belongs to the machine's other work or to V8's compilers.

const ROUNDS = 7;

/** Processor time of the main thread so far, in microseconds. */
export function cpuMicroseconds(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

/** Microseconds that one of `calls` calls takes, all made by `run`. */
export function microseconds(calls: number, run: () => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const before = cpuMicroseconds();
    run();
    least = Math.min(least, (cpuMicroseconds() - before) / calls);
  }
  return least;
}

/** Results go here; otherwise the compiler would see that they are not used. */
export const sink: unknown[] = [];

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [head, head.map((_, at) => (at === 0 ? "---" : "---:")), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
