// Persistent registrations on started nodes, through a protocol made for that: JSON in, JSON out.

import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Budget } from "../../base/budget.ts";
import { type HttpExchange, jsonResponse, queryValue, textResponse } from "../../base/http.ts";
import { type Check, type CheckStatus, checkOf } from "../../model/check.ts";
import { clientId } from "../../model/ids.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { anInstance } from "../../model/testing/instances.ts";
import type { Gateway } from "../../protocols/kit/gateway.ts";
import type { KeptRegistration, PersistentAnswer, PersistentRegistrations } from "../../registry/persistent.ts";
import { GATEWAYS } from "../gateways.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { eventually } from "../testing/eventually.ts";
import { TestClient } from "../testing/testClient.ts";
import { TestNodes } from "../testing/testNodes.ts";

function keyOf(exchange: HttpExchange) {
  const serviceKey = makeServiceKey({ name: queryValue(exchange, "service"), namespace: "", group: "" });
  return { serviceKey, registId: `test:${queryValue(exchange, "port")}` };
}

function requestOf(exchange: HttpExchange, budget: Budget) {
  const account = budget.open("127.0.0.1");
  const done = (answer: PersistentAnswer) =>
    exchange.respond(textResponse(answer.kind === "failed" ? answer.error.code : answer.kind));
  return { done, account, untilMs: Date.now() + 5_000 };
}

function checksIn(exchange: HttpExchange): Check[] {
  const port = Number(queryValue(exchange, "port"));
  const probe = { kind: "tcp", host: "127.0.0.1", port } as const;
  const kind = queryValue(exchange, "check");
  if (kind === "tcp") return [checkOf({ id: "tcp", probe, intervalMs: 1_000, timeoutMs: 500 })];
  return kind === "ttl" ? [checkOf({ id: "ttl", ttlMs: 60_000 })] : [];
}

function put(exchange: HttpExchange, persistent: PersistentRegistrations, budget: Budget): void {
  const instance = anInstance({ host: "127.0.0.1", port: Number(queryValue(exchange, "port")), isPersistent: true });
  const holder = clientId(`127.0.0.1:${instance.port}_test`);
  const rest = { holder, zone: "", appName: "", instance, checks: checksIn(exchange) };
  persistent.put({ ...requestOf(exchange, budget), registration: { ...keyOf(exchange), ...rest } });
}

function rowOf({ registration, keeper, checks, isHealthy }: KeptRegistration) {
  const { registId } = registration;
  return { registId, keeper, isHealthy, checks: checks.map(({ status, output }) => ({ status, output })) };
}

const keepingGateway: Gateway<unknown, GatewayMetrics> = {
  name: "keeping",
  configKeys: {},
  errors: {},
  metrics: {},
  load: async () => ({
    open: ({ persistent, budget }) => ({
      listeners: [],
      routes: {
        routes: [
          { method: "POST", path: "/kept", asks: "open", handle: (exchange) => put(exchange, persistent, budget) },
          {
            method: "DELETE",
            path: "/kept",
            asks: "open",
            handle: (exchange) => persistent.remove({ ...requestOf(exchange, budget), key: keyOf(exchange) }),
          },
          {
            method: "PUT",
            path: "/kept",
            asks: "open",
            handle(exchange) {
              const result = { status: queryValue(exchange, "status") as CheckStatus, output: "told" };
              const request = requestOf(exchange, budget);
              persistent.report({ ...request, key: keyOf(exchange), check: "ttl", result });
            },
          },
          {
            method: "GET",
            path: "/kept",
            asks: "open",
            handle: ({ respond }) => respond(jsonResponse([...persistent.list()].map(rowOf))),
          },
        ],
        refusal: textResponse,
      },
    }),
  }),
};

const nodes = new TestNodes([...GATEWAYS, keepingGateway]);
after(() => nodes.close());

const CHECKS = { activeChecks: true, activeCheckAddresses: ["127.0.0.0/8"] };

