// TLS at the ports of running servers, seen by openssl, curl and a client.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { LOCAL_NAMES, TestCertificates } from "../../transport/testing/certificates.ts";
import type { Config } from "../config/table.ts";
import { eventually } from "../testing/eventually.ts";
import { TestClient } from "../testing/testClient.ts";
import { TestNodes } from "../testing/testNodes.ts";

const run = promisify(execFile);
const nodes = new TestNodes();
const clients: TestClient[] = [];
after(async () => {
  for (const client of clients) client.close();
  await nodes.close();
});
const certificates = new TestCertificates({ after });
const server = certificates.issue({ name: "server" });
const operator = certificates.issue({ name: "operator" });
const CA = certificates.read(certificates.ca);
const TLS = { tlsCertFile: server.cert, tlsKeyFile: server.key };
const MUTUAL = { ...TLS, tlsClientCaFile: certificates.ca, tlsClientAuth: "require" } as const;

const start = (changes: Partial<Config>) => nodes.start(["session", "data", "meta"], { nodePort: -1, ...changes });

interface Ran {
  readonly code: number;
  readonly out: string;
}

/** What a command prints, and how it ends. */
async function ran(command: string, ...args: readonly string[]): Promise<Ran> {
  const child = run(command, args, { timeout: 30_000 });
  child.child.stdin?.end();
  try {
    const { stdout, stderr } = await child;
    return { code: 0, out: stdout + stderr };
  } catch (error) {
    const { code, stdout = "", stderr = "" } = error as { code?: number; stdout?: string; stderr?: string };
    return { code: Number(code), out: stdout + stderr };
  }
}

const curl = (url: string, ...more: readonly string[]) =>
  ran("curl", "--silent", "--show-error", "--max-time", "10", "--cacert", certificates.ca, ...more, url);
const sClient = (port: number, ...more: readonly string[]) =>
  ran(
    "openssl",
    "s_client",
    "-connect",
    `127.0.0.1:${port}`,
    "-CAfile",
    certificates.ca,
    "-verify_return_error",
    ...more,
  );

function clientOf(port: number, tls?: { readonly cert?: Buffer; readonly key?: Buffer }): TestClient {
  const client = new TestClient(() => port, { tls: { ca: CA, ...tls } });
  clients.push(client);
  return client;
}

test("every port for clients and operators is safe, and takes nothing else", async () => {
  const { ports } = await start(TLS);
  const open = {
    bolt: ports.bolt,
    http: ports.http,
    metaHttp: ports.metaHttp,
    dataHttp: ports.dataHttp,
    admin: ports.admin,
  };
  for (const [name, port] of Object.entries(open)) {
    const shaken = await sClient(port);
    assert.match(shaken.out, /Verify return code: 0 \(ok\)/, name);
    assert.match(shaken.out, /TLSv1\.3/, name);
    assert.equal((await sClient(port, "-tls1_1", "-cipher", "ALL@SECLEVEL=0")).code, 1, name);
    assert.equal((await sClient(port, "-tls1_2", "-cipher", "AES128-SHA")).code, 1, name);
  }
  for (const port of [ports.http, ports.metaHttp, ports.dataHttp, ports.admin]) {
    assert.match((await curl(`https://localhost:${port}/livez`)).out, /ok/);
    assert.notEqual((await curl(`http://localhost:${port}/livez`)).code, 0);
  }
});

test("clients publish and are pushed to through TLS, large lists too", async () => {
  const { ports } = await start(TLS);
  const [publisher, subscriber] = [clientOf(ports.bolt), clientOf(ports.bolt)];
  subscriber.subscribe("orders");
  const large = "x".repeat(700_000);
  publisher.publish("orders", large);
  await eventually(
    () => subscriber.list("orders").length,
    (length) => length === large.length,
  );
  const page = (await curl(`https://localhost:${ports.http}/metrics`)).out;
  assert.match(page, /roster_tls_handshakes_total\{port="bolt",outcome="ok"\} 2/);
  const expiry = /roster_tls_certificate_expiry_timestamp_seconds\{certificate="server"\} (\S+)/.exec(page)?.[1];
  assert.ok(Math.abs(Number(expiry) * 1_000 - Date.now() - 365 * 86_400_000) < 600_000);
});

test("clients and operators without a certificate are refused where each needs one", async () => {
  const { ports } = await start(MUTUAL);
  const known = ["--cert", operator.cert, "--key", operator.key];
  for (const port of [ports.http, ports.metaHttp, ports.dataHttp, ports.admin]) {
    assert.notEqual((await curl(`https://localhost:${port}/livez`)).code, 0);
    assert.match((await curl(`https://localhost:${port}/livez`, ...known)).out, /ok/);
  }
  const [stranger, client] = [
    clientOf(ports.bolt),
    clientOf(ports.bolt, { cert: certificates.read(operator.cert), key: certificates.read(operator.key) }),
  ];
  client.subscribe("orders");
  client.publish("orders", "10.0.0.1:80");
  stranger.publish("orders", "10.0.0.9:80");
  await eventually(
    () => client.list("orders"),
    (list) => list === "10.0.0.1:80",
  );
  await eventually(
    () => stranger.connections,
    (connections) => connections > 3,
  );
  assert.equal(client.list("orders"), "10.0.0.1:80");
});

