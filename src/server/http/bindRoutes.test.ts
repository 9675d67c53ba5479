import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { type HttpExchange, type HttpRoute, jsonResponse, textResponse } from "../../base/http.ts";
import { bindRoutes } from "./bindRoutes.ts";
import { createHttp } from "./listen.ts";

/** A server with this route, whose refusals are plain text. */
function bound(route: Partial<HttpRoute>, elsewhere?: () => string | undefined) {
  const app = createHttp();
  const whole: HttpRoute = {
    method: "GET",
    path: "/it/:name",
    handle: ({ respond }) => respond(textResponse("ok")),
    ...route,
  };
  bindRoutes(
    app,
    { routes: [whole], refusal: (message, status) => textResponse(`no: ${message}`, status) },
    { elsewhere, hostNames: new Set(["own.test"]) },
  );
  return app;
}

test("a handler sees the request and answers it, at once or later", async () => {
  const seen: Partial<HttpExchange>[] = [];
  const app = bound({
    method: "PUT",
    handle: (exchange) => {
      const { method, path, params, query, body, localAddress } = exchange;
      seen.push({ method, path, params, query, body, localAddress });
      setImmediate(() => exchange.respond(jsonResponse({ a: 1 }, 201)));
    },
  });
  const answer = await app.inject({ method: "PUT", url: "/it/one?x=1&y=2&y=3", payload: { b: 2 } });
  assert.deepEqual(
    [answer.statusCode, answer.json(), answer.headers["content-type"]],
    [201, { a: 1 }, "application/json; charset=utf-8"],
  );
  const query = { x: "1", y: ["2", "3"] };
  assert.deepEqual(
    seen.map(({ method, path, params, query, body }) => ({
      method,
      path,
      params: { ...params },
      query: { ...query },
      body,
    })),
    [{ method: "PUT", path: "/it/one", params: { name: "one" }, query, body: { b: 2 } }],
  );
});

for (const [what, handle] of [
  [
    "thrown",
    () => {
      throw fail("FIELD_INVALID", { field: "x" });
    },
  ],
  ["handed over later", ({ refuse }) => void setImmediate(() => refuse(fail("FIELD_INVALID", { field: "x" })))],
] as const satisfies readonly (readonly [string, HttpRoute["handle"]])[]) {
  test(`an error that is ${what} is answered in the table's form`, async () => {
    const { statusCode, body } = await bound({ handle }).inject("/it/one");
    assert.equal(statusCode, 400);
    assert.match(body, /^no: FIELD_INVALID.*field=x/);
  });
}

test("what the schema does not allow, and a body that is too large, is refused in the table's form", async () => {
  const schema = { body: { type: "object", required: ["data"], properties: { data: { type: "string" } } } };
  const app = bound({ method: "POST", schema, bodyBytesMax: 100, handle: () => assert.fail() });
  const post = async (payload: object) => {
    const { statusCode, body } = await app.inject({ method: "POST", url: "/it/one", payload });
    return `${statusCode} ${body}`;
  };
  assert.match(await post({ data: 1 }), /^400 no: FIELD_INVALID.*field=data/);
  assert.match(await post({ data: "x".repeat(200) }), /^413 no: HTTP_BAD_REQUEST.*bodyBytesMax=100/);
});

test("what only the leader answers is sent there while there is one elsewhere", async () => {
  let leader: string | undefined = "http://10.0.0.9:9615/it/one?x=1";
  const forLeader = bound({ isForLeader: true }, () => leader);
  const { statusCode, headers, body } = await forLeader.inject("/it/one?x=1");
  assert.deepEqual([statusCode, headers["location"], body], [307, leader, "no: the leader is at 10.0.0.9:9615"]);
  assert.equal((await bound({}, () => leader).inject("/it/one")).statusCode, 200, "others answer for themselves");
  leader = undefined;
  assert.equal((await forLeader.inject("/it/one")).statusCode, 200);
});

test("a caller that goes before its answer is told of, and an answer after that is dropped", async (t) => {
  const { promise: gone, resolve } = Promise.withResolvers<HttpExchange>();
  const app = bound({ handle: (exchange) => exchange.onGone(() => resolve(exchange)) });
  t.after(() => app.close());
  const url = await app.listen({ host: "127.0.0.1", port: 0 });
  const caller = new AbortController();
  const answer = fetch(`${url}/it/one`, { signal: caller.signal });
  await once(app.server, "request");
  caller.abort();
  await assert.rejects(answer);
  (await gone).respond(textResponse("too late"));
});

test("a page that resolves to this machine reads nothing but what is for clients", async () => {
  const status = async (route: Partial<HttpRoute>, host: string, authorization?: string) =>
    (await bound(route).inject({ url: "/it/one", headers: { host, ...(authorization && { authorization }) } }))
      .statusCode;
  assert.equal(await status({}, "evil.example.com:9604"), 400);
  assert.equal(await status({}, "own.test:9604"), 200);
  assert.equal(await status({ isForClients: true }, "evil.example.com:9604"), 200);
  assert.equal(await status({}, "evil.example.com:9604", "Bearer x"), 400);
  assert.equal(await status({ areCredentialsChecked: true }, "evil.example.com:9604", "Bearer x"), 200);
});
