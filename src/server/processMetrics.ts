// The metrics of every process by Prometheus's conventions, and the build of this one. They are collected at a scrape,
// in some 50 µs: the library's own collector reads all of /proc/self/fd, which takes 20 ms with 50,000 connections, and
// keeps a timer that fires 100 times a second.

import { readdirSync, readFileSync, statSync } from "node:fs";
import { getHeapStatistics } from "node:v8";
import type { Metrics } from "../base/metrics.ts";
import { descriptorLimit } from "./descriptors.ts";
import { packageVersion } from "./packageVersion.ts";

type Asked = "process_resident_memory_bytes" | "process_virtual_memory_bytes" | "process_open_fds" | "process_max_fds";

/** Returns the function that updates the process's values. */
export function processMetrics(metrics: Metrics): () => void {
  metrics.set("roster_build_info", 1, { version: packageVersion(), node: process.version });
  metrics.set("roster_workers", 1);
  metrics.set("process_start_time_seconds", Math.round(performance.timeOrigin) / 1000);
  const set = (name: Asked, value: number | undefined) => value !== undefined && metrics.set(name, value);
  let reportedSeconds = 0;
  let reportedBusySeconds = 0;
  return () => {
    const { user, system } = process.cpuUsage();
    const seconds = (user + system) / 1e6;
    metrics.add("process_cpu_seconds_total", seconds - reportedSeconds);
    reportedSeconds = seconds;
    const busySeconds = performance.eventLoopUtilization().active / 1000;
    metrics.add("roster_event_loop_busy_seconds_total", Math.max(0, busySeconds - reportedBusySeconds));
    reportedBusySeconds = busySeconds;
    const { used_heap_size, total_heap_size, external_memory } = getHeapStatistics();
    metrics.set("nodejs_heap_size_used_bytes", used_heap_size);
    metrics.set("nodejs_heap_size_total_bytes", total_heap_size);
    metrics.set("nodejs_external_memory_bytes", external_memory);
    set(
      "process_resident_memory_bytes",
      known(() => process.memoryUsage.rss()),
    );
    set("process_virtual_memory_bytes", known(virtualMemoryBytes));
    set("process_open_fds", known(openDescriptors));
    set("process_max_fds", descriptorLimit());
  };
}

/** A value from the system; undefined if there is none, for instance without a free descriptor to read it with. */
function known(ask: () => number | undefined): number | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

function virtualMemoryBytes(): number | undefined {
  const kib = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}

/** Linux reports it as the size of the folder since 6.2; before, each entry has to be counted. */
function openDescriptors(): number {
  return statSync("/proc/self/fd").size || readdirSync("/proc/self/fd").length;
}
