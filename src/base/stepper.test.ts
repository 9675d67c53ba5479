import assert from "node:assert/strict";
import { test } from "node:test";
import { type SteppedRole, Stepper } from "./stepper.ts";

type Event = { readonly kind: "woken" } | { readonly kind: "told" };

/** A role that wants to be woken every second, on timers that the test fires. */
function scene() {
  const happened: string[] = [];
  const failures: unknown[] = [];
  const timers: { atMs: number; run: (nowMs: number) => void; isCancelled: boolean }[] = [];
  const scene = { nowMs: 0, wakeMs: 1_000, isBroken: false, isLast: false };
  const role: SteppedRole<Event> = {
    step: ({ kind }, nowMs) => {
      if (scene.isBroken) throw new Error("broken");
      happened.push(`${kind} ${nowMs}`);
      if (kind === "woken") scene.wakeMs = nowMs + 1_000;
      if (scene.isLast) stepper.close();
    },
    nextWakeMs: () => scene.wakeMs,
    resumed: (lateMs, nowMs) => void happened.push(`resumed ${lateMs} ${nowMs}`),
  };
  const stepper = new Stepper<Event>(role, {
    clock: { nowMs: () => scene.nowMs },
    timers: {
      after: (delayMs, run) => {
        const timer = { atMs: scene.nowMs + delayMs, run, isCancelled: false };
        timers.push(timer);
        return () => {
          timer.isCancelled = true;
        };
      },
    },
    failed: (error) => void failures.push(error),
  });
  const pass = (nowMs: number) => {
    scene.nowMs = nowMs;
    for (const timer of timers.splice(0)) if (!timer.isCancelled) timer.run(nowMs);
  };
  return { scene, stepper, timers, pass, failures, took: () => happened.splice(0) };
}

test("a role is woken at the time that it asked for", () => {
  const { stepper, timers, pass, took } = scene();
  stepper.step({ kind: "told" });
  assert.deepEqual(
    timers.map(({ atMs }) => atMs),
    [1_000],
  );
  pass(1_000);
  assert.deepEqual(took(), ["told 0", "woken 1000"]);
});

test("a role whose process stood still is told so before its next step, whatever that step is", () => {
  const { scene: at, stepper, took } = scene();
  stepper.step({ kind: "told" });
  took();
  at.nowMs = 1_101;
  stepper.step({ kind: "told" });
  assert.deepEqual(took(), ["resumed 101 1101", "told 1101"]);
});

test("a delay of a tenth of a second is none, and a role that was never stepped has not stood still", () => {
  const { scene: at, stepper, took } = scene();
  at.nowMs = 90_000;
  stepper.step({ kind: "woken" });
  at.nowMs = 91_100;
  stepper.step({ kind: "woken" });
  assert.deepEqual(took(), ["woken 90000", "woken 91100"]);
});

test("a role that asks to be woken earlier is; a later time does not move the timer", () => {
  const { scene: at, stepper, timers } = scene();
  stepper.step({ kind: "told" });
  at.wakeMs = 400;
  stepper.step({ kind: "told" });
  at.wakeMs = 5_000;
  stepper.step({ kind: "told" });
  assert.deepEqual(
    timers.map(({ atMs, isCancelled }) => [atMs, isCancelled]),
    [
      [1_000, true],
      [400, false],
    ],
  );
});

test("a role that is closed in its own step leaves no timer behind", () => {
  const { scene: at, stepper, timers } = scene();
  at.isLast = true;
  stepper.step({ kind: "told" });
  assert.deepEqual(timers, []);
});

test("a broken role is reported once and never stepped again", () => {
  const { scene: at, stepper, pass, failures, took } = scene();
  stepper.step({ kind: "told" });
  at.isBroken = true;
  stepper.step({ kind: "told" });
  at.isBroken = false;
  stepper.step({ kind: "told" });
  pass(1_000);
  assert.deepEqual([took(), failures.length], [["told 0"], 1]);
});