test("during a migration one port takes both kinds, HTTP too", async () => {
  const { ports } = await start({ ...TLS, tlsPlainPorts: ["clients", "http"] });
  const plain = new TestClient(() => ports.bolt);
  clients.push(plain);
  const safe = clientOf(ports.bolt);
  for (const client of [plain, safe]) client.subscribe("orders");
  plain.publish("orders", "10.0.0.1:80");
  safe.publish("orders", "10.0.0.2:80");
  for (const client of [plain, safe]) {
    await eventually(
      () => client.list("orders"),
      (list) => list === "10.0.0.1:80 10.0.0.2:80",
    );
  }
  assert.match((await curl(`http://localhost:${ports.http}/livez`)).out, /ok/);
  assert.match((await curl(`https://localhost:${ports.http}/livez`)).out, /ok/);
  assert.notEqual((await curl(`http://localhost:${ports.admin}/livez`)).code, 0);
});

test("kinds of ports that are left out have no TLS", async () => {
  const { ports } = await start({ ...TLS, tlsPorts: ["clients"] });
  assert.match((await curl(`http://localhost:${ports.admin}/livez`)).out, /ok/);
  assert.match((await sClient(ports.bolt)).out, /Verify return code: 0 \(ok\)/);
});

test("a name with several addresses is safe at each of them", async () => {
  const { ports } = await start({ ...TLS, adminBind: "localhost" });
  for (const host of ["127.0.0.1", "[::1]"]) {
    assert.notEqual((await curl(`http://${host}:${ports.admin}/livez`)).code, 0, host);
  }
});

test("a server that can't read its certificate does not start, and names the key and the file", async () => {
  await assert.rejects(start({ tlsCertFile: "/nowhere/tls.crt", tlsKeyFile: server.key }), {
    message: /CONFIG_INVALID.*key=tls-cert-file, file=\/nowhere\/tls\.crt/,
  });
});

test("a new certificate takes effect while the server runs, and ends no connection", async () => {
  const files = { cert: join(certificates.folder, "live.crt"), key: join(certificates.folder, "live.private") };
  const put = ({ cert, key }: { cert: string; key: string }) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  put(certificates.issue({ name: "first" }));
  const { ports } = await start({ tlsCertFile: files.cert, tlsKeyFile: files.key });
  const client = clientOf(ports.bolt);
  client.subscribe("orders");
  client.publish("orders", "10.0.0.1:80");
  await eventually(
    () => client.list("orders"),
    (list) => list !== "",
  );
  put(certificates.issue({ name: "second", names: LOCAL_NAMES }));
  for (const port of [ports.bolt, ports.admin]) {
    await eventually(
      async () => (await sClient(port)).out,
      (out) => /subject=CN ?= ?second/.test(out),
    );
  }
  client.publish("orders", "10.0.0.2:80");
  await eventually(
    () => client.list("orders"),
    (list) => list === "10.0.0.1:80 10.0.0.2:80",
  );
  assert.equal(client.connections, 1);
});

test("certificates are exchanged while lists are pushed, and no push fails", async () => {
  const files = { cert: join(certificates.folder, "busy.crt"), key: join(certificates.folder, "busy.private") };
  const put = ({ cert, key }: { cert: string; key: string }) => {
    copyFileSync(cert, files.cert);
    copyFileSync(key, files.key);
  };
  put(certificates.issue({ name: "busy-0" }));
  const { ports, page } = await start({ tlsCertFile: files.cert, tlsKeyFile: files.key });
  const readers = Array.from({ length: 20 }, () => clientOf(ports.bolt));
  for (const reader of readers) reader.subscribe("busy");
  const publisher = clientOf(ports.bolt);
  for (let exchange = 1; exchange <= 3; exchange++) {
    const name = `busy-${exchange}`;
    put(certificates.issue({ name }));
    for (let change = 0; change < 10; change++) {
      const address = `10.0.${exchange}.${change}:80`;
      publisher.publish("busy", address);
      await eventually(
        () => readers[0]?.list("busy"),
        (list) => list?.includes(address) === true,
      );
    }
    const subject = new RegExp(`subject=CN ?= ?${name}`);
    await eventually(
      async () => (await sClient(ports.bolt)).out,
      (out) => subject.test(out),
    );
  }
  const sizes = () => readers.map((reader) => (reader.list("busy") ?? "").split(" ").length);
  await eventually(sizes, (found) => found.every((size) => size === 30));
  assert.ok([...readers, publisher].every(({ connections }) => connections === 1));
  const metrics = (await page.render(""))?.body ?? "";
  assert.match(metrics, /^roster_pushes_total\{outcome="answered"\} \d/m);
  assert.doesNotMatch(metrics, /^roster_pushes_total\{outcome="(refused|timeout)"\} [1-9]/m);
});

test("a half-open handshake keeps no server from stopping", async () => {
  const running = await start(TLS);
  const [bolt, admin] = [running.ports.bolt, running.ports.admin];
  const { connect } = await import("node:net");
  const sockets = [bolt, admin].map((port) => connect(port, "127.0.0.1").on("error", () => undefined));
  await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve))));
  await eventually(
    async () => (await curl(`https://localhost:${admin}/metrics`)).out,
    (page) => /roster_tls_handshakes_open\{port="bolt"\} 1/.test(page),
  );
  const startedMs = performance.now();
  await nodes.stop(running);
  assert.ok(performance.now() - startedMs < 5_000);
});
