import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { type TestContext, test } from "node:test";
import type { SentOutcome, SentRequest } from "../base/httpSender.ts";
import { sendHttp } from "./sendHttp.ts";

async function serve(t: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}/`;
}

/** A port at which nothing listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${address.port}/`;
}

function send(url: string, changes: Partial<SentRequest> = {}): Promise<SentOutcome> {
  const request = { method: "POST", url, headers: { "content-type": "text/plain" }, body: "hello" } as const;
  const limits = { timeoutMs: 60_000, answerBytesMax: 100 };
  return new Promise((resolve) => sendHttp({ ...request, ...limits, ...changes }, resolve));
}

test("a request is answered with its status and bytes", async (t) => {
  const url = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    response.writeHead(409).end(`${request.method} ${request.headers["content-type"]} ${Buffer.concat(chunks)}`);
  });
  const outcome = await send(url);
  assert.ok("status" in outcome);
  assert.equal(outcome.status, 409);
  assert.equal(Buffer.from(outcome.body).toString(), "POST text/plain hello");
});

test("a redirect is an answer", async (t) => {
  const url = await serve(t, (_, response) => response.writeHead(302, { location: "/other" }).end());
  const outcome = await send(url);
  assert.equal("status" in outcome && outcome.status, 302);
});

test("an answer that is too long, too late, or does not come is a failure, in words", async (t) => {
  const long = await serve(t, (_, response) => response.end("x".repeat(101)));
  assert.deepEqual(await send(long), { failure: "the answer has more than 100 bytes" });
  const silent = await serve(t, () => undefined);
  assert.deepEqual(await send(silent, { timeoutMs: 20 }), { failure: "no answer in time" });
  const cut = await serve(t, (_, response) => {
    response.writeHead(200, { "content-length": "10" }).write("x");
    setImmediate(() => response.destroy());
  });
  assert.ok("failure" in (await send(cut)));
  const refused = await send(await closedPort());
  assert.match("failure" in refused ? refused.failure : "", /ECONNREFUSED/);
});
