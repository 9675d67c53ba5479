import assert from "node:assert/strict";
import { test } from "node:test";
import { describeAllowed } from "../../base/parseSetting.ts";
import { environmentName, nearestName } from "./names.ts";
import { parseValue } from "./parseValue.ts";
import { CONFIG_KEYS, specOf } from "./table.ts";

for (const key of CONFIG_KEYS) {
  test(`${key} is described, and its default is allowed`, () => {
    const spec = specOf(key);
    assert.match(key, /^[a-z]+(-[a-z]+)*$/);
    assert.match(spec.about, /^[A-Z0-9].*\.$/);
    assert.match(spec.cost, /^[A-Z].*\.$/);
    assert.notEqual(describeAllowed(spec), "text", "says in words what it allows");
    assert.notEqual(parseValue(spec, spec.default), undefined);
  });
}

test("a duration is named by its unit", () => {
  for (const key of CONFIG_KEYS) assert.equal(key.endsWith("-ms"), specOf(key).type === "duration-ms", key);
});

test("no two keys share an environment variable", () => {
  assert.equal(new Set(CONFIG_KEYS.map(environmentName)).size, CONFIG_KEYS.length);
});

test("a typo finds its key, another word finds none", () => {
  assert.equal(nearestName("push-retries", CONFIG_KEYS), "push-retries-max");
  assert.equal(nearestName("boltport", CONFIG_KEYS), "bolt-port");
  assert.equal(nearestName("colour-scheme", CONFIG_KEYS), undefined);
});
