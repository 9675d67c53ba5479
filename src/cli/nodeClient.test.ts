import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { type TestContext, test } from "node:test";
import { listInstances } from "../admin/operations/clients.ts";
import { drainNode, listNodes } from "../admin/operations/nodes.ts";
import { RegistryError } from "../base/errors.ts";
import { EXIT, exitCodeOf } from "./exitCodes.ts";
import { NodeClient } from "./nodeClient.ts";

// Nothing listens there, and fetch refuses the port 1 itself.
const GONE = "127.0.0.1:2";

/** A node that answers as told; the address of its port. */
async function nodeWith(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const address = server.address();
  return `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

async function failureOf(call: Promise<unknown>): Promise<RegistryError> {
  const error = await call.catch((reason: unknown) => reason);
  assert.ok(error instanceof RegistryError, String(error));
  return error;
}

test("the first node that answers is asked, and asked again", async (t) => {
  const asked: string[] = [];
  const url = await nodeWith(t, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('{"items": []}');
  });
  const client = new NodeClient([GONE, url]);
  assert.deepEqual(await client.ask(listNodes), { items: [] });
  await client.ask(listInstances, { address: ["10.0.0.1", "10.0.0.2"], limit: 5 });
  assert.deepEqual(asked, ["GET /v1/nodes", "GET /v1/instances?address=10.0.0.1&address=10.0.0.2&limit=5"]);
});

test("a change has its parameters in the body, and goes to the next node only if it was not sent", async (t) => {
  let changes = 0;
  const cutting = await nodeWith(t, ({ socket }) => {
    changes++;
    socket.destroy();
  });
  const bodies: string[] = [];
  const taking = await nodeWith(t, (request, response) => {
    request.setEncoding("utf8").on("data", (body: string) => bodies.push(body));
    request.on("end", () => response.writeHead(202).end("{}"));
  });
  await new NodeClient([GONE, taking]).ask(drainNode, { node: "n1" });
  assert.deepEqual(bodies, ['{"node":"n1"}']);
  const { code } = await failureOf(new NodeClient([cutting, taking]).ask(drainNode, { node: "n1" }));
  assert.deepEqual([code, changes, bodies.length], ["NODE_UNREACHABLE", 1, 1]);
});

test("no node that answers is a failure with all addresses and reasons", async () => {
  const error = await failureOf(new NodeClient([GONE, "no-such-host.invalid:9604"]).ask(listNodes));
  assert.match(error.message, /NODE_UNREACHABLE.*127\.0\.0\.1:2.*no-such-host\.invalid:9604/);
  assert.equal(exitCodeOf(error), EXIT.unreachable);
});

for (const [code, status, retry, exit] of [
  ["NODE_UNKNOWN", 404, false, EXIT.unknown],
  ["VERSION_CONFLICT", 409, false, EXIT.conflict],
  ["NODE_ASKED_UNREACHABLE", 503, true, EXIT.tryLater],
  ["A_CODE_OF_A_LATER_RELEASE", 400, false, EXIT.failed],
] as const) {
  test(`a refusal with ${code} keeps the node's words, and has the exit code ${exit}`, async (t) => {
    const message = `${code}: the reason and the remedy (node=n1)`;
    const url = await nodeWith(t, (_, response) => {
      response.writeHead(status).end(JSON.stringify({ error: { code, message, retry } }));
    });
    const error = await failureOf(new NodeClient([url]).ask(listNodes));
    assert.deepEqual([error.code, error.message, error.retry, exitCodeOf(error)], [code, message, retry, exit]);
  });
}

test("what listens there and is no node is named", async (t) => {
  for (const [status, body] of [
    [404, "<html>"],
    [200, "<html>"],
    [200, "[]"],
  ] as const) {
    const url = await nodeWith(t, (_, response) => response.writeHead(status).end(body));
    const error = await failureOf(new NodeClient([url]).ask(listNodes));
    assert.match(error.message, new RegExp(`OPERATION_FAILED.*${url}.*admin-port`));
  }
});

test("a parameter that is not allowed is refused without a node", async () => {
  const error = await failureOf(new NodeClient([GONE]).ask(listInstances, { address: ["10.0.0.0/8"] }));
  assert.deepEqual([error.code, exitCodeOf(error)], ["FIELD_INVALID", EXIT.wrongUsage]);
});

for (const url of ["9604", "", "ftp://a:1", "http://"]) {
  test(`"${url}" is no URL of a node`, () => assert.throws(() => new NodeClient([url]), /FIELD_INVALID.*--url/));
}

test("a token that a server has left proves nothing to another one: what needs no proof is answered", async (t) => {
  const seen: (string | undefined)[] = [];
  const url = await nodeWith(t, ({ headers: { authorization } }, response) => {
    seen.push(authorization);
    if (authorization === undefined) return void response.end("{}");
    response.writeHead(401).end('{"error": {"code": "CREDENTIALS_REFUSED", "message": "wrong", "retry": false}}');
  });
  const offered = new NodeClient([url], { credentialsFor: () => ({ value: "Bearer old", isOffered: true }) });
  assert.deepEqual(await offered.ask(listNodes), {});
  const chosen = new NodeClient([url], { credentialsFor: () => ({ value: "Bearer old" }) });
  assert.equal((await failureOf(chosen.ask(listNodes))).code, "CREDENTIALS_REFUSED", "a chosen one is never left out");
  assert.deepEqual(seen, ["Bearer old", undefined, "Bearer old"]);
});
