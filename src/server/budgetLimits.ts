// The bounds of this process's accounts, from the memory of the machine, its container and V8.

import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { BudgetLimits } from "../base/budget.ts";
import type { Config } from "./config/table.ts";

// The process by itself: 100 MiB after its start, and the tables of its roles.
const BASE_BYTES = 128 * 1024 * 1024;
// A machine or a heap smaller than the smallest memory-bytes-max still serves a few clients.
const CLIENTS_BYTES_MIN = 128 * 1024 * 1024;
// A heap holds garbage beside live data, and collects it the more often the fuller it is: beyond some 70 % the
// collector takes more time than the work, and the rest is for pushes under way.
const FILL = 0.7;
const MACHINE_SHARE = 4;

/** The machine's memory and V8's bound. */
export interface Machine {
  readonly memoryBytes: number;
  readonly heapBytesMax: number;
}

export function machine(): Machine {
  // Without a limit of its container the system reports 0, or a number beyond all memory.
  const constrained = process.constrainedMemory();
  const memoryBytes = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return { memoryBytes, heapBytesMax: getHeapStatistics().heap_size_limit };
}

/** The memory that this process may use. */
export function memoryBytes(config: Config, { memoryBytes: ofMachine, heapBytesMax }: Machine): number {
  return Math.min(config.memoryBytesMax || ofMachine / MACHINE_SHARE / config.workers, heapBytesMax);
}

/**
 * The limits of the process's budget. Payloads and packed records lie outside V8's heap, most else within; both count
 * against the smaller of the two bounds, since the clients' input decides which one is used. An operator with more
 * memory raises V8's bound with --max-old-space-size.
 */
export function budgetLimits(config: Config, machine: Machine): BudgetLimits {
  const bytesMax = Math.max(CLIENTS_BYTES_MIN, FILL * (memoryBytes(config, machine) - BASE_BYTES));
  return {
    bytesMax: Math.floor(bytesMax),
    clientBytesMax: config.clientBytesMax,
    workPerSecondMax: config.registrationsPerSecondMax,
  };
}
