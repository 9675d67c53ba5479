// A log that strangers can't fill. Each stranger can cause a line with every connection, 6,700 in a second, which costs
// turns of the event loop, disks and the reader's attention. So for each kind of line the first ones of a while are
// written in full, some of each address and some of all; the rest are counted, and one line reports their number.

import type { Cancel, Clock, Log, LogFields, Timers } from "../base/ports.ts";

/** The window in which the lines of a kind are counted together. */
export const LOG_WINDOW_MS = 10_000;
// An operator sees the pattern of a fault in this many lines of one address,
const ADDRESS_LINES_MAX = 20;
// and the members of a large cluster that lose their links at once in this many of all.
const LINES_MAX = 200;

const LEVELS = ["info", "warn", "error"] as const;
type Level = (typeof LEVELS)[number];

interface Window {
  readonly level: Level;
  readonly endMs: number;
  /** Lines in full, by address; not more than LINES_MAX addresses. */
  readonly lines: Map<string, number>;
  written: number;
  leftOut: number;
  /** The fields of the last line that was left out. */
  fields: LogFields;
  cancel: Cancel;
}

export interface LimitedLog extends Log {
  /** Writes the counts so far. Later lines are written as before. */
  flush(): void;
}

export function limitedLog(log: Log, { clock, timers }: { clock: Clock; timers: Timers }): LimitedLog {
  // By event: these are fixed sentences of our own.
  const windows = new Map<string, Window>();
  const close = (event: string, window: Window) => {
    window.cancel();
    windows.delete(event);
    if (window.leftOut > 0) log[window.level](event, { ...window.fields, alike: window.leftOut });
  };
  const write = (level: Level, event: string, fields: LogFields = {}) => {
    const nowMs = clock.nowMs();
    let window = windows.get(event);
    if (window !== undefined && nowMs >= window.endMs) {
      close(event, window);
      window = undefined;
    }
    if (window === undefined) {
      const lines = new Map<string, number>();
      const endMs = nowMs + LOG_WINDOW_MS;
      window = { level, endMs, lines, written: 0, leftOut: 0, fields, cancel: () => undefined };
      windows.set(event, window);
    }
    const address = hostOf(fields);
    const before = window.lines.get(address) ?? 0;
    if (window.written < LINES_MAX && before < ADDRESS_LINES_MAX) {
      window.written++;
      window.lines.set(address, before + 1);
      return log[level](event, fields);
    }
    if (window.leftOut === 0) {
      const opened = window;
      window.cancel = timers.after(window.endMs - nowMs, () => close(event, opened));
    }
    window.leftOut++;
    window.fields = fields;
  };
  return {
    debug: (event, fields) => log.debug(event, fields),
    info: (event, fields) => write("info", event, fields),
    warn: (event, fields) => write("warn", event, fields),
    error: (event, fields) => write("error", event, fields),
    flush: () => {
      for (const [event, window] of [...windows]) close(event, window);
    },
  };
}

/** The host of the peer that a line concerns: clients are named by their address. */
function hostOf(fields: LogFields): string {
  const address = String(fields["address"] ?? fields["client"] ?? "");
  const end = address.startsWith("[") ? address.indexOf("]") : address.indexOf(":");
  return end < 0 ? address : address.slice(0, end);
}
