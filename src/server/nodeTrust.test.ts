// Nodes that prove to each other that they belong to one cluster, by a secret, by certificates, and by both; and the
// ways from a cluster without to one with, node by node.

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { TestCertificates } from "../transport/testing/certificates.ts";
import type { Config } from "./config/table.ts";
import type { RunningServer } from "./start.ts";
import { eventually } from "./testing/eventually.ts";
import { TestClient } from "./testing/testClient.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

const nodes = new TestNodes();
const clients: TestClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});
const certificates = new TestCertificates({ after });
const shared = certificates.issue({ name: "shared", names: "URI:roster://default/*" });
const SECRET = { clusterSecret: "a secret that all of the nodes know" };
const TLS = { tlsNodeCaFile: certificates.ca, tlsNodeCertFile: shared.cert, tlsNodeKeyFile: shared.key };

type Settings = Partial<Config>;
type Role = Config["roles"][number];

const metaAt = (meta: RunningServer): Settings => ({ metaAddresses: [`127.0.0.1:${meta.ports.node}`] });

async function membersOf(meta: RunningServer): Promise<string[]> {
  const { body } = await operate(meta, "GET", "/nodes");
  return body.items.map(({ role }) => String(role)).sort();
}

async function cluster(settings: Settings): Promise<Record<"meta" | "data" | "session", RunningServer>> {
  const meta = await nodes.start(["meta"], settings);
  const data = await nodes.start(["data"], { ...metaAt(meta), ...settings });
  const session = await nodes.start(["session"], { ...metaAt(meta), ...settings });
  return { meta, data, session };
}

async function serves({ session }: { session: RunningServer }, service = "orders"): Promise<TestClient> {
  const client = new TestClient(() => session.ports.bolt);
  clients.push(client);
  client.subscribe(service);
  client.publish(service, "10.0.0.1:80");
  await eventually(
    () => client.list(service),
    (list) => list === "10.0.0.1:80",
  );
  return client;
}

async function metric({ page }: RunningServer, series: string): Promise<number> {
  const line = (await page.render(""))?.body.split("\n").find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}

for (const [what, settings] of [
  ["a secret", SECRET],
  ["certificates", TLS],
  ["both", { ...SECRET, ...TLS }],
] as const) {
  test(`a cluster with ${what} serves`, async () => {
    const running = await cluster(settings);
    await serves(running);
    if ("tlsNodeCaFile" in settings) {
      assert.ok((await metric(running.meta, 'roster_tls_handshakes_total{port="node",outcome="ok"}')) >= 2);
    }
  });
}

const STRANGERS: readonly [what: string, cluster: Settings, stranger: Settings, refused: string][] = [
  ["without the secret", SECRET, {}, 'roster_node_peers_refused_total{reason="no secret"}'],
  [
    "with another secret",
    SECRET,
    { clusterSecret: "a secret that no other node has seen" },
    'roster_node_peers_refused_total{reason="wrong secret"}',
  ],
  ["without TLS", TLS, {}, 'roster_tls_handshakes_total{port="node",outcome="failed"}'],
  [
    "with a certificate of another authority",
    TLS,
    strangersCertificate(),
    'roster_tls_handshakes_total{port="node",outcome="failed"}',
  ],
  [
    "with the certificate of another node",
    TLS,
    { ...namedCertificate("data-7"), nodeName: "data-7", clusterName: "default" },
    "",
  ],
];

function strangersCertificate(): Settings {
  certificates.authority("stranger");
  const { cert, key } = certificates.issue({ name: "strange", by: "stranger", names: "URI:roster://default/*" });
  return { ...TLS, tlsNodeCertFile: cert, tlsNodeKeyFile: key };
}

function namedCertificate(node: string): Settings {
  const { cert, key } = certificates.issue({ name: node, names: `URI:roster://default/${node}` });
  return { tlsNodeCaFile: certificates.ca, tlsNodeCertFile: cert, tlsNodeKeyFile: key };
}

for (const [what, settings, strange, refused] of STRANGERS.filter(([, , , series]) => series !== "")) {
  test(`a node ${what} can't join, and the cluster counts it`, async () => {
    const running = await cluster(settings);
    await serves(running);
    await nodes.start(["data"], { ...metaAt(running.meta), ...strange });
    await eventually(
      () => metric(running.meta, refused),
      (count) => count > 0,
    );
    assert.deepEqual(await membersOf(running.meta), ["data", "meta", "session"]);
    await serves(running, "after");
  });
}

