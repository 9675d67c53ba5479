import assert from "node:assert/strict";
import { test } from "node:test";
import { ERRORS } from "../src/base/errors.ts";
import { METRICS } from "../src/base/metrics.ts";
import { CONFIG_KEYS } from "../src/server/config/table.ts";
import { referencePages } from "./docs.ts";

const pages = referencePages();

test("every key, error and metric has its place on a page", () => {
  for (const key of CONFIG_KEYS) assert.ok(pages.get("config.md")?.includes(`\n### ${key}\n`), key);
  for (const code of Object.keys(ERRORS)) assert.ok(pages.get("errors.md")?.includes(`| \`${code}\` |`), code);
  for (const name of Object.keys(METRICS)) assert.ok(pages.get("metrics.md")?.includes(`| \`${name}\` |`), name);
});

test("metrics keep to Prometheus's rules for names", () => {
  for (const [name, { type }] of Object.entries(METRICS)) {
    assert.match(name, /^(roster|process|nodejs)_[a-z_]+$/);
    assert.equal(name.endsWith("_total"), type === "counter", name);
    if (type === "histogram") assert.match(name, /_(seconds|bytes)$/);
  }
});
