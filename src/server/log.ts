// The log of the process: one line an event on standard output. Who reads it may be slow, stuck or gone, and must not
// be able to hold the server up, least of all while it stops: lines are dropped then.

import { type DestinationStream, pino } from "pino";
import type { Log, LogFields } from "../base/ports.ts";
import { visible } from "../base/visible.ts";
import { hostClock, hostTimers } from "../transport/clock.ts";
import { limitedLog } from "./limitedLog.ts";

/** The log and its end. */
export interface ProcessLog extends Log {
  /** Writes what waits, for a moment at the most; what can't be written then is given up. */
  stop(): void;
}

// What waits for a slow reader; more is dropped.
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
// What a reader that has stopped may cost at the end.
const LAST_WRITE_MS_MAX = 300;
const STDOUT = 1;
// The longest value that is worth reading is the stack of an error.
const VALUE_CHARS_MAX = 4_096;

/** The log of the process, as JSON or as text for people. */
export function createLog({ level, format }: { level: string; format: "json" | "text" }): ProcessLog {
  let giveUpMs = Number.POSITIVE_INFINITY;
  const destination = pino.destination({
    fd: STDOUT,
    maxLength: WAITING_BYTES_MAX,
    retryEAGAIN: () => performance.now() < giveUpMs,
  });
  let isBroken = false;
  // The reader is gone, or was given up.
  destination.on("error", () => {
    isBroken = true;
  });
  const stream: DestinationStream = {
    write: (line) => {
      if (!isBroken) destination.write(`${visible(format === "json" ? line.trimEnd() : textLine(line))}\n`);
    },
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
      giveUpMs = performance.now() + LAST_WRITE_MS_MAX;
      try {
        destination.flushSync();
      } catch {
        // The reader does not take them; there is nobody left to tell.
        isBroken = true;
      }
      if (isBroken) destination.destroy();
    },
  };
}

/**
 * A JSON line of pino as `time LEVEL event key=value …`; values stay JSON, so nothing that a client sent can forge a
 * line.
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
