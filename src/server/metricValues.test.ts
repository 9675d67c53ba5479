import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricTable } from "../base/metrics.ts";
import { MetricValues } from "./metricValues.ts";
import { onlyGrowing, remainderOf, sumOf } from "./workersPage.ts";

const TABLE = {
  seen_total: { type: "counter", help: "Seen.", labels: ["by"] },
  depth: { type: "gauge", help: "Depth.", labels: [] },
  oldest: { type: "gauge", help: "Oldest.", labels: [], ofWorkers: "max" },
  start: { type: "gauge", help: "Start.", labels: [], ofWorkers: "min" },
  wait_seconds: { type: "histogram", help: "Wait.", labels: [], buckets: [0.5, 1] },
} as const satisfies MetricTable;

const newValues = () => new MetricValues([TABLE]);
const seriesOf = (values: ReturnType<MetricValues["snapshot"]>, name: string) =>
  values.find((metric) => metric.name === name)?.series.map(({ labels, values: all }) => [labels, all]);

test("a counter under fixed labels is the same one each time", () => {
  const values = newValues();
  const ports = [values.value("seen_total", { by: "a" }), values.value("seen_total", { by: "a" })];
  for (const port of ports) port.add(2);
  values.value("seen_total", { by: "b" }).add(1);
  assert.deepEqual(seriesOf(values.snapshot(), "seen_total"), [
    [{ by: "a" }, [4]],
    [{ by: "b" }, [1]],
  ]);
});

test("a histogram puts a value into the first bucket that has room for it, and sums up", () => {
  const values = newValues();
  for (const value of [0.5, 0.6, 1, 1.5, 0]) values.distribution("wait_seconds").observe(value);
  assert.deepEqual(seriesOf(values.snapshot(), "wait_seconds"), [[{}, [2, 2, 1, 3.6]]]);
});

test("a histogram or counter without labels is there, as 0, before its first report; a gauge is not", () => {
  const snapshot = newValues().snapshot();
  assert.deepEqual(seriesOf(snapshot, "wait_seconds"), [[{}, [0, 0, 0, 0]]]);
  assert.deepEqual([seriesOf(snapshot, "depth"), seriesOf(snapshot, "seen_total")], [[], []]);
});

test("labels without end are counted together beyond the bound", () => {
  const values = newValues();
  for (let by = 0; by < 1_000; by++) values.value("seen_total", { by: String(by) }).add(1);
  const series = seriesOf(values.snapshot(), "seen_total") ?? [];
  assert.equal(series.length, 501);
  assert.deepEqual(series.at(-1), [{ by: "other" }, [500]]);
});

test("the values of workers are summed up, or the largest or smallest counts", () => {
  const snapshots = [1, 2, 3].map((number) => {
    const values = newValues();
    values.value("seen_total", { by: number === 1 ? "a" : "b" }).add(number);
    for (const name of ["depth", "oldest", "start"]) values.value(name).set(number);
    values.distribution("wait_seconds").observe(number / 4);
    return values.snapshot();
  });
  const all = sumOf(snapshots);
  assert.deepEqual(seriesOf(all, "seen_total"), [
    [{ by: "a" }, [1]],
    [{ by: "b" }, [5]],
  ]);
  const single = (name: string) => seriesOf(all, name)?.[0]?.[1];
  assert.deepEqual([single("depth"), single("oldest"), single("start")], [[6], [3], [1]]);
  assert.deepEqual(single("wait_seconds"), [2, 1, 0, 1.5]);
});

test("an ended process leaves its counters and histograms, and no gauge", () => {
  const values = newValues();
  values.value("seen_total", { by: "a" }).add(3);
  values.value("depth").set(9);
  const remainder = remainderOf(remainderOf([], values.snapshot()), values.snapshot());
  assert.deepEqual(
    remainder.map(({ name }) => name),
    ["seen_total", "wait_seconds"],
  );
  assert.deepEqual(seriesOf(remainder, "seen_total"), [[{ by: "a" }, [6]]]);
  assert.deepEqual(onlyGrowing(values.snapshot()).length, 2);
});
