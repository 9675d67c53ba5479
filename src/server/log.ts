// The log of the process: one line an event on standard output.

import { type DestinationStream, pino } from "pino";
import { type Metrics, noMetrics } from "../base/metrics.ts";
import type { Log, LogFields } from "../base/ports.ts";
import { visible } from "../base/visible.ts";
import { hostClock, hostTimers } from "../transport/clock.ts";
import { limitedLog } from "./limitedLog.ts";
import { openLogOutput } from "./logOutput.ts";

/** The log, with its stop. */
export interface ProcessLog extends Log {
  /** Writes the waiting lines, for at most a moment; the rest is given up. */
  stop(): Promise<void>;
}

export interface LogOptions {
  readonly level: string;
  readonly format: "json" | "text";
  readonly metrics?: Metrics;
}

// The longest value that is worth reading is the stack of an error.
const VALUE_CHARS_MAX = 4_096;

/** The log of the process, as JSON or as text for people. */
export function createLog({ level, format, metrics = noMetrics }: LogOptions): ProcessLog {
  const output = openLogOutput({
    metrics,
    recovered: (lines) => all.error("log lines were lost because the output did not accept them", { lines }),
  });
  const stream: DestinationStream = {
    write: (line) => output.write(`${visible(format === "json" ? line.trimEnd() : textLine(line))}\n`),
  };
  const formatters = { level: (label: string) => ({ level: label }) };
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters }, stream);
  const all: Log = {
    debug: (event, fields) => logger.debug(printable(fields), event),
    info: (event, fields) => logger.info(printable(fields), event),
    warn: (event, fields) => logger.warn(printable(fields), event),
    error: (event, fields) => logger.error(printable(fields), event),
  };
  const log = limitedLog(all, { clock: hostClock, timers: hostTimers });
  return {
    ...log,
    stop: () => {
      log.flush();
      return output.stop();
    },
  };
}

/**
 * A JSON line of pino as `time LEVEL event key=value …`; values stay JSON, so no text from a client can forge a line.
 */
function textLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`,
  );
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${pairs.join("")}`;
}

function quoted(value: string): string {
  return /^[\w.:/@#-]+$/.test(value) ? value : JSON.stringify(value);
}

function printable(fields: LogFields = {}): Record<string, string | number | boolean> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, printableValue(value)]));
}

function printableValue(value: LogFields[string]): string | number | boolean {
  if (typeof value === "string") return value.length <= VALUE_CHARS_MAX ? value : `${value.slice(0, VALUE_CHARS_MAX)}…`;
  // JSON has no bigint.
  return typeof value === "bigint" ? String(value) : value;
}
