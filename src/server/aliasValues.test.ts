import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricAliases } from "../base/metricAlias.ts";
import { aliasValues } from "./aliasValues.ts";
import type { ProcessValues } from "./metricValues.ts";

const series = (value: number, labels: Record<string, string> = {}) => ({ labels, values: [value] });
const VALUES: ProcessValues = [
  { name: "depth", type: "gauge", help: "Depth.", series: [series(3), series(4)] },
  {
    name: "seen_total",
    type: "counter",
    help: "Seen.",
    series: [
      series(1, { type: "a", outcome: "ok" }),
      series(10, { type: "a", outcome: "FULL" }),
      series(100, { type: "b", outcome: "ok" }),
      series(1_000, { type: "a", outcome: "LATE" }),
    ],
  },
];

const shown = (aliases: MetricAliases) => aliasValues(aliases, VALUES);

test("an alias sums up all values of its metric, or those with and without certain labels", () => {
  const of = "seen_total";
  const [alias] = shown({
    other_seen_total: {
      type: "counter",
      help: "Other.",
      series: [
        { of },
        { labels: { type: "Y" }, of, where: { type: ["a"], outcome: ["ok"] } },
        { labels: { type: "N" }, of, where: { type: ["a"] }, except: { outcome: ["ok"] } },
        { of, where: { type: ["a", "b"], outcome: ["ok", "LATE"] } },
        { of, except: { outcome: ["ok"], type: ["b"] } },
      ],
    },
  });
  assert.deepEqual([alias?.name, alias?.type, alias?.help], ["other_seen_total", "counter", "Other."]);
  assert.deepEqual(
    alias?.series.map(({ values }) => values),
    [[1_111], [1], [1_010], [1_101], [1_010]],
  );
  assert.deepEqual(alias?.series[1]?.labels, { type: "Y" });
});

test("an alias of a metric without values, or without the label, is 0", () => {
  const [missing, unlabelled] = shown({
    a: { type: "gauge", help: "A.", series: [{ of: "nothing" }] },
    b: { type: "gauge", help: "B.", series: [{ of: "depth", where: { state: ["x"] } }] },
  });
  assert.deepEqual([missing?.series[0]?.values, unlabelled?.series[0]?.values], [[0], [0]]);
});
