import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { ConnectionShares } from "../../base/connectionShares.ts";
import { type HttpRoute, textResponse } from "../../base/http.ts";
import { bindRoutes } from "./bindRoutes.ts";
import { createHttp, listenHttp } from "./listen.ts";

/** A server with one route and little patience, and the sockets that a test opens to it. */
async function serve(t: TestContext, connectionsMax = 100) {
  const app = createHttp({ requestMs: 100, checkMs: 20 });
  app.get("/livez", async () => "ok");
  app.post("/put", async () => "ok");
  t.after(() => app.close());
  const shares = new ConnectionShares(() => connectionsMax);
  const refused: string[] = [];
  const count = (reason: string) => void refused.push(reason);
  const port = await listenHttp(app, {
    key: "bolt-port",
    host: "127.0.0.1",
    port: 0,
    shares,
    refused: count,
    notAccepted: assert.fail,
  });
  const dial = async (localAddress = "127.0.0.1"): Promise<Socket> => {
    const socket = connect({ port, host: "127.0.0.1", localAddress });
    socket.on("error", () => undefined);
    t.after(() => socket.destroy());
    await once(socket, "connect");
    return socket;
  };
  const ask = async (text: string): Promise<string> => {
    const socket = await dial();
    socket.end(text);
    const chunks = await socket.toArray();
    return Buffer.concat(chunks).toString();
  };
  return { app, dial, ask, refused };
}

for (const [what, beginning] of [
  ["says nothing", ""],
  ["dribbles its headers in", "GET /livez HTTP/1.1\r\nhost: a\r\nx: "],
  ["does not send its body", "POST /put HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nx"],
] as const) {
  test(`a client that ${what} is closed when its time is over`, async (t) => {
    const { dial } = await serve(t);
    const socket = await dial();
    socket.write(beginning);
    socket.resume();
    await once(socket, "close");
  });
}

test("a query beyond the largest header is refused by its size", async (t) => {
  const { ask } = await serve(t);
  assert.match(await ask(`GET /livez?x=${"x".repeat(20_000)} HTTP/1.1\r\nhost: a\r\n\r\n`), /^HTTP\/1.1 431/);
});

for (const site of ["cross-site", "same-site"]) {
  test(`a request that a ${site} page makes a browser send is refused: an image has no origin`, async (t) => {
    const { ask } = await serve(t);
    const answer = await ask(`GET /livez HTTP/1.1\r\nhost: a\r\nsec-fetch-site: ${site}\r\nconnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1.1 400[\s\S]*HTTP_BAD_REQUEST[\s\S]*sec-fetch-site/);
  });
}

test("a body beyond the largest configuration value is refused by its size", async (t) => {
  const { ask } = await serve(t);
  const head = "POST /put HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n";
  assert.match(await ask(head), /^HTTP\/1.1 413[\s\S]*HTTP_BAD_REQUEST[\s\S]*bodyBytes=99999999, bodyBytesMax=65536/);
});

test("a body of another kind is refused with the kind that is taken", async (t) => {
  const { ask } = await serve(t);
  const head =
    "POST /put HTTP/1.1\r\nhost: a\r\ncontent-type: text/xml\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx";
  assert.match(await ask(head), /^HTTP\/1.1 415[\s\S]*contentType=text\/xml, expected=application\/json/);
});

test("one address does not take all connections of the port", async (t) => {
  const { dial, refused } = await serve(t, 8);
  const sockets = await Promise.all(Array.from({ length: 8 }, () => dial()));
  const closed = sockets.map((socket) => once(socket.resume(), "close").then(() => true));
  await Promise.race(closed);
  assert.ok(refused.includes("ADDRESS_CONNECTIONS_EXHAUSTED"));
  const other = await dial("127.0.0.2");
  other.write("GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  assert.match(Buffer.concat(await other.toArray()).toString(), /^HTTP\/1.1 200/);
});

test("what is repeated of a request in an answer has no control characters", async (t) => {
  const { ask } = await serve(t);
  const body = '{"a":\u202e}';
  const head = "POST /put HTTP/1.1\r\nhost: a\r\ncontent-type: application/json";
  const length = `content-length: ${Buffer.byteLength(body)}`;
  const answer = await ask(`${head}\r\n${length}\r\nconnection: close\r\n\r\n${body}`);
  assert.match(answer, /^HTTP\/1.1 400/);
  assert.doesNotMatch(answer, /\u202e/);
});

/** A server with a route for each segment, whose handler answers with what it was given. */
async function serveAny(t: TestContext): Promise<string> {
  const app = createHttp(undefined, (message, status) => textResponse(`no: ${message}`, status), "any");
  const handle: HttpRoute["handle"] = ({ params, body, respond }) => {
    const read = body instanceof Uint8Array ? `${body.length} bytes` : "nothing";
    respond(textResponse(`${JSON.stringify(params)} ${read}`));
  };
  const routes = ["GET", "POST"].map((method) => ({ method, path: "/it/:name", handle }) as HttpRoute);
  bindRoutes(
    app,
    { routes, refusal: (message, status) => textResponse(`no: ${message}`, status), requests: "any" },
    { hostNames: undefined },
  );
  t.after(() => app.close());
  return app.listen({ host: "127.0.0.1", port: 0 });
}

test("a port that takes any request gives its handlers decoded segments, and bodies as bytes", async (t) => {
  const url = await serveAny(t);
  const ask = async (path: string, init?: RequestInit) => (await fetch(url + path, init)).text();
  assert.equal(await ask("/it/10.0.0.1:a:80"), '{"name":"10.0.0.1:a:80"} nothing');
  assert.equal(await ask("/it/a%20b%2Fc"), '{"name":"a b/c"} nothing');
  for (const type of ["application/json", "application/xml", "text/plain", "x/y"]) {
    const headers = { "content-type": type };
    assert.equal(await ask("/it/a", { method: "POST", body: "{oh", headers }), '{"name":"a"} 3 bytes');
  }
});

for (const path of ["//it/a", "/it//a", "/it/../it/a", "/it/%2e%2E", "/it/%", "/it/%ff", "/it/.", "it/a", "/it/%zz"]) {
  test(`the path ${path} is refused there, in the form of the port`, async (t) => {
    const { port } = new URL(await serveAny(t));
    const socket = connect({ port: Number(port), host: "127.0.0.1" });
    socket.end(`GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
    const answer = Buffer.concat(await socket.toArray()).toString();
    assert.match(answer, path.startsWith("/") ? /^HTTP\/1.1 400[\s\S]*\r\n\r\nno: / : /^HTTP\/1.1 400/);
  });
}
