import { pino } from "pino";
import type { Log, LogFields } from "../base/ports.ts";

/** The log of the process: one line an event on standard output, as JSON or as text for people. */
export function createLog({ level, format }: { level: string; format: "json" | "text" }): Log {
  const logger = format === "json" ? jsonLogger(level) : textLogger(level);
  return {
    debug: (event, fields) => logger.debug(printable(fields), event),
    info: (event, fields) => logger.info(printable(fields), event),
    warn: (event, fields) => logger.warn(printable(fields), event),
    error: (event, fields) => logger.error(printable(fields), event),
  };
}

const NAMES_ONLY = { level: (label: string) => ({ level: label }) };

function jsonLogger(level: string) {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: NAMES_ONLY });
}

/**
 * pino's JSON lines turned into `time LEVEL event key=value …`; values stay JSON, so nothing that a client sent can
 * forge a line.
 */
function textLogger(level: string) {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: NAMES_ONLY };
  return pino(options, { write: (line: string) => process.stdout.write(textLine(line)) });
}

function textLine(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === "string" ? quoted(value) : JSON.stringify(value)}`,
  );
  return `${String(time)} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${pairs.join("")}\n`;
}

function quoted(value: string): string {
  return /^[\w.:/@#-]+$/.test(value) ? value : JSON.stringify(value);
}

// JSON has no bigint.
function printable(fields: LogFields = {}): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [key, typeof value === "bigint" ? String(value) : value]),
  );
}
