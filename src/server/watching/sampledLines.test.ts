import assert from "node:assert/strict";
import { test } from "node:test";
import type { LogFields } from "../../base/ports.ts";
import { SAMPLED_BURST_BYTES, SAMPLED_BYTES_PER_SECOND, SampledLines } from "./sampledLines.ts";

/** Sampled lines under a clock that the test moves, and what comes out of them. */
function scene() {
  const written: LogFields[] = [];
  let bytes = 0;
  let nowMs = 0;
  const log = {
    debug: (event: string, fields: LogFields = {}) => {
      written.push(fields);
      bytes += JSON.stringify({ time: "2026-11-29T18:00:00.000Z", level: "debug", ...fields, msg: event }).length;
    },
  };
  const lines = new SampledLines(log, { nowMs: () => nowMs });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { lines, written, bytes: () => bytes, pass };
}

const FIELDS = {
  client: "10.0.0.9:4711_10.0.0.1:9600",
  service: "com.example.Orders#@#I#@#G",
  registId: "r".repeat(36),
};

test("lines in quiet times are all written, as they are", () => {
  const { lines, written, pass } = scene();
  for (let at = 0; at < 1_000; at++) {
    lines.write("a publisher is registered", () => FIELDS);
    pass(1_000);
  }
  assert.equal(written.length, 1_000);
  assert.deepEqual(written.at(-1), FIELDS);
});

test("in a storm of a day lines are samples, each with the number left out before, within the bytes of a day", () => {
  const { lines, written, bytes, pass } = scene();
  const seconds = 86_400;
  const perSecond = 20;
  for (let at = 0; at < seconds * perSecond; at++) {
    lines.write("a publisher is registered", () => FIELDS);
    pass(1_000 / perSecond);
  }
  assert.ok(bytes() <= SAMPLED_BURST_BYTES + seconds * SAMPLED_BYTES_PER_SECOND, `${bytes()} bytes`);
  assert.ok(written.length > (0.5 * seconds * SAMPLED_BYTES_PER_SECOND) / 320);
  const leftOut = written.reduce((sum, fields) => sum + Number(fields["leftOut"] ?? 0), 0);
  assert.ok(Math.abs(leftOut + written.length - seconds * perSecond) < perSecond);
  // Samples come all the time.
  assert.ok(Number(written.at(-1)?.["leftOut"]) < perSecond);
});

test("the fields of a line that is left out are not made", () => {
  const { lines } = scene();
  let made = 0;
  for (let at = 0; at < 100_000; at++) {
    lines.write("a list is pushed", () => {
      made++;
      return FIELDS;
    });
  }
  assert.ok(made < SAMPLED_BURST_BYTES / 200);
});

test("texts that become longer when they are made visible are paid for as they are written", () => {
  const { lines, written } = scene();
  for (let at = 0; at < 1_000; at++) lines.write("a list is pushed", () => ({ service: "\u0001".repeat(1_000) }));
  assert.ok(written.length <= SAMPLED_BURST_BYTES / 6_000 + 1);
});
