import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { BoltDecoder } from "../encoding/bolt/decoder.ts";
import { encodeHeartbeat, encodeRequest } from "../encoding/bolt/encode.ts";
import { BOLT_V1, type BoltFrame } from "../encoding/bolt/frame.ts";
import { configWith } from "./config/load.ts";
import type { Config } from "./config/table.ts";
import { type RunningServer, startServer } from "./start.ts";

const FREE = {
  boltPort: 0,
  eurekaPort: 0,
  nacosPort: 0,
  nacosGrpcPort: 0,
  zookeeperPort: 0,
  consulPort: 0,
  dnsPort: 0,
  httpPort: 0,
  metaHttpPort: 0,
  dataHttpPort: 0,
  adminPort: 0,
  logLevel: "error",
} as const;
const directories: string[] = [];

function newConfig(changes: Partial<Config> = {}): Config {
  const dataDir = mkdtempSync(join(tmpdir(), "roster-start-"));
  directories.push(dataDir);
  return configWith({ ...FREE, dataDir, ...changes });
}

let server: RunningServer;
before(async () => {
  server = await startServer(newConfig({ frameBytesMax: 64 * 1024, clientConnectionsMax: 3 }));
});
after(async () => {
  await server.close();
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

const hasCode = (code: string) => (error: unknown) => error instanceof RegistryError && error.code === code;

/** A request whose path is sent exactly as written, which fetch would not do. */
function rawGet(port: number, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.once("error", reject);
    socket.once("end", () => {
      resolve({ status: Number(text.split(" ", 2)[1]), body: text.slice(text.indexOf("\r\n\r\n") + 4) });
    });
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
}

function bolt(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.ports.bolt, "127.0.0.1", () => resolve(socket));
    socket.once("error", reject);
  });
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.resume();
    socket.once("close", () => resolve());
  });

test("clients are told the address by which they came in, with and without a weight", async () => {
  const { http, bolt: port } = server.ports;
  const answers = await Promise.all(
    ["query", "queryWithWeight", "query.json", "dataCenter", "alive", "connectionNum"].map((name) =>
      rawGet(http, `/api/servers/${name}?zone=null&dataCenter=X&appName=null&env=null`),
    ),
  );
  assert.deepEqual(
    answers.map(({ body }) => body),
    [`127.0.0.1:${port}`, `127.0.0.1:${port}?weight=0`, `["127.0.0.1:${port}"]`, `["127.0.0.1:${port}"]`, "OK", "0"],
  );
});

test("a service's slot is answered in SOFARegistry's shape", async () => {
  const { body } = await rawGet(server.ports.http, "/api/servers/slot?dataInfoId=a%23@%23b%23@%23c");
  const slot = JSON.parse(body) as Record<string, unknown>;
  assert.deepEqual(Object.keys(slot).sort(), ["followers", "id", "leader", "leaderEpoch"]);
  assert.equal(slot["leader"], "127.0.0.1");
});

for (const path of [
  "//api/servers/alive",
  "/api//servers/alive",
  "/api/./servers/alive",
  "/api/../api/servers/alive",
  "/api%2fservers%2falive",
  "/api/%2e%2e/servers/alive",
  "/api/servers/alive;x=y",
  "/api/servers/alive\\",
]) {
  test(`${path} is refused, since it changes under normalisation`, async () => {
    const { status, body } = await rawGet(server.ports.http, path);
    assert.equal(status, 400);
    assert.ok(body.includes("HTTP_BAD_REQUEST"), body);
  });
}

test("an unknown route and a wrong method are 404, and state never changes by GET", async () => {
  const { http, metaHttp } = server.ports;
  assert.equal((await rawGet(http, "/api/servers/nothing")).status, 404);
  assert.equal((await rawGet(metaHttp, "/persistentData/put")).status, 404);
});

test("a configuration value is put, asked for and removed", async () => {
  const url = `http://127.0.0.1:${server.ports.metaHttp}/persistentData`;
  const post = async (path: string, body: unknown) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${url}/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    return (await response.json()) as { success: boolean; message: string | null };
  };
  const ask = async () => {
    const response = await fetch(`${url}/query?dataInfoId=${encodeURIComponent("key#@#DEFAULT_INSTANCE_ID#@#G")}`);
    return ((await response.json()) as { data: { data: string } | null }).data?.data;
  };
  assert.deepEqual(await post("put", { dataId: "key", group: "G", data: "é" }), { success: true, message: null });
  assert.equal(await ask(), "é");
  assert.equal((await post("remove", { dataId: "key", group: "G" })).success, true);
  assert.equal(await ask(), undefined);
  assert.equal((await post("put", { dataId: "", data: "x" })).success, false);
  assert.equal((await post("put", { data: 1 })).success, false);
});

