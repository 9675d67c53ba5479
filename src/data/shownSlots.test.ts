import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_DATUM_VERSION } from "../model/datum.ts";
import { brandServiceKey, nodeId } from "../model/ids.ts";
import type { Datum } from "./datum.ts";
import type { LedSlot } from "./ledSlot.ts";
import { ShownSlots } from "./shownSlots.ts";
import { given, leads, slotsAfter } from "./testing/parts.ts";

/** Led slots with this many services each, and the ones shown. */
function scene(...services: readonly number[]) {
  const slots = slotsAfter(services.map(() => leads));
  const led: LedSlot[] = [...slots.led()];
  for (const [at, slot] of led.entries()) {
    for (let service = 0; service < (services[at] ?? 0); service++) {
      slot.contents.add(brandServiceKey(`${at}-${service}#@#I#@#G`), given(1n));
    }
  }
  const shown: string[] = [];
  const waits = (datum: Datum | undefined, sessions: number) => {
    for (let at = 0; at < sessions; at++) datum?.interest.wait(nodeId(`s.${at}`), NO_DATUM_VERSION);
  };
  const of = new ShownSlots();
  const work = () => {
    for (const { serviceKey } of of.next()) shown.push(serviceKey.split("#")[0] ?? "");
  };
  return {
    of,
    work,
    led,
    shown,
    waits,
    datum: (slot: number, at = 0) => [...(led[slot]?.contents.datums.values() ?? [])][at],
  };
}

test("the services of a slot are shown at once, and then nothing is left to do", () => {
  const { of, work, led, shown } = scene(2);
  const [slot] = led;
  assert.ok(slot !== undefined);
  of.add(slot);
  work();
  assert.deepEqual([shown, of.nextMs()], [["0-0", "0-1"], Number.POSITIVE_INFINITY]);
  work();
  assert.equal(shown.length, 2);
});

test("what a step has no room for comes with the next ones, slot after slot, and each service once", () => {
  const { of, work, led, shown, waits, datum } = scene(2, 1, 1);
  waits(datum(0), 500);
  waits(datum(1), 500);
  for (const slot of led) of.add(slot);
  work();
  assert.deepEqual([shown, of.nextMs()], [["0-0"], Number.NEGATIVE_INFINITY]);
  work();
  assert.deepEqual([shown, of.nextMs()], [["0-0", "0-1", "1-0"], Number.NEGATIVE_INFINITY]);
  work();
  assert.deepEqual([shown.slice(3), of.nextMs()], [["2-0"], Number.POSITIVE_INFINITY]);
});

test("a service costs one, and each session that waits for it a hundred, of fifty thousand", () => {
  const { of, work, led, shown, waits, datum } = scene(101);
  waits(datum(0), 499);
  const [slot] = led;
  assert.ok(slot !== undefined);
  of.add(slot);
  work();
  assert.equal(shown.length, 100);
});
