// Durations as Go writes them: `10s`, `1m30s`, `500ms`.

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy;
const UNITS: Readonly<Record<string, number>> = {
  ...{ ns: 1e-6, us: 1e-3, µs: 1e-3, μs: 1e-3, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 },
};
const NANOSECONDS = 1e6;
const TEXT_CHARS_MAX = 64;

/** Milliseconds; undefined for a text that is no duration. A negative one is none here. */
export function durationMs(text: string): number | undefined {
  if (text === "0") return 0;
  if (text === "" || text.length > TEXT_CHARS_MAX) return undefined;
  PART.lastIndex = 0;
  let [ms, at] = [0, 0];
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    ms += Number(part[1]) * (UNITS[part[2] ?? ""] ?? 0);
    at = PART.lastIndex;
    if (at === text.length) return ms;
  }
  return undefined;
}

/** A duration in JSON: a text, or nanoseconds. */
export function durationOf(value: unknown): number | undefined {
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value / NANOSECONDS;
  return typeof value === "string" ? durationMs(value) : undefined;
}

/** As Go prints it: `1m30s`, `1.5s`, `0s`. */
export function durationText(ms: number): string {
  if (ms === 0) return "0s";
  if (ms < 1_000) return `${trimmed(ms)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor(ms / 60_000) % 60;
  const seconds = `${trimmed((ms % 60_000) / 1_000)}s`;
  if (hours > 0) return `${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${minutes}m${seconds}` : seconds;
}

function trimmed(value: number): string {
  return String(Math.round(value * 1e6) / 1e6);
}
