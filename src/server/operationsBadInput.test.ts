// Every operation with every kind of bad input: each is refused with the name of what was wrong, in the form that the
// document promises, and nothing is changed by it.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Operation } from "../admin/operation.ts";
import { OPERATIONS } from "../admin/operations.ts";
import type { Parameter } from "../admin/parameter.ts";
import { API_PREFIX } from "../admin/routes.ts";
import { defined } from "../base/assert.ts";
import type { RunningServer } from "./start.ts";
import { assertInForm } from "./testing/answerSchemas.ts";
import { eventually } from "./testing/eventually.ts";
import { getStatus, operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
let registry: RunningServer;
/** Its store has never answered. */
let leaderless: RunningServer;
let untouched: unknown;
after(() => nodes.close());

before(async () => {
  registry = await nodes.start(["meta", "data", "session"]);
  leaderless = await nodes.start(["meta", "data", "session"], {
    storeUrl: "postgres://nobody:secret@127.0.0.1:1/none",
    nodePort: -1,
  });
  // Everything has been reported by then.
  await eventually(
    async () => (await operate(registry, "GET", "/nodes")).body.items,
    (rows) => rows.some(({ clients }) => clients === 0) && rows.some(({ leads }) => leads === 256),
  );
  untouched = await state();
});

/** Everything that operations change; the node's clock, which goes on, is left out. */
async function state(): Promise<unknown> {
  const [health, ...others] = await Promise.all(
    ["/health", "/configs", "/nodes", "/rules"].map((path) => operate(registry, "GET", path)),
  );
  const items = health?.body.items.map(({ now: _, ...rest }) => rest);
  return [items, ...others];
}

/** A value that is taken, in JSON. */
function goodValue(parameter: Parameter): unknown {
  switch (parameter.type) {
    case "integer":
      return parameter.min;
    case "flag":
      return true;
    case "choice":
      return parameter.oneOf[0];
    case "address":
    case "addressOrBlock":
      return "10.0.0.1";
    case "duration":
      return "30m";
    case "time":
      return "2999-01-01T00:00:00Z";
    case "version":
      return "1";
    case "list":
      return [goodValue(parameter.of)];
    default:
      return "no-such";
  }
}

/** Values that are not taken, in JSON, by what is wrong with them. */
function badValues(parameter: Parameter): readonly (readonly [what: string, value: unknown])[] {
  const notText = [
    ["a number", 7],
    ["an object", { a: 1 }],
    ["null", null],
  ] as const;
  switch (parameter.type) {
    case "text":
      // A value that is longer than one may be is refused by its size.
      if (parameter.charsMax > 100_000) return notText;
      return [...notText, ["too long", "x".repeat(parameter.charsMax + 1)]];
    case "integer":
      return [
        ["too small", parameter.min - 1],
        ["too large", parameter.max + 1],
        ["no whole number", parameter.min + 0.5],
        ["no number", "many"],
        ["beyond all numbers", "9".repeat(400)],
        ["empty", ""],
      ];
    case "flag":
      return [
        ["no word for yes or no", "maybe"],
        ["a number", 1],
      ];
    case "choice":
      return [...notText, ["none of the words", "purple"]];
    case "service":
      return [
        ...notText,
        ["empty", ""],
        ["with two parts", "a#@#b"],
        ["with an empty name", "#@#b#@#c"],
        ["with a control character", "a\u0007b"],
        ["too long", "x".repeat(2_000)],
      ];
    case "address":
      return [...notText, ...BAD_ADDRESSES.map((address) => [`"${address}"`, address] as const)];
    case "addressOrBlock":
      return [...notText, ...BAD_BLOCKS.map((address) => [`"${address}"`, address] as const)];
    case "duration":
      return [
        ...notText,
        ...["", "30", "30 m", "-5m", "0s", "1w", "99999d"].map((text) => [`"${text}"`, text] as const),
      ];
    case "time":
      return [...notText, ...BAD_TIMES.map((text) => [`"${text}"`, text] as const)];
    case "node":
      return [...notText, ["with a slash", "../x"], ["too long", "x".repeat(200)], ["empty", ""]];
    case "version":
      return [
        ["a number, which could not hold it", 7],
        ["negative", "-1"],
        ["beyond 63 bits", "9223372036854775808"],
        ["no number", "newest"],
      ];
    default:
      return [
        ["no list", { a: 1 }],
        ["an empty list", []],
        ["a list that is too long", new Array(parameter.countMax + 1).fill(goodValue(parameter.of))],
        ...badValues(parameter.of).map(([what, value]) => [`a list with one ${what}`, [value]] as const),
      ];
  }
}

const BAD_ADDRESSES = [
  "",
  "10.0.0.0/8",
  "10.0.0.0/99",
  "10.0.0.0/-1",
  "/8",
  "::/0",
  "300.0.0.1",
  "010.0.0.1",
  "10.0.0",
  "localhost",
  "1::2::3",
  "10.0.0.1 ; drop",
];

const BAD_BLOCKS = [
  ...BAD_ADDRESSES.filter((address) => !["10.0.0.0/8", "::/0"].includes(address)),
  "10.0.0.1/8",
  "10.0.0.0/8/8",
];

const BAD_TIMES = ["", "tomorrow", "2026-11-29", "2026-11-29T18:00:00", "2026-13-29T18:00:00Z", "1795312487025"];

/** The required parameters with values that are taken. */
function goodParameters({ parameters }: Operation): Record<string, unknown> {
  const required = Object.entries(parameters).filter(([, { isRequired }]) => isRequired);
  return Object.fromEntries(required.map(([name, parameter]) => [name, goodValue(parameter)]));
}

interface Answer {
  readonly status: number;
  readonly body: { readonly error?: { readonly code: string; readonly message: string } };
}

async function call(operation: Operation, parameters: Record<string, unknown>, at = registry): Promise<Answer> {
  const isInQuery = operation.method === "GET" || operation.method === "DELETE";
  if (isInQuery) return send(operation, { query: inQuery(parameters) }, at);
  return send(operation, { body: JSON.stringify(parameters) }, at);
}

function inQuery(parameters: Record<string, unknown>): string {
  const pairs = Object.entries(parameters).map(([name, value]) => [name, textOf(value)] as [string, string]);
  return `?${new URLSearchParams(pairs)}`;
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}

interface Sent {
  readonly query?: string;
  readonly body?: string;
  readonly contentType?: string;
}

async function send(
  { method, path }: Operation,
  { query = "", body, contentType = "application/json" }: Sent,
  { ports, localToken }: RunningServer = registry,
): Promise<Answer> {
  const authorization = `Bearer ${localToken}`;
  const content =
    body === undefined
      ? { headers: { authorization } }
      : { body, headers: { authorization, "content-type": contentType } };
  const answer = await fetch(`http://127.0.0.1:${ports.admin}${API_PREFIX}${path}${query}`, { method, ...content });
  return { status: answer.status, body: (await answer.json()) as Answer["body"] };
}

/** Fails unless the answer is a refusal that names this. */
function assertRefused({ name }: Operation, answer: Answer, named: string): void {
  const shown = `${name}: ${answer.status} ${JSON.stringify(answer.body)}`;
  assert.ok(answer.status === 400 || answer.status === 404 || answer.status === 413, shown);
  assertInForm(name, answer);
  assert.ok(answer.body.error?.message.includes(named), `${shown} names ${named}`);
}

for (const operation of OPERATIONS) {
  const { name, parameters, method, isChange, answeredBy } = operation;
  const isInQuery = method === "GET" || method === "DELETE";

  test(`${name} refuses an unknown parameter, and a required one that is missing`, async () => {
    const good = goodParameters(operation);
    assertRefused(operation, await call(operation, { ...good, colour: "red" }), "colour");
    assertRefused(operation, await call(operation, { ...good, ["__proto__x"]: "1" }), "__proto__x");
    for (const required of Object.keys(good)) {
      const { [required]: _, ...rest } = good;
      assertRefused(operation, await call(operation, rest), required);
    }
  });

  for (const [parameter, spec] of Object.entries(parameters)) {
    test(`${name} refuses each bad value of ${parameter}, by its name`, async () => {
      for (const [what, value] of badValues(spec)) {
        // A query has texts only: a number there is a text, and one of 100,000 characters is no header.
        if (isInQuery && isTakenInQuery(spec, value)) continue;
        const answer = await call(operation, { ...goodParameters(operation), [parameter]: value });
        assert.ok(answer.body.error !== undefined, `${what}: ${JSON.stringify(answer.body)}`);
        assertRefused(operation, answer, parameter);
      }
    });
  }

  if (isInQuery) {
    test(`${name} refuses a body, and a parameter that is given twice`, async () => {
      const answer = await send(operation, { query: inQuery(goodParameters(operation)) });
      assert.notEqual(answer.body.error?.code, "INTERNAL");
      if (method === "DELETE") {
        assertRefused(
          operation,
          await send(operation, { body: "{}", query: inQuery(goodParameters(operation)) }),
          "body",
        );
      }
      const [single] = Object.entries(parameters).filter(([, { type }]) => type !== "list");
      if (single === undefined) return;
      const rest = inQuery(goodParameters(operation));
      assertRefused(operation, await send(operation, { query: `${rest}&${single[0]}=a&${single[0]}=b` }), single[0]);
    });
  } else {
    test(`${name} refuses a body that is no object, a query, and a megabyte`, async () => {
      for (const body of ["[]", "[1]", '"x"', "7", "null", "{", "", "{}}", '{"__proto__": {"a": 1}}']) {
        assertRefused(operation, await send(operation, { body }), "");
      }
      assertRefused(operation, await send(operation, { body: "a=b", contentType: "text/plain" }), "");
      const good = JSON.stringify(goodParameters(operation));
      assertRefused(operation, await send(operation, { query: "?node=x", body: good }), "node");
      const ips = new Array(100_000).fill("10.0.0.1");
      const large = await send(operation, { body: JSON.stringify({ ...goodParameters(operation), x: ips }) });
      const isTaken = operation.takesValue || operation.bodyBytesMax !== undefined;
      assertRefused(operation, large, isTaken ? "x" : "bodyBytesMax");
    });
  }

  if (isChange && answeredBy.kind === "leader") {
    test(`${name} is refused while the store is down, with 503 and the reason`, async () => {
      const answer = await call(operation, goodParameters(operation), leaderless);
      assertInForm(name, answer);
      assert.equal(answer.status, 503, JSON.stringify(answer.body));
      assert.match(answer.body.error?.message ?? "", /no meta node leads|store/);
    });
  }
}

/** Whether a query can't carry the fault: it has only texts, and its length is bounded by that of the header. */
function isTakenInQuery(spec: Parameter, value: unknown): boolean {
  if (spec.type === "list" && !Array.isArray(value)) return isTakenInQuery(spec.of, value);
  if (Array.isArray(value))
    return value.length > 0 && spec.type === "list" && value.every((each) => isTakenInQuery(spec.of, each));
  if (typeof value === "string") return value.length > 10_000;
  if (spec.type === "duration" || spec.type === "time") return false;
  return spec.type === "text" || spec.type === "service" || spec.type === "version" || isTextOfNode(spec, value);
}

function isTextOfNode(spec: Parameter, value: unknown): boolean {
  return spec.type === "node" && /^[\w.-]+$/.test(textOf(value));
}

/** A mebibyte of addresses. */
function manyAddresses(): string[] {
  return Array.from({ length: 90_000 }, (_, at) => `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`);
}

const UNKNOWN: readonly (readonly [name: string, parameters: Record<string, unknown>, status: number])[] = [
  ["services.describe", { service: "no-such" }, 404],
  ["nodes.block", { node: "no-such" }, 404],
  ["nodes.unblock", { node: "no-such" }, 404],
  ["nodes.drain", { node: "no-such" }, 404],
  ["held.release", { service: "no-such" }, 400],
  ["configs.get", { key: "no-such" }, 404],
  ["configs.remove", { key: "no-such" }, 404],
  ["configs.put", { key: "a ", data: "x" }, 400],
  ["configs.put", { key: "a", data: "" }, 400],
  ["configs.put", { key: "session.blacklist.data#@#9600#@#CONFIG", data: "on" }, 400],
  ["configs.put", { key: "later.switch#@#9600#@#CONFIG", data: "on", preview: true }, 400],
  ["configs.put", { key: "a", data: "x".repeat(1_200_000) }, 413],
  ["rules.describe", { id: "no-such" }, 404],
  ["rules.remove", { id: "no-such" }, 404],
  ["rules.remove", { id: "no-such", preview: true }, 404],
  ["rules.remove", { id: "no-such", ifEpoch: "7" }, 409],
  ["rules.put", { id: "a b", effect: "holdPushes" }, 400],
  ["rules.put", { id: "r", effect: "hidePublications" }, 400],
  ["rules.put", { id: "r", effect: "hidePublications", preview: true }, 400],
  ["rules.put", { id: "r", effect: "holdPushes", ifEpoch: "7" }, 409],
  ["rules.put", { id: "r", effect: "holdPushes", until: "2020-01-01T00:00:00Z" }, 400],
  ["rules.put", { id: "r", effect: "holdPushes", until: "2999-01-01T00:00:00Z", for: "1m" }, 400],
  ["rules.put", { id: "r", effect: "holdPushes", servicePrefixes: [""] }, 400],
  ["rules.put", { id: "r", effect: "holdPushes", reason: "a\u0007b" }, 400],
  ["rules.put", { id: "r", effect: "holdPushes", preview: true }, 200],
  ["rules.put", { id: "r", effect: "holdPushes", addresses: manyAddresses(), preview: true }, 200],
  ["rules.put", { id: "r", effect: "holdPushes", addresses: [...manyAddresses(), "10.0.0.0/99"] }, 400],
  ["instances.list", { address: "203.0.113.7" }, 200],
  ["clients.list", { address: "203.0.113.7" }, 200],
  ["subscribers.list", { address: "203.0.113.7" }, 200],
];

for (const [name, parameters, status] of UNKNOWN) {
  test(`${name} of ${JSON.stringify(parameters).slice(0, 40)} is answered with ${status}`, async () => {
    const operation = defined(
      OPERATIONS.find((each) => each.name === name),
      "an operation of the table",
    );
    const answer = await call(operation, parameters);
    assertInForm(name, answer);
    assert.equal(answer.status, status, JSON.stringify(answer.body));
  });
}

test("a query beyond the largest header, a path with escapes, and one that there is not, are refused", async () => {
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${registry.ports.admin}${path}`)).status;
  assert.equal(await get(`/v1/services?pattern=${"x".repeat(20_000)}`), 431);
  assert.equal(await get("/v1/%73ervices"), 400);
  assert.equal(await get("/v1/purple"), 404);
  assert.equal(await get("/v2/services"), 404);
});

test("a page of another origin changes nothing: a browser names its origin", async () => {
  const headers = { origin: "http://evil.example", "content-type": "text/plain" };
  const url = `http://127.0.0.1:${registry.ports.admin}/v1/nodes/drain`;
  assert.equal((await fetch(url, { method: "POST", headers, body: "{}" })).status, 400);
});

test("after all of that nothing has changed, and the node serves", async () => {
  assert.deepEqual(await state(), untouched);
  assert.equal(await getStatus(registry.ports.admin, "/livez"), 200);
  assert.equal(
    await Promise.race([registry.stopAsked.then(() => "told to stop"), registry.failed, "serves"]),
    "serves",
  );
});
