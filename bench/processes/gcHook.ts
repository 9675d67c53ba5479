// Loaded into a server that is measured (`node --expose-gc --import …/gcHook.ts`), without any change of the server:
// notes the pauses of garbage collection, and writes them down with what is in memory at each SIGUSR2.

import { renameSync, writeFileSync } from "node:fs";
import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";

const file = process.env["BENCH_PROBE_FILE"];
let pausesMs: number[] = [];

const observer = new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!isForced(entry)) pausesMs.push(entry.duration);
});
observer.observe({ entryTypes: ["gc"] });

process.on("SIGUSR2", () => {
  if (file === undefined) return;
  const found = pausesMs;
  globalThis.gc?.();
  writeFileSync(`${file}.new`, JSON.stringify({ pausesMs: found, memory: process.memoryUsage() }));
  renameSync(`${file}.new`, file);
  pausesMs = [];
});

/** A collection that was asked for by a probe is not the server's. */
function isForced(entry: PerformanceEntry): boolean {
  const { flags } = (entry as PerformanceEntry & { readonly detail: { readonly flags: number } }).detail;
  return (flags & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0;
}