test("a node whose certificate names another one does not start, and is told what it needs", async () => {
  const settings = { ...namedCertificate("data-1"), nodeName: "data-2", metaAddresses: ["127.0.0.1:1"] };
  await assert.rejects(nodes.start(["data"], settings), {
    message: /key=tls-node-cert-file.*is not that of data-2.*URI:roster:\/\/default\/data-2/,
  });
});

test("nodes with a name and a certificate each join under their names", async () => {
  const named = (node: string, roles: readonly Role[], more: Settings = {}) =>
    nodes.start(roles, { ...namedCertificate(node), nodeName: node, ...more });
  const meta = await named("meta-1", ["meta"]);
  await named("data-1", ["data"], metaAt(meta));
  const session = await named("session-1", ["session"], metaAt(meta));
  await serves({ session });
  const { body } = await operate(meta, "GET", "/nodes");
  assert.deepEqual(body.items.map(({ id }) => String(id).split(".")[0]).sort(), ["data-1", "meta-1", "session-1"]);
});

for (const [what, before, between, after_] of [
  ["a secret", {}, { ...SECRET, clusterSecretOptional: true }, SECRET],
  ["certificates", {}, { ...TLS, tlsPlainPorts: ["nodes"] }, TLS],
] as const) {
  test(`a running cluster gets ${what}, node by node, and its clients miss nothing`, async () => {
    const directories = ["meta", "data", "data", "session"].map(() => nodes.newDirectory());
    const roles: readonly Role[] = ["meta", "data", "data", "session"];
    const running: RunningServer[] = [];
    const start = async (at: number, settings: Settings) => {
      const [meta] = running;
      const dataDir = directories[at] ?? "";
      const kept = running[at]?.ports;
      const own = at === 0 ? {} : metaAt(meta as RunningServer);
      const nodePort = at === 0 ? (kept?.node ?? 0) : 0;
      const boltPort = kept?.bolt ?? 0;
      running[at] = await nodes.start([roles[at] as Role], { dataDir, nodePort, boltPort, ...own, ...settings });
    };
    for (const at of roles.keys()) await start(at, before);
    const client = await serves({ session: running[3] as RunningServer });
    for (const settings of [between, after_]) {
      for (const at of roles.keys()) {
        await (running[at] as RunningServer).drain();
        await nodes.stop(running[at] as RunningServer);
        await start(at, settings);
        await eventually(
          () => membersOf(running[0] as RunningServer),
          (members) => members.join() === "data,data,meta,session",
          30_000,
        );
      }
    }
    await serves({ session: running[3] as RunningServer }, "after");
    const lists = client.lists.get("orders") ?? [];
    assert.deepEqual([...new Set(lists.filter((list) => list.length > 0).map(String))], ["10.0.0.1:80"]);
    assert.ok(lists.slice(lists.findIndex((list) => list.length > 0)).every((list) => list.length > 0));
    await nodes.start(["data"], metaAt(running[0] as RunningServer));
    await eventually(
      async () =>
        (await metric(running[0] as RunningServer, 'roster_node_peers_refused_total{reason="no secret"}')) +
        (await metric(running[0] as RunningServer, 'roster_tls_handshakes_total{port="node",outcome="failed"}')),
      (count) => count > 0,
    );
  });
}

test("a new certificate for links is shown to the next peer, and ends no link", async () => {
  const files = { cert: join(certificates.folder, "link.crt"), key: join(certificates.folder, "link.private") };
  const put = (name: string) => {
    const made = certificates.issue({ name, names: "URI:roster://default/*" });
    copyFileSync(made.cert, files.cert);
    copyFileSync(made.key, files.key);
  };
  put("link-1");
  const settings = { ...TLS, tlsNodeCertFile: files.cert, tlsNodeKeyFile: files.key };
  const running = await cluster(settings);
  await serves(running);
  put("link-2");
  for (const server of Object.values(running)) assert.equal(server.reload(), true);
  const more = await nodes.start(["session"], { ...metaAt(running.meta), ...settings });
  await serves({ session: more }, "more");
  assert.equal(await metric(running.session, 'roster_node_links_lost_total{link="data"}'), 0);
  assert.equal(await metric(running.session, 'roster_node_links_lost_total{link="meta"}'), 0);
});
