import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log, LogFields } from "../base/ports.ts";
import { LOG_WINDOW_MS, limitedLog } from "./limitedLog.ts";

/** A limited log whose clock and timers the test moves, and the lines that come out of it. */
function logOf() {
  const lines: { level: string; event: string; fields: LogFields | undefined }[] = [];
  const line = (level: string) => (event: string, fields?: LogFields) => void lines.push({ level, event, fields });
  const all: Log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  let nowMs = 1_000;
  const timers = new Set<{ dueMs: number; run: (nowMs: number) => void }>();
  const log = limitedLog(all, {
    clock: { nowMs: () => nowMs },
    timers: {
      after(delayMs, run) {
        const timer = { dueMs: nowMs + delayMs, run };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    },
  });
  const pass = (ms: number) => {
    nowMs += ms;
    for (const timer of [...timers].filter(({ dueMs }) => dueMs <= nowMs)) {
      timers.delete(timer);
      timer.run(nowMs);
    }
  };
  return { log, lines, pass, timers };
}

test("of 6,700 lines a second of one address twenty are written, and one that counts the others", () => {
  const { log, lines, pass } = logOf();
  for (let port = 0; port < 6_700; port++) {
    log.warn("a connection was closed", { client: `10.0.0.9:${port}_10.0.0.1:9600`, reason: "garbage" });
  }
  assert.equal(lines.length, 20);
  pass(LOG_WINDOW_MS);
  assert.equal(lines.length, 21);
  assert.equal(lines[20]?.level, "warn");
  assert.equal(lines[20]?.fields?.["alike"], 6_680);
});

test("one address that is loud leaves room for the lines of others", () => {
  const { log, lines } = logOf();
  for (let port = 0; port < 1_000; port++) log.warn("a connection was closed", { address: `[fd00::1]:${port}` });
  log.warn("a connection was closed", { address: "10.0.0.2:1" });
  assert.deepEqual(lines.at(-1)?.fields, { address: "10.0.0.2:1" });
});

test("all addresses together cause 200 lines, and no memory for each address", () => {
  const { log, lines } = logOf();
  for (let host = 0; host < 10_000; host++) log.warn("a connection was closed", { address: `10.1.${host}.1:1` });
  assert.equal(lines.length, 200);
});

test("lines of other kinds, and those that come later, are written", () => {
  const { log, lines, pass, timers } = logOf();
  for (let port = 0; port < 100; port++) log.warn("a connection was closed", { address: `10.0.0.9:${port}` });
  log.error("a role has failed; the process is stopping", { reason: "bug" });
  assert.equal(lines.length, 21);
  pass(LOG_WINDOW_MS);
  log.warn("a connection was closed", { address: "10.0.0.9:7" });
  assert.equal(lines.length, 23);
  assert.equal(timers.size, 0);
});

test("what was counted is said at the end", () => {
  const { log, lines, timers } = logOf();
  for (let port = 0; port < 30; port++) log.info("a link was accepted", { address: `10.0.0.9:${port}` });
  log.flush();
  assert.equal(lines.at(-1)?.fields?.["alike"], 10);
  assert.equal(timers.size, 0);
});