test("a configuration value larger than it may be, and one too many, are refused with the bound", async () => {
  const small = await startServer(newConfig({ configValueBytesMax: 1_024, configValuesMax: 1 }));
  try {
    const url = `http://127.0.0.1:${small.ports.metaHttp}/persistentData/put`;
    const put = async (dataId: string, data: string) => {
      const headers = { "content-type": "application/json" };
      const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ dataId, data }) });
      return [response.status, ((await response.json()) as { message: string | null }).message] as const;
    };
    assert.deepEqual(await put("a", "x".repeat(1_024)), [200, null]);
    const [status, message] = await put("a", "x".repeat(1_025));
    assert.equal(status, 400);
    assert.match(message ?? "", /CONFIG_VALUE_TOO_LARGE.*configValueBytesMax=1024/);
    assert.match((await put("b", "x"))[1] ?? "", /CONFIG_VALUES_EXHAUSTED.*configValuesMax=1/);
    assert.equal((await put("a", "x".repeat(5_000_000)))[0], 413);
  } finally {
    await small.close();
  }
});

test("a page of another origin can neither ask nor change anything", async () => {
  const url = `http://127.0.0.1:${server.ports.metaHttp}/persistentData/put`;
  const headers = { "content-type": "application/json", origin: "http://evil.example" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify({ dataId: "a", data: "b" }) });
  assert.equal(response.status, 400);
});

test("fields of a wrong type and a key that is named twice are refused", async () => {
  const url = `http://127.0.0.1:${server.ports.metaHttp}/persistentData`;
  const headers = { "content-type": "application/json" };
  const bodies = [
    { dataId: "a", data: null },
    { dataId: ["a"], data: "b" },
    { dataId: "a", data: true, group: 7 },
  ];
  for (const body of bodies) {
    const response = await fetch(`${url}/put`, { method: "POST", headers, body: JSON.stringify(body) });
    assert.equal(response.status, 400, JSON.stringify(body));
  }
  assert.equal((await fetch(`${url}/query?dataInfoId=a&dataInfoId=b`)).status, 400);
});

test("heartbeats are answered on a connection that also sends its bytes one by one", async () => {
  const socket = await bolt();
  const frames: BoltFrame[] = [];
  const decoder = new BoltDecoder({ frameBytesMax: 1024 });
  const answered = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      // The server also asks whether the client is there.
      decoder.push(chunk, (frame) => {
        if (frame.kind === "response") frames.push(frame);
      });
      if (frames.length === 2) resolve();
    });
  });
  for (const byte of encodeHeartbeat(BOLT_V1, 1, 1)) socket.write(Uint8Array.of(byte));
  socket.write(encodeHeartbeat(BOLT_V1, 2, 1));
  await answered;
  assert.deepEqual(
    frames.map(({ id }) => id),
    [1, 2],
  );
  socket.destroy();
});

const BAD: [string, Uint8Array][] = [
  ["an HTTP request", new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")],
  [
    "a frame over frame-bytes-max",
    encodeRequest(BOLT_V1, { id: 1, codec: 1, timeoutMs: 1, className: "x", content: new Uint8Array(70_000) }),
  ],
  ["a damaged sum", damaged()],
];
for (const [what, bytes] of BAD) {
  test(`${what} closes its own connection and is counted; others go on`, async () => {
    const [bad, good] = [await bolt(), await bolt()];
    bad.write(bytes);
    await closed(bad);
    const answer = new Promise((resolve) => good.once("data", resolve));
    good.write(encodeHeartbeat(BOLT_V1, 1, 1));
    await answer;
    good.destroy();
    const { body } = await rawGet(server.ports.http, "/metrics");
    assert.match(body, /roster_connections_closed_total\{reason="BOLT_/);
  });
}

function damaged(): Uint8Array {
  const content = new Uint8Array(8);
  const frame = encodeRequest(
    { protocol: 2, version: 2, crc: true },
    { id: 1, codec: 1, timeoutMs: 1, className: "x", content },
  );
  frame[frame.length - 1] = (frame.at(-1) ?? 0) ^ 1;
  return frame;
}

test("connections beyond the limit are turned away, and there is room again when one ends", async () => {
  const open = [await bolt(), await bolt(), await bolt()];
  await closed(await bolt());
  const [first] = open;
  first?.destroy();
  for (;;) {
    const socket = await bolt();
    const isServed = await new Promise<boolean>((resolve) => {
      socket.once("data", () => resolve(true));
      socket.once("close", () => resolve(false));
      socket.write(encodeHeartbeat(BOLT_V1, 1, 1));
    });
    socket.destroy();
    if (isServed) break;
  }
  for (const socket of open) socket.destroy();
});

test("a data directory is served by one process at a time, and by the next after it", async () => {
  const config = newConfig();
  const first = await startServer(config);
  await assert.rejects(startServer(config), hasCode("DATA_DIR_IN_USE"));
  await first.close();
  const second = await startServer(config);
  await second.close();
  await second.close();
});

test("a port that is in use is named, and nothing is left running", async () => {
  const config = newConfig({ boltPort: server.ports.bolt });
  await assert.rejects(startServer(config), hasCode("ADDRESS_IN_USE"));
  const again = await startServer({ ...config, boltPort: 0 });
  await again.close();
});

test("a data directory of another cluster is refused", async () => {
  const config = newConfig();
  await (await startServer(config)).close();
  await assert.rejects(startServer({ ...config, clusterName: "other" }), hasCode("CONFIG_INVALID"));
});

test("listening beyond loopback needs the word insecure", async () => {
  await assert.rejects(startServer(newConfig({ bind: "0.0.0.0" })), hasCode("BIND_REFUSED"));
});
