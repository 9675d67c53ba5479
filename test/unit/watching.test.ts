// The dashboard, the alerts and their pages speak of metrics that exist.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { AliasSeries, MetricAliases } from "../../src/base/metricAlias.ts";
import { METRICS, type MetricSpec } from "../../src/base/metrics.ts";
import { GATEWAYS } from "../../src/server/gateways.ts";
import { alertRules, dashboardQueries, metricsIn, RULES_TEST_FILE, type UsedMetric } from "../watching/deployed.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGES = ["alerts.md", "operate.md", "cluster.md"] as const;

const tables = [METRICS, ...GATEWAYS.map(({ metrics }) => metrics)];
const specs = new Map<string, MetricSpec>(tables.flatMap((table) => Object.entries(table)));
// Given to each series by Prometheus.
const SCRAPED_LABELS = ["job", "instance"];

/** The fault of a metric in a query; undefined if it exists and has these labels. */
function faultOf({ name, labels }: UsedMetric): string | undefined {
  const histogram = /^(.*)_(bucket|sum|count)$/.exec(name)?.[1];
  const of = histogram === undefined ? undefined : specs.get(histogram);
  const spec = of?.type === "histogram" ? of : specs.get(name);
  if (spec === undefined) return `there is no metric ${name}`;
  if (spec.type === "histogram" && spec !== of) return `${name} is a histogram: _bucket, _sum or _count of it`;
  const known = [...spec.labels, ...SCRAPED_LABELS, "le"];
  const unknown = labels.find((label) => !known.includes(label));
  return unknown === undefined ? undefined : `${name} has no label ${unknown}`;
}

test("each metric in the dashboard exists, with its labels", () => {
  const queries = dashboardQueries();
  assert.ok(queries.length > 30);
  for (const { title, query } of queries) {
    const used = metricsIn(query);
    assert.ok(used.length > 0 || query.startsWith("sum(up{"), title);
    for (const metric of used) assert.equal(faultOf(metric), undefined, title);
  }
});

test("each metric in an alert exists, with its labels", () => {
  for (const { name, query } of alertRules()) {
    const used = metricsIn(query);
    assert.ok(used.length > 0 || name === "RosterDown", name);
    for (const metric of used) assert.equal(faultOf(metric), undefined, name);
  }
});

test("a query with a metric or label that does not exist is found", () => {
  const faults = (query: string) => metricsIn(query).map(faultOf);
  assert.deepEqual(faults('sum(roster_nothing_total{job="roster"})'), ["there is no metric roster_nothing_total"]);
  assert.deepEqual(faults('roster_slots{phase="serving"}'), ["roster_slots has no label phase"]);
  assert.match(faults("roster_push_hop_seconds")[0] ?? "", /is a histogram/);
  assert.deepEqual(faults('rate(roster_push_hop_seconds_bucket{hop="sent",le="0.1"}[5m])'), [undefined]);
});

test("each alert has a severity, a summary, a part of the page, and tests that fire it and that do not", () => {
  const page = readFileSync(join(ROOT, "docs/guide/alerts.md"), "utf8");
  const tests = readFileSync(RULES_TEST_FILE, "utf8").split(/^ {2}- name: /m);
  const rules = alertRules();
  assert.ok(rules.length > 20);
  for (const { name, text } of rules) {
    assert.match(text, /severity: (critical|warning|info)$/m, name);
    assert.match(text, /summary: \S/, name);
    assert.ok(text.includes(`runbook: docs/guide/alerts.md#${name.toLowerCase()}\n`), name);
    assert.match(page, new RegExp(`^### ${name}\n\n\\S`, "m"), name);
    const own = tests.filter((one) => one.includes(`alertname: ${name}\n`));
    assert.ok(
      own.some((one) => one.includes("exp_labels")),
      `no values fire ${name}`,
    );
    assert.ok(
      own.some((one) => one.includes("exp_alerts: []")),
      `no values leave ${name} quiet`,
    );
  }
  const described = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  assert.deepEqual(described.sort(), rules.map(({ name }) => name).sort());
});

test("each metric that a guide names exists", () => {
  for (const name of PAGES) {
    const page = readFileSync(join(ROOT, "docs/guide", name), "utf8");
    for (const [, metric = "", selectors = ""] of page.matchAll(/`((?:roster|process|nodejs)_[a-z_]+)(\{[^`]*\})?`/g)) {
      const [used] = metricsIn(`${metric}${selectors}`);
      assert.ok(used !== undefined);
      const spec = specs.get(metric);
      assert.equal(spec?.type === "histogram" ? undefined : faultOf(used), undefined, name);
    }
  }
});

test("the table keeps to Prometheus's conventions", () => {
  for (const [name, { type, help, labels, buckets }] of specs) {
    assert.match(name, /^[a-z][a-z0-9_]*$/);
    assert.equal(
      name.endsWith("_total"),
      type === "counter",
      `${name}: _total is the end of counters, and of no other`,
    );
    assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|kib|mb|percent|bucket|count|sum|info_total)$/, name);
    assert.match(help, /^[A-Z1].*[.:]?$/, name);
    assert.ok(labels.length <= 2, name);
    assert.equal(buckets !== undefined, type === "histogram", name);
    for (const label of labels)
      assert.doesNotMatch(label, /^(le|job|instance|service|client|address|dataInfoId)$/, name);
  }
});

test("aliases are made of metrics and labels that exist, under names that no metric has", () => {
  for (const gateway of GATEWAYS) {
    const table: MetricAliases = "metricAliases" in gateway ? gateway.metricAliases.table : {};
    for (const [name, { type, series }] of Object.entries(table)) {
      assert.equal(specs.has(name), false, name);
      for (const one of series) {
        const spec = specs.get(one.of);
        assert.equal(spec?.type, type, `${name} of ${one.of}`);
        const { where = {}, except = {} }: AliasSeries = one;
        for (const label of Object.keys({ ...where, ...except })) {
          assert.ok(spec?.labels.includes(label), `${name}: ${label}`);
        }
      }
    }
  }
});
