import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { createServer as createHttp } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { test } from "node:test";
import type { HttpProbe, Probe, ProbeOutcome } from "../../base/probes.ts";
import { createProbes } from "./probes.ts";

const open = createProbes({ allows: () => true, refusal: () => undefined });

function outcomeOf(probe: Probe, { probes = open, timeoutMs = 2_000 } = {}): Promise<ProbeOutcome> {
  return new Promise((resolve) => probes.probe(probe, timeoutMs, resolve));
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

/** A port at which no process listens. */
async function closedPort(): Promise<number> {
  const server = createTcp();
  const port = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function http(port: number, given: Partial<HttpProbe> = {}): HttpProbe {
  return {
    ...{ kind: "http", host: "127.0.0.1", port, isTls: false, isTlsUnchecked: false, method: "GET", path: "/" },
    ...{ headers: new Map(), expectedStatus: undefined },
    ...given,
  };
}

test("a connection that is accepted passes, one that is refused does not", async () => {
  const server = createTcp((socket) => socket.on("error", () => undefined));
  const port = await listen(server);
  assert.deepEqual(await outcomeOf({ kind: "tcp", host: "127.0.0.1", port }), {
    result: "passing",
    output: `TCP 127.0.0.1:${port}: connected`,
  });
  server.close();
  const closed = await closedPort();
  const refused = await outcomeOf({ kind: "tcp", host: "127.0.0.1", port: closed });
  assert.deepEqual(refused, { result: "critical", output: `TCP 127.0.0.1:${closed}: ECONNREFUSED` });
});

test("the status of an HTTP answer decides, and nothing else of it is kept", async () => {
  const seen: (readonly [string | undefined, string | undefined])[] = [];
  const server = createHttp((request, response) => {
    seen.push([request.headers.host, request.headers["x-check"] as string | undefined]);
    const status = Number(request.url?.slice(1) ?? 200);
    response.writeHead(status, { location: "http://169.254.169.254/" });
    response.end("a secret");
  });
  const port = await listen(server);
  const of = (path: string, given: Partial<HttpProbe> = {}) => outcomeOf(http(port, { path, ...given }));
  const ok = await of("/200", { host: "localhost", headers: new Map([["x-check", "1"]]) });
  assert.deepEqual(ok, { result: "passing", output: `HTTP GET localhost:${port}: 200` });
  assert.deepEqual(seen, [[`localhost:${port}`, "1"]]);
  assert.equal((await of("/429")).result, "warning");
  assert.equal((await of("/500")).result, "critical");
  assert.equal((await of("/302")).result, "critical", "redirects are not followed");
  assert.equal(seen.length, 4);
  assert.equal((await of("/302", { expectedStatus: 302 })).result, "passing");
  assert.equal((await of("/200", { expectedStatus: 204 })).result, "critical");
  server.closeAllConnections();
  server.close();
});

test("an answer that never ends, or never comes, is a failure in time", async () => {
  const server = createHttp((request, response) => {
    if (request.url !== "/endless") return;
    response.writeHead(200);
    const write = () => void response.write(Buffer.alloc(65_536));
    response.on("drain", write);
    write();
  });
  const port = await listen(server);
  assert.equal((await outcomeOf(http(port, { path: "/endless" }))).result, "passing", "the body is not waited for");
  const silent = await outcomeOf(http(port), { timeoutMs: 200 });
  assert.deepEqual(silent, { result: "critical", output: `HTTP 127.0.0.1:${port}: no answer within 200 ms` });
  server.closeAllConnections();
  server.close();
});

test("gRPC's health service is asked for its status", async () => {
  const requests: string[] = [];
  const server = createHttp2();
  server.on("stream", (stream, headers) => {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("end", () => {
      const request = Buffer.concat(parts);
      requests.push(`${String(headers[":path"])} ${request.toString("hex")}`);
      const isKnown = !request.toString("latin1").includes("unknown");
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": isKnown ? "0" : "5" }));
      const serving = request.toString("latin1").includes("down") ? 2 : 1;
      stream.end(isKnown ? Buffer.from([0, 0, 0, 0, 2, 8, serving]) : undefined);
    });
  });
  const port = await listen(server as unknown as Server);
  const of = (service: string) =>
    outcomeOf({ kind: "grpc", host: "127.0.0.1", port, isTls: false, isTlsUnchecked: false, service });
  assert.deepEqual(await of(""), { result: "passing", output: `gRPC 127.0.0.1:${port}: SERVING` });
  assert.deepEqual(await of("down"), { result: "critical", output: `gRPC 127.0.0.1:${port}/down: NOT_SERVING` });
  assert.deepEqual(await of("unknown"), {
    result: "critical",
    output: `gRPC 127.0.0.1:${port}/unknown: grpc-status 5`,
  });
  assert.deepEqual(requests[1], "/grpc.health.v1.Health/Check 00000000060a04646f776e");
  server.close();
  assert.equal(
    (
      await outcomeOf({
        kind: "grpc",
        host: "127.0.0.1",
        port: await closedPort(),
        isTls: false,
        isTlsUnchecked: false,
        service: "",
      })
    ).result,
    "critical",
  );
});

test("a datagram to a closed port fails, silence passes", async () => {
  const silent = createSocket("udp4");
  await new Promise<void>((resolve) => silent.bind(0, "127.0.0.1", resolve));
  const { port } = silent.address();
  assert.equal((await outcomeOf({ kind: "udp", host: "127.0.0.1", port }, { timeoutMs: 200 })).result, "passing");
  silent.close();
  const closed = await outcomeOf({ kind: "udp", host: "127.0.0.1", port });
  assert.deepEqual(closed, { result: "critical", output: `UDP 127.0.0.1:${port}: ECONNREFUSED` });
});

test("nothing is sent to an address that is not allowed, whichever name stands for it", async () => {
  let connections = 0;
  const server = createTcp(() => connections++);
  const port = await listen(server);
  const probes = createProbes({
    allows: (address) => address !== "127.0.0.1" && address !== "::1",
    refusal: () => undefined,
  });
  for (const host of ["127.0.0.1", "localhost"]) {
    const { result, output } = await outcomeOf({ kind: "tcp", host, port }, { probes });
    assert.equal(result, "denied");
    assert.match(output, /is not looked at: see active-check-addresses/);
  }
  const off = createProbes({ allows: () => true, refusal: () => "active-checks is off at this node" });
  const { result } = await outcomeOf({ kind: "tcp", host: "127.0.0.1", port }, { probes: off });
  assert.equal(result, "denied");
  server.close();
  assert.equal(connections, 0);
});

test("a name without an address is a failure", async () => {
  const { result, output } = await outcomeOf({ kind: "tcp", host: "nothing.invalid", port: 80 });
  assert.equal(result, "critical");
  assert.match(output, /^nothing\.invalid: no address/);
});

test("a probe that was cancelled says nothing", async () => {
  const server = createTcp((socket) => socket.on("error", () => undefined));
  const port = await listen(server);
  let outcomes = 0;
  const cancel = open.probe({ kind: "tcp", host: "127.0.0.1", port }, 1_000, () => outcomes++);
  cancel();
  cancel();
  // A later one is over after it.
  await outcomeOf({ kind: "tcp", host: "127.0.0.1", port });
  assert.equal(outcomes, 0);
  server.close();
});