interface Row {
  readonly registId: string;
  readonly keeper: string;
  readonly isHealthy: boolean;
  readonly checks: readonly { readonly status: string; readonly output: string }[];
}

interface Session {
  readonly ports: { readonly http: number; readonly bolt: number };
}

async function ask(method: string, { ports }: Session, query: string): Promise<string> {
  return (await fetch(`http://127.0.0.1:${ports.http}/kept?${query}`, { method })).text();
}

async function rows({ ports }: Session): Promise<Row[]> {
  return (await (await fetch(`http://127.0.0.1:${ports.http}/kept`)).json()) as Row[];
}

async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

async function becomes<T>(probe: () => Promise<T> | T, expected: T): Promise<void> {
  const isExpected = (value: T) => isDeepStrictEqual(value, expected);
  await eventually(async () => probe(), isExpected);
}

function listOf(client: TestClient): readonly string[] {
  return client.lists.get("kept")?.at(-1) ?? [];
}

async function cluster() {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const metaAddresses = [`127.0.0.1:${meta.ports.node}`];
  const one = await nodes.start(["session"], { ...CHECKS, metaAddresses });
  const other = await nodes.start(["session"], { ...CHECKS, metaAddresses });
  return [one, other] as const;
}

test("a registration outlives its session, and its check decides over its health wherever it is kept", async () => {
  const [one, other] = await cluster();
  const target = createServer((socket) => socket.destroy());
  const again = createServer((socket) => socket.destroy());
  const port = await listen(target);
  const box = `127.0.0.1:${port}`;
  const client = new TestClient(() => other.ports.bolt);
  try {
    client.subscribe("kept");
    await becomes(() => ask("POST", one, `service=kept&port=${port}&check=tcp`), "done");
    await becomes(() => listOf(client), [box]);
    target.close();
    await becomes(() => listOf(client), []);
    await becomes(async () => (await rows(other))[0]?.checks[0]?.status, "critical");
    await listen(again, port);
    await becomes(() => listOf(client), [box]);
    // With one session or the other, the registration has another keeper at some time.
    await nodes.stop(one);
    again.close();
    await becomes(() => listOf(client), []);
    await becomes(() => ask("DELETE", other, `service=kept&port=${port}`), "done");
    assert.deepEqual(await rows(other), []);
  } finally {
    client.close();
    target.close();
    again.close();
  }
});

test("a report reaches the session that keeps the registration", async () => {
  const sessions = await cluster();
  await becomes(() => ask("POST", sessions[0], "service=told&port=1&check=ttl"), "done");
  assert.equal((await rows(sessions[0]))[0]?.isHealthy, false);
  for (const session of sessions) {
    for (const status of ["passing", "critical"]) {
      await becomes(() => ask("PUT", session, `service=told&port=1&status=${status}`), "done");
      for (const each of sessions) await becomes(async () => (await rows(each))[0]?.isHealthy, status === "passing");
    }
  }
});

test("everything is there again after a restart of the only node", async () => {
  const dataDir = nodes.newDirectory();
  const roles = ["meta", "data", "session"] as const;
  const first = await nodes.start(roles, { dataDir });
  await becomes(() => ask("POST", first, "service=kept&port=1"), "done");
  await nodes.stop(first);
  const second = await nodes.start(roles, { dataDir });
  const client = new TestClient(() => second.ports.bolt);
  try {
    client.subscribe("kept");
    await becomes(() => listOf(client), ["127.0.0.1:1"]);
  } finally {
    client.close();
  }
});

test("checks are off by default, and their addresses are checked at the start", async () => {
  const node = await nodes.start(["meta", "data", "session"]);
  await becomes(() => ask("POST", node, "service=kept&port=1&check=tcp"), "done");
  const state = { status: "critical", output: "active-checks is off at this node" };
  await becomes(async () => (await rows(node))[0]?.checks, [state]);
  const wrong = nodes.start(["meta", "data", "session"], { activeCheckAddresses: ["10.0.0.1/8"] });
  await assert.rejects(wrong, /CONFIG_INVALID.*10\.0\.0\.0\/8/);
});
