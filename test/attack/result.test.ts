import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attack } from "./attack.ts";
import { delaysOf, failuresOf, type Judged } from "./result.ts";

const MIB = 1024 * 1024;

const ATTACK: Attack = {
  letter: "x",
  name: "test",
  sends: "nothing",
  expected: "all well",
  full: 1,
  short: 1,
  strike: async () => undefined,
};

const WELL: Judged = {
  peakBytes: 200 * MIB,
  healthMsMax: 5,
  healthChecks: 10,
  waitedShare: 0.01,
  isStopped: false,
  memory: { beforeBytes: 100 * MIB, restBytes: [150 * MIB, 155 * MIB] },
  tally: { bytesSent: 1, connections: 1, closed: 0, pushes: 0, accepted: 1, refused: {}, notes: [], failures: [] },
  honest: { samples: 100, p50Ms: 3, p99Ms: 20, maxMs: 30, closed: 0, unlistedMs: [1_100], findings: [] },
  ownEnd: undefined,
  memoryBytesMax: 1024 * MIB,
  log: "",
};

const CASES: readonly (readonly [string, Partial<Judged>, RegExp])[] = [
  ["a server above its budget", { peakBytes: 1_025 * MIB }, /1025 MiB/],
  ["a server that was stopped for the machine's sake", { isStopped: true }, /stopped/],
  ["a server that ended", { ownEnd: "SIGABRT" }, /ended with SIGABRT/],
  ["slow pushes", { honest: { ...WELL.honest, p99Ms: 101 } }, /101 ms \(p99\)/],
  ["no push at all", { honest: { ...WELL.honest, samples: 0, p99Ms: 0 } }, /no push was measured/],
  ["an honest client that was closed", { honest: { ...WELL.honest, closed: 1 } }, /1 connections/],
  ["a wrong list", { honest: { ...WELL.honest, findings: ["ghost: x"] } }, /ghost: x/],
  ["a dead client that stays listed", { honest: { ...WELL.honest, unlistedMs: [1_000, 3_000] } }, /3000 ms/],
  ["a health check without an answer", { healthMsMax: Number.POSITIVE_INFINITY }, /health check took never/],
  [
    "memory that a second round adds to",
    { memory: { beforeBytes: 100 * MIB, restBytes: [300 * MIB, 400 * MIB] } },
    /second round/,
  ],
  ["what the attack itself found", { tally: { ...WELL.tally, failures: ["sent twice"] } }, /sent twice/],
];

test("an attack that does no harm passes", () => {
  assert.deepEqual(failuresOf(ATTACK, WELL), []);
});

for (const [what, changed, said] of CASES) {
  test(`${what}: the attack fails`, () => {
    const failures = failuresOf(ATTACK, { ...WELL, ...changed });
    assert.equal(failures.length, 1);
    assert.match(failures[0] ?? "", said);
  });
}

test("on a machine that is busy times count a fifth, and memory as ever", () => {
  const honest = { ...WELL.honest, p99Ms: 499, unlistedMs: [12_000] };
  assert.deepEqual(failuresOf(ATTACK, { ...WELL, honest, waitedShare: 0.2, healthMsMax: 4_000 }), []);
  const failures = failuresOf(ATTACK, { ...WELL, honest, waitedShare: 0.2, peakBytes: 1_025 * MIB });
  assert.equal(failures.length, 1);
});

test("what is only slow is told from what is wrong", () => {
  const slow = { ...WELL, healthMsMax: 1_001, honest: { ...WELL.honest, p99Ms: 101, unlistedMs: [2_501] } };
  assert.equal(delaysOf(slow).length, 3);
  assert.deepEqual(failuresOf(ATTACK, slow), delaysOf(slow));
  assert.deepEqual(delaysOf({ ...WELL, honest: { ...WELL.honest, closed: 1, findings: ["ghost: x"] } }), []);
});

test("a sign is looked for among refusals, notes and log lines, and missed if it is nowhere", () => {
  const attack = { ...ATTACK, signs: [/PAYLOAD_TOO_LARGE/] };
  assert.equal(failuresOf(attack, WELL).length, 1);
  assert.deepEqual(failuresOf(attack, { ...WELL, log: "x PAYLOAD_TOO_LARGE y" }), []);
  assert.deepEqual(failuresOf(attack, { ...WELL, tally: { ...WELL.tally, refused: { PAYLOAD_TOO_LARGE: 3 } } }), []);
});

test("of few pushes the slowest may take twice as long", () => {
  const few = (p99Ms: number) => delaysOf({ ...WELL, honest: { ...WELL.honest, samples: 57, p99Ms } });
  assert.deepEqual(few(200), []);
  assert.match(few(201).join(), /201 ms \(p99\), 200 ms are allowed/);
});
