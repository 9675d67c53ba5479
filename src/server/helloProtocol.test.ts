// A protocol is a folder and a line in a list: this one says hello, and has every optional part of a protocol.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import type { MemberRow } from "../admin/memberRows.ts";
import { textResponse } from "../base/http.ts";
import { PORT } from "../base/keySpec.ts";
import type { Gateway } from "../protocols/kit/gateway.ts";
import { GATEWAYS } from "./gateways.ts";
import type { GatewayMetrics } from "./metrics.ts";
import { eventually } from "./testing/eventually.ts";
import { getJson, operate, TestNodes } from "./testing/testNodes.ts";

const METRICS = { hello_said_total: { type: "counter", help: "Greetings.", labels: ["by"] } } as const;

const helloGateway: Gateway<unknown, GatewayMetrics> = {
  name: "hello",
  configKeys: { "hello-port": { section: "Network", ...PORT, default: 7_000, about: "Says hello.", cost: "Nothing." } },
  errors: { HELLO_TOO_LONG: { retry: false, meaning: "a greeting has one line" } },
  metrics: METRICS,
  load: async () => ({
    open: ({ node, metrics }) => ({
      listeners: [
        {
          kind: "tcp",
          key: "hello-port",
          accept: (connection) => ({
            received: (chunk) => {
              metrics.add("hello_said_total", 1, { by: "tcp" });
              connection.write(new TextEncoder().encode(`hello ${new TextDecoder().decode(chunk)}`));
            },
            drained: () => undefined,
            closed: () => undefined,
          }),
        },
        { kind: "udp", key: "hello-port", open: ({ send }) => ({ received: send }) },
      ],
      requests: [{ name: "hello", asks: "open" }],
      routes: {
        routes: [
          {
            method: "GET",
            path: "/hello",
            asks: "open",
            handle: ({ respond }) => respond(textResponse(`hello ${node.id}`)),
          },
        ],
        refusal: textResponse,
      },
    }),
  }),
};

const nodes = new TestNodes([...GATEWAYS, helloGateway]);
after(() => nodes.close());

test("a protocol has the same number for its streams and its datagrams", async () => {
  const server = await nodes.start(["meta", "data", "session"]);
  const socket = createSocket("udp4");
  socket.send("there", portOf(server, "hello"), "127.0.0.1");
  const [answer] = await once(socket, "message");
  assert.equal(String(answer), "there");
  socket.close();
  await nodes.stop(server);
});

test("a protocol that the server does not know by name is served beside the others, counted, and closed", async () => {
  const server = await nodes.start(["meta", "data", "session"]);
  const socket = connect(portOf(server, "hello"), "127.0.0.1");
  socket.write("there");
  const [answer] = await once(socket, "data");
  assert.equal(String(answer), "hello there");
  const response = await fetch(`http://127.0.0.1:${server.ports.http}/hello`);
  assert.match(await response.text(), /^hello [\w-]+\.\w+$/);
  assert.match((await server.page.render(""))?.body ?? "", /^hello_said_total\{by="tcp"\} 1$/m);
  const closed = once(socket, "close");
  await nodes.stop(server);
  await closed;
});

test("the cluster hears where clients of each protocol are taken, until the node is told to stop", async () => {
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const session = await nodes.start(["session"], { metaAddresses: [`127.0.0.1:${meta.ports.node}`] });
  const addresses = async () => {
    const rows: readonly MemberRow[] = (await operate(meta, "GET", "/nodes")).body.items;
    return rows.find(({ role }) => role === "session")?.clientAddresses;
  };
  const told = await eventually(addresses, (found) => found !== undefined);
  const hello = portOf(session, "hello");
  const { bolt, eureka, nacos, nacosGrpc, zookeeper, consul, dns } = session.ports;
  const ports = { bolt, eureka, nacos, "nacos-grpc": nacosGrpc, zookeeper, consul, dns, hello };
  const at = Object.entries(ports).map(([name, port]) => [name, `127.0.0.1:${port}`]);
  assert.deepEqual(told, Object.fromEntries(at));
  const greeted = connect(hello, "127.0.0.1");
  await once(greeted, "connect");
  const ended = once(greeted, "close");
  await nodes.start(["session"], { metaAddresses: [`127.0.0.1:${meta.ports.node}`] });
  await eventually(
    () => getJson<readonly string[]>(session.ports.http, "/api/servers/query.json"),
    (servers) => servers.length === 2,
  );
  await session.drain();
  await ended;
  await assert.rejects(once(connect(hello, "127.0.0.1"), "connect"), /ECONNREFUSED/);
});

function portOf({ ports }: { readonly ports: object }, name: string): number {
  return Number(Object.entries(ports).find(([listener]) => listener === name)?.[1]);
}
