import assert from "node:assert/strict";
import { test } from "node:test";
import type { MetricTable } from "../base/metrics.ts";
import { formatFor, metricsText } from "./metricsText.ts";
import { MetricValues } from "./metricValues.ts";

const TABLE = {
  seen_total: { type: "counter", help: 'Seen, with a "quote" and a \\ in it.', labels: ["by"] },
  depth_bytes: { type: "gauge", help: "Depth.", labels: [] },
  wait_seconds: { type: "histogram", help: "Wait.", labels: ["hop"], buckets: [0.5, 1] },
} as const satisfies MetricTable;

function values() {
  const all = new MetricValues([TABLE]);
  all.value("seen_total", { by: 'a\\b"c\nd' }).add(2);
  all.value("depth_bytes").set(Number.POSITIVE_INFINITY);
  const wait = all.distribution("wait_seconds", { hop: "sent" });
  for (const value of [0, 0.5, 0.75, 1, 7]) wait.observe(value);
  return all.snapshot();
}

test("Prometheus's own format", () => {
  const lines = metricsText(values(), "prometheus").split("\n");
  assert.deepEqual(lines, [
    '# HELP seen_total Seen, with a "quote" and a \\\\ in it.',
    "# TYPE seen_total counter",
    'seen_total{by="a\\\\b\\"c\\nd"} 2',
    "# HELP depth_bytes Depth.",
    "# TYPE depth_bytes gauge",
    "depth_bytes +Inf",
    "# HELP wait_seconds Wait.",
    "# TYPE wait_seconds histogram",
    'wait_seconds_bucket{hop="sent",le="0.5"} 2',
    'wait_seconds_bucket{hop="sent",le="1"} 4',
    'wait_seconds_bucket{hop="sent",le="+Inf"} 5',
    'wait_seconds_sum{hop="sent"} 9.25',
    'wait_seconds_count{hop="sent"} 5',
    "",
  ]);
});

test("OpenMetrics names a counter without its ending, gives units, writes bounds with a point, and ends", () => {
  const lines = metricsText(values(), "openmetrics").split("\n");
  assert.deepEqual(lines.slice(0, 3), [
    '# HELP seen Seen, with a \\"quote\\" and a \\\\ in it.',
    "# TYPE seen counter",
    'seen_total{by="a\\\\b\\"c\\nd"} 2',
  ]);
  assert.ok(lines.includes("# UNIT depth_bytes bytes"));
  assert.ok(lines.includes("# UNIT wait_seconds seconds"));
  assert.ok(lines.includes('wait_seconds_bucket{hop="sent",le="1.0"} 4'));
  assert.deepEqual(lines.slice(-2), ["# EOF", ""]);
});

test("the format is OpenMetrics for scrapers that name it, and do not refuse it", () => {
  for (const [accept, format] of [
    ["", "prometheus"],
    ["*/*", "prometheus"],
    ["text/html,application/xhtml+xml", "prometheus"],
    ["application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "openmetrics"],
    ["text/plain, application/openmetrics-text; q=0.3", "openmetrics"],
    ["application/openmetrics-text;q=0,text/plain", "prometheus"],
    ["application/openmetrics-text;q=0.0", "prometheus"],
  ] as const) {
    assert.equal(formatFor(accept), format, accept);
  }
});
