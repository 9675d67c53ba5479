// When questions that wait are answered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import { type HttpExchange, textResponse } from "../../base/http.ts";
import { Blocking } from "./blocking.ts";

const TOPIC = "topic";

/** Questions by their names, with a clock that stands until it is moved. */
class Waits {
  readonly answered: [name: string, atMs: number][] = [];
  readonly #alarms = new Map<object, { readonly atMs: number; readonly run: (nowMs: number) => void }>();
  #nowMs = 1_000;
  readonly blocking = new Blocking({
    budget: unlimitedBudget(),
    later: (run) => void this.#alarms.set({}, { atMs: this.#nowMs, run }),
    timers: {
      after: (delayMs, run) => {
        const alarm = {};
        this.#alarms.set(alarm, { atMs: this.#nowMs + delayMs, run });
        return () => void this.#alarms.delete(alarm);
      },
    },
  });

  constructor() {
    this.blocking.topics.bump(TOPIC, 5n);
  }

  get alarms(): number {
    return this.#alarms.size;
  }

  /** Asks, and returns what the loss of the connection calls. */
  ask(name: string, wait: string): () => void {
    const gone: (() => void)[] = [];
    const exchange = {
      query: { index: "5", wait },
      respond: () => void this.answered.push([name, this.#nowMs]),
      onGone: (run: () => void) => void gone.push(run),
    };
    const question = { topics: [TOPIC], shareKey: "", answer: () => textResponse("", 200) };
    this.blocking.ask({ ...exchange, remoteAddress: "10.0.0.1" } as unknown as HttpExchange, question, this.#nowMs);
    return () => {
      for (const run of gone) run();
    };
  }

  moveTo(atMs: number): void {
    for (let next = this.#soonest(); next !== undefined && next[1].atMs <= atMs; next = this.#soonest()) {
      this.#alarms.delete(next[0]);
      this.#nowMs = next[1].atMs;
      next[1].run(this.#nowMs);
    }
    this.#nowMs = atMs;
  }

  #soonest() {
    return [...this.#alarms].sort(([, one], [, other]) => one.atMs - other.atMs)[0];
  }
}

test("each wait ends when it is over, in whatever order they began", () => {
  const waits = new Waits();
  waits.ask("long", "300ms");
  waits.ask("short", "1ms");
  waits.ask("middle", "20ms");
  waits.moveTo(1_500);
  assert.deepEqual(waits.answered, [
    ["short", 1_001],
    ["middle", 1_020],
    ["long", 1_300],
  ]);
  assert.equal(waits.alarms, 0);
});

test("a wait that a change ends is answered once", () => {
  const waits = new Waits();
  waits.ask("one", "20ms");
  waits.blocking.topics.bump(TOPIC, 6n);
  waits.moveTo(1_500);
  assert.deepEqual(waits.answered, [["one", 1_000]]);
});

test("nothing is left of a wait whose client has gone", () => {
  const waits = new Waits();
  const gone = waits.ask("one", "20ms");
  assert.equal(waits.alarms, 1);
  gone();
  assert.deepEqual([waits.alarms, waits.blocking.waiting], [0, 0]);
});
