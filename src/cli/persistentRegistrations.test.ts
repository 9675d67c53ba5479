// Persistent registrations on real processes: their sessions are killed, and so are the targets of their checks.

import assert from "node:assert/strict";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { eventually } from "../server/testing/eventually.ts";
import { TestClient } from "../server/testing/testClient.ts";
import { operate, TestNodes } from "../server/testing/testNodes.ts";
import { startProcess } from "./testing/serverProcess.ts";

const LIMIT_MS = 60_000;

const nodes = new TestNodes();
after(() => nodes.close());

async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

interface Row {
  readonly registId: string;
  readonly keeper: string | null;
  readonly isHealthy: boolean;
  readonly checks: readonly { readonly kind: string; readonly status: string; readonly output: string }[];
}

test("the keeper is killed: nothing goes, and another session makes the checks from then on", async (t) => {
  // This one keeps nothing: it has not the role.
  const meta = await nodes.start(["meta", "data"], { metaAddresses: [] });
  const flags = {
    roles: "session",
    "meta-addresses": `127.0.0.1:${meta.ports.node}`,
    "active-checks": "true",
    "active-check-addresses": "127.0.0.0/8",
    "log-format": "json",
  };
  const start = (name: string) => {
    const process = startProcess(t, { flags: { ...flags, "node-name": name } });
    return { name, process, ready: process.line("roster is ready") };
  };
  const sessions = [start("session-1"), start("session-2")];
  await Promise.all(sessions.map(({ ready }) => ready));
  const [tcp, http, later] = [refusing(), createHttp((_, response) => response.end("fine")), refusing()];
  t.after(() => {
    for (const server of [tcp, http, later]) server.close();
  });
  const [tcpPort, httpPort] = [await listen(tcp), await listen(http)];
  const rowOf = async (port: number) => {
    const { items = [] } = (await operate(meta, "GET", "/persistent")).body;
    return (items as readonly Row[]).find(({ registId }) => registId.endsWith(`:${port}`));
  };
  const put = async (port: number, check: string) => {
    const body = { service: "kept", host: "127.0.0.1", port, check, interval: "1s", timeout: "1s" };
    const answer = await operate(meta, "PUT", "/persistent", body);
    return answer.body.error ?? answer.status;
  };
  const isOk = (answer: unknown) => answer === 200;
  await eventually(() => put(tcpPort, "tcp"), isOk, LIMIT_MS);
  await eventually(() => put(httpPort, "http"), isOk, LIMIT_MS);
  for (const port of [tcpPort, httpPort]) await eventually(() => rowOf(port), isHealthy, LIMIT_MS);

  const keeper = (await rowOf(tcpPort))?.keeper;
  const victim = sessions.find(({ name }) => name === keeper);
  const heir = sessions.find(({ name }) => name !== keeper);
  assert.ok(victim !== undefined && heir !== undefined);
  const { bolt } = await heir.ready;
  const client = new TestClient(() => Number(bolt));
  t.after(() => client.close());
  client.subscribe("kept");
  const whole = [tcpPort, httpPort].map((port) => `127.0.0.1:${port}`).sort();
  const listed = () => [...(client.lists.get("kept")?.at(-1) ?? [])].sort();
  await eventually(listed, (list) => isDeepStrictEqual(list, whole), LIMIT_MS);

  victim.process.child.kill("SIGKILL");
  await victim.process.ended;
  const isHeirs = (row: Row | undefined) => row?.keeper === heir.name;
  for (const port of [tcpPort, httpPort]) await eventually(() => rowOf(port), isHeirs, LIMIT_MS);
  tcp.close();
  await eventually(listed, (list) => isDeepStrictEqual(list, [`127.0.0.1:${httpPort}`]), LIMIT_MS);
  assert.equal((await rowOf(tcpPort))?.checks[0]?.output, `TCP 127.0.0.1:${tcpPort}: ECONNREFUSED`);
  await listen(later, tcpPort);
  await eventually(listed, (list) => isDeepStrictEqual(list, whole), LIMIT_MS);
  // The first list may have been before both were there.
  const lists = client.lists.get("kept") ?? [];
  const from = lists.findIndex(({ length }) => length === 2);
  assert.ok(lists.slice(from).every((list) => list.includes(`127.0.0.1:${httpPort}`)));

  const query = `service=kept&registId=${encodeURIComponent(`operator:127.0.0.1:${httpPort}`)}`;
  assert.equal((await operate(meta, "DELETE", `/persistent?${query}`)).status, 200);
  assert.equal((await operate(meta, "DELETE", `/persistent?${query}`)).status, 404);
  await eventually(listed, (list) => isDeepStrictEqual(list, [`127.0.0.1:${tcpPort}`]), LIMIT_MS);
});

function refusing(): Server {
  return createTcp((socket) => socket.destroy());
}

function isHealthy(row: Row | undefined): boolean {
  return row?.isHealthy === true;
}

test("a check that this node may not make is refused, with the setting to change", async () => {
  const node = await nodes.start(["meta", "data", "session"]);
  const body = { service: "kept", host: "10.0.0.1", port: 80, check: "tcp" };
  const isRefused = ({ body: { error } }: { readonly body: Partial<{ error: { code: string; message: string } }> }) =>
    error?.code === "ACTIVE_CHECKS_OFF" && error.message.includes("active-checks=true");
  await eventually(() => operate(node, "PUT", "/persistent", body), isRefused, LIMIT_MS);
  const refused = await operate(node, "PUT", "/persistent", { service: "kept", host: "", port: 80 });
  assert.equal(refused.body.error.code, "FIELD_INVALID");
});
