import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "../base/ports.ts";
import { configWith } from "./config/load.ts";
import { RunningConfig } from "./runningConfig.ts";

test("the process has what operators set, is told of changes alone, and goes back to its own configuration", () => {
  const lines: string[] = [];
  const log = {
    info: (text: string, fields = {}) => lines.push(`${text} ${JSON.stringify(fields)}`),
  } as unknown as Log;
  const changes: number[] = [];
  const configured = configWith({ registrationsPerSecondMax: 500 });
  const running = new RunningConfig(configured, {
    log,
    changed: ({ registrationsPerSecondMax }) => changes.push(registrationsPerSecondMax),
  });
  const { config } = running;
  running.take({});
  running.take({ registrationsPerSecondMax: 10, pushEncodings: ["gzip"] });
  running.take({ registrationsPerSecondMax: 10, pushEncodings: ["gzip"] });
  assert.deepEqual({ ...config }, { ...configured, registrationsPerSecondMax: 10, pushEncodings: ["gzip"] });
  running.take({});
  assert.deepEqual({ ...config }, configured);
  assert.deepEqual(changes, [10, 500]);
  assert.equal(lines.length, 2);
  assert.match(lines[0] ?? "", /registrations-per-second-max=10 push-encodings=gzip/);
  assert.match(lines[1] ?? "", /as configured/);
});
