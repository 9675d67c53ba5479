// A protocol of instances beside SOFARegistry's boxes: each kind of client sees what the other publishes.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { anonymous } from "../access/principal.ts";
import type { Budget } from "../base/budget.ts";
import { type HttpExchange, jsonResponse, queryValue, textResponse } from "../base/http.ts";
import { instancesOf } from "../model/content.ts";
import { clientId, type ServiceKey } from "../model/ids.ts";
import { packInstance } from "../model/instance.ts";
import { makeServiceKey } from "../model/serviceKey.ts";
import { anInstance } from "../model/testing/instances.ts";
import type { Gateway } from "../protocols/kit/gateway.ts";
import type { Asker, ClientChannel, Registry } from "../registry/registry.ts";
import { GATEWAYS } from "./gateways.ts";
import type { GatewayMetrics } from "./metrics.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { getJson, TestNodes } from "./testing/testNodes.ts";

const NOTHING = () => undefined;

/** A client that publishes one instance and hears of nothing but the outcome. */
class Publisher implements ClientChannel {
  readonly writtenBytes = 0;
  readonly sentBytes = 0;
  readonly address = "127.0.0.1";
  readonly answersQuestions = false;
  readonly ask = NOTHING;
  readonly report = NOTHING;
  readonly #exchange: HttpExchange;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
  }

  answer(_request: number, outcome: Parameters<ClientChannel["answer"]>[1]): void {
    this.#exchange.respond(textResponse(outcome.kind));
  }

  isSilentSince(): boolean {
    return false;
  }
  push(): number {
    return 0;
  }
  pushConfig(): "sent" {
    return "sent";
  }
}

function keyOf(exchange: HttpExchange): ServiceKey {
  return makeServiceKey({ name: queryValue(exchange, "service"), namespace: "", group: "" });
}

function publish(exchange: HttpExchange, registry: Registry, budget: Budget): void {
  const host = queryValue(exchange, "host");
  const client = clientId(`${host}:1_plain`);
  const account = budget.open(host);
  const connected = {
    kind: "connected",
    client,
    channel: new Publisher(exchange),
    principal: anonymous(host),
  } as const;
  registry.step({ ...connected, account }, Date.now());
  const registration = { serviceKey: keyOf(exchange), registId: `${host}:8080`, version: 1n, zone: "", appName: "" };
  const payload = packInstance(anInstance({ host, weight: 2, metadata: new Map([["side", "plain"]]) }));
  const publication = { ...registration, attributes: new Map(), payload };
  registry.step({ kind: "published", client, request: 1, publication }, Date.now());
}

function list(exchange: HttpExchange, registry: Registry): void {
  const asker: Asker = {
    answer: (answer) => {
      if (answer.kind === "failed") return exchange.refuse(answer.error);
      const found = [...answer.view.publications.values()].flatMap(instancesOf);
      const rows = found.map(({ host, port, weight, metadata, source }) => ({
        ...{ host, port, weight, source },
        metadata: Object.fromEntries(metadata),
      }));
      exchange.respond(jsonResponse(rows.sort((one, other) => (one.host < other.host ? -1 : 1))));
    },
  };
  const question = { asker, serviceKey: keyOf(exchange), since: 0n, untilMs: Date.now() + 5_000 };
  registry.step({ kind: "asked", ...question }, Date.now());
}

const plainGateway: Gateway<unknown, GatewayMetrics> = {
  name: "plain",
  configKeys: {},
  errors: {},
  metrics: {},
  load: async () => ({
    open: ({ registry, budget }) => ({
      listeners: [],
      routes: {
        routes: [
          {
            method: "POST",
            path: "/instances",
            asks: "open",
            handle: (exchange) => publish(exchange, registry, budget),
          },
          { method: "GET", path: "/instances", asks: "open", handle: (exchange) => list(exchange, registry) },
        ],
        refusal: textResponse,
      },
    }),
  }),
};

const nodes = new TestNodes([...GATEWAYS, plainGateway]);
after(() => nodes.close());

test("boxes are instances to one protocol, and instances are boxes to the other, through another node", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const session = await nodes.start(["session"], { metaAddresses: [`127.0.0.1:${meta.ports.node}`] });
  const client = new TestClient(() => session.ports.bolt);
  try {
    client.publish("orders", "10.0.0.1:12200?weight=100&side=sofa");
    client.publish("orders", "no address");
    client.subscribe("orders");
    const url = `http://127.0.0.1:${session.ports.http}/instances?service=orders`;
    const answer = await fetch(`${url}&host=10.0.0.2`, { method: "POST" });
    assert.deepEqual([answer.status, await answer.text()], [200, "accepted"]);
    const boxes = "10.0.0.1:12200?weight=100&side=sofa 10.0.0.2:8080?weight=200&side=plain no address";
    await eventually(
      () => client.list("orders"),
      (texts) => texts === boxes,
    );
    assert.deepEqual(await getJson(session.ports.http, "/instances?service=orders"), [
      { host: "10.0.0.1", port: 12_200, weight: 1, source: "sofa", metadata: { side: "sofa" } },
      { host: "10.0.0.2", port: 8_080, weight: 2, source: "test", metadata: { side: "plain" } },
    ]);
  } finally {
    client.close();
  }
});
