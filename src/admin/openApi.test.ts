import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { openApi } from "./openApi.ts";
import { OPERATIONS } from "./operations.ts";

const DOCUMENT = openApi(OPERATIONS);
const COMMITTED = join(import.meta.dirname, "../../docs/reference/openapi.json");

test("the document is valid OpenAPI 3.1, by a validator that is not ours", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(DOCUMENT) as Record<string, unknown>);
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
});

test("the document is the committed one; npm run docs writes it", () => {
  assert.deepEqual(JSON.parse(readFileSync(COMMITTED, "utf8")), DOCUMENT);
});

test("each operation stands once, and no question changes anything", () => {
  const names = OPERATIONS.map(({ name }) => name);
  const routes = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(routes).size, routes.length);
  for (const { name, method, isChange, permission, canBePreviewed } of OPERATIONS) {
    assert.match(name, /^[a-z]+\.[a-z]+$/);
    assert.equal(method !== "GET", isChange, `${name}: a change is no GET, and a question is one`);
    assert.ok(!isChange || permission !== "read", `${name}: a change needs more than the right to read`);
    assert.ok(isChange || !["operate", "configure"].includes(permission), `${name}: a question changes nothing`);
    assert.ok(!canBePreviewed || isChange, `${name}: only a change can be previewed`);
  }
});

test("each operation that all nodes answer makes one answer of theirs, and no other does", () => {
  for (const { name, answeredBy, gather } of OPERATIONS) {
    assert.equal(gather !== undefined, answeredBy.kind === "each", name);
  }
});

test("a parameter that names the answering node is one of the operation's", () => {
  for (const { name, answeredBy, parameters } of OPERATIONS) {
    if ("parameter" in answeredBy) assert.ok(Object.hasOwn(parameters, answeredBy.parameter), name);
  }
});
