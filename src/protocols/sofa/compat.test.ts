// docs/reference/sofaregistry-compat.md says what of SOFARegistry is served. What it claims is in the code, and what is
// in the code stands there.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import type { HttpRoute } from "../../base/http.ts";
import { asked } from "../../base/testing/asked.ts";
import { anyRuleSwitch, checkSwitch, SWITCH_NAMES } from "./http/checkSwitch.ts";
import { ABSENT_ROUTES } from "./http/otherCenterRoutes.ts";
import { isValueSwitch } from "./http/valueSwitches.ts";
import { sofaRoutesOf } from "./testing/routes.ts";

type Role = "session" | "data" | "meta";

const ROOT = new URL("../../../", import.meta.url);
const PAGE = readFileSync(new URL("docs/reference/sofaregistry-compat.md", ROOT), "utf8");
const RECORDED = readFileSync(new URL("http/testing/sofaregistry.jsonl", import.meta.url), "utf8");
/** At the HTTP port of every role, with the metrics of the process. */
const COMMON_PATH = "/metrics";

/** The cells of the rows of a section's table. */
function rowsOf(section: string): string[][] {
  const from = PAGE.indexOf(`\n## ${section}\n`);
  assert.ok(from >= 0, `a section ${section}`);
  const end = PAGE.indexOf("\n## ", from + 1);
  const lines = PAGE.slice(from, end < 0 ? undefined : end).split("\n");
  const rows = lines.filter((line) => line.startsWith("| ")).slice(1);
  return rows.map((line) => line.slice(2, -2).split(" | "));
}

const plain = (cell = "") => cell.replaceAll("`", "");

interface Endpoint {
  readonly roles: readonly Role[];
  readonly method: string;
  /** With `:name` for a parameter, as in a route. */
  readonly path: string;
  readonly isServed: boolean;
  readonly proof: string;
}

const ENDPOINTS = rowsOf("HTTP endpoints").map(([roles = "", method = "", path, served, proof = ""]): Endpoint => {
  return {
    roles: roles.split(", ") as Role[],
    method,
    path: plain(path).replace(/\{(\w+)\}/g, ":$1"),
    isServed: served === "yes",
    proof,
  };
});

/** A path that refuses everything is not served. */
const isAbsent = (method: string, path: string) =>
  ABSENT_ROUTES.some((route) => route.method === method && route.path === path);
const hasRoute = (role: Role, method: string, path: string) =>
  !isAbsent(method, path) &&
  (path === COMMON_PATH || sofaRoutesOf(role).some((route) => route.method === method && route.path === path));

/** The first file that a cell names. */
function assertProof(cell: string, what: string): void {
  const file = /`([^`]+\.test\.ts)`/.exec(cell)?.[1];
  assert.ok(file !== undefined, `${what} names a test`);
  assert.ok(existsSync(new URL(file, ROOT)), `${what}: ${file} is there`);
}

test("at least 95 of 100 endpoints are served, as the page says", () => {
  const served = ENDPOINTS.filter(({ isServed }) => isServed).length;
  assert.ok(served >= 0.95 * ENDPOINTS.length, `${served} of ${ENDPOINTS.length}`);
  assert.ok(PAGE.includes(`${served} of the ${ENDPOINTS.length} endpoints are served`), `says ${served}`);
});

test("there is a row for each of SOFARegistry's 140 endpoints, and none twice", () => {
  assert.equal(ENDPOINTS.length, 140);
  assert.equal(new Set(ENDPOINTS.map(({ roles, method, path }) => `${roles} ${method} ${path}`)).size, 140);
});

test("an endpoint is said to be served exactly if each of its roles has the route, and then names its test", () => {
  for (const { roles, method, path, isServed, proof } of ENDPOINTS) {
    const what = `${roles} ${method} ${path}`;
    assert.equal(
      roles.every((role) => hasRoute(role, method, path)),
      isServed,
      what,
    );
    if (isServed) assertProof(proof, what);
    else assert.ok(proof.length > 10, `${what} has a reason`);
  }
});

test("every route at SOFARegistry's paths has its row", () => {
  const isNamed = (role: Role, { method, path }: HttpRoute) =>
    ENDPOINTS.some((one) => one.roles.includes(role) && one.method === method && one.path === path);
  for (const role of ["session", "data", "meta"] as const) {
    for (const route of sofaRoutesOf(role)) assert.ok(isNamed(role, route), `${role} ${route.method} ${route.path}`);
  }
});

test("what Roster does not have by its design is refused in SOFARegistry's form, with the reason", async () => {
  for (const { method, path } of ABSENT_ROUTES) {
    const row = ENDPOINTS.find((one) => one.method === method && one.path === path);
    assert.equal(row?.isServed, false, path);
    const { status, json } = await asked(ABSENT_ROUTES, `${method} ${path}`, { body: { remoteDataCenter: "other" } });
    const { success, message, ...rest } = json as { readonly success: boolean; readonly message: string };
    assert.deepEqual([status, success, rest], [200, false, {}], path);
    assert.match(message, /^not done: /);
  }
});

test("every recorded answer is of an endpoint with a row", () => {
  const matches = (pattern: string, path: string) => {
    const [wanted, given] = [pattern.split("/"), path.split("/")];
    return wanted.length === given.length && wanted.every((part, at) => part.startsWith(":") || part === given[at]);
  };
  for (const line of RECORDED.trimEnd().split("\n")) {
    const { role, method, path, status } = JSON.parse(line) as {
      role: Role;
      method: string;
      path: string;
      status: number;
    };
    if (status === 404) continue;
    const [name = ""] = path.split("?");
    const row = ENDPOINTS.find((one) => one.roles.includes(role) && one.method === method && matches(one.path, name));
    assert.ok(row !== undefined, `${role} ${method} ${name}`);
  }
});

for (const [section, rows] of [
  ["Bolt requests", 48],
  ["Timers", 22],
] as const) {
  test(`${section}: each has the test that proves it, or a reason`, () => {
    const all = rowsOf(section);
    assert.equal(all.length, rows);
    for (const [first, second, third, proof = ""] of all) {
      const what = `${first} ${second}`;
      if (third === "yes") assertProof(proof, what);
      else assert.ok(third === "no" && proof.length > 10, what);
    }
  });
}

test("the switches that are not served are those that are refused by their names", () => {
  const rows = rowsOf("Switches");
  const named = (isServed: string) => rows.filter(([, served]) => served === isServed).map(([name]) => plain(name));
  assert.equal(rows.length, 23);
  assert.deepEqual(named("no"), SWITCH_NAMES);
  for (const dataId of named("no")) {
    const refused = () => checkSwitch({ dataId, instanceId: "9600", group: "CONFIG" }, "true");
    assert.throws(refused, /SWITCH_NOT_SERVED/);
  }
  for (const [name, served, proof = ""] of rows) {
    if (served !== "yes") continue;
    assert.ok(isValueSwitch(plain(name)) || anyRuleSwitch(plain(name)) !== undefined, name);
    assertProof(proof, name ?? "");
  }
});
