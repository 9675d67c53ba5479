import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type HttpRoute, type HttpRouteTable, textResponse } from "../../base/http.ts";
import { bindRoutes } from "./bindRoutes.ts";
import { createHttp } from "./listen.ts";
import { wrongMethodOf } from "./wrongMethod.ts";

const handle: HttpRoute["handle"] = ({ respond }) => respond(textResponse("a route"));
const ROUTES: readonly HttpRoute[] = [
  { method: "GET", path: "/v1/service/:id", handle },
  { method: "PUT", path: "/v1/service/register", handle },
  { method: "GET", path: "/v1/kv/*", handle },
  { method: "PUT", path: "/v1/kv/*", handle },
  { method: "GET", path: "/v1/a.b", handle },
];

async function serve(t: TestContext, changes: Pick<HttpRouteTable, "wrongMethod">): Promise<string> {
  const refusal = (message: string, status: number) => textResponse(message, status);
  const table: HttpRouteTable = { routes: ROUTES, refusal, requests: "any", ...changes };
  const app = createHttp(undefined, refusal, "any", wrongMethodOf(table));
  bindRoutes(app, table, { hostNames: undefined });
  t.after(() => app.close());
  return app.listen({ host: "127.0.0.1", port: 0 });
}

const wrongMethod = (method: string, methods: readonly string[]) =>
  ({ ...textResponse(`no ${method}`, 405), headers: { allow: methods.join() } }) as const;

const CASES: readonly [asked: string, status: number, allow: string | null][] = [
  ["GET /v1/service/web", 200, null],
  ["GET /v1/service/register", 200, null],
  ["PUT /v1/service/web", 405, "GET"],
  ["POST /v1/service/register", 405, "PUT"],
  ["DELETE /v1/kv/a/b/c", 405, "GET,PUT"],
  ["OPTIONS /v1/kv/", 405, "GET,PUT"],
  ["PATCH /v1/a.b", 405, "GET"],
  ["PATCH /v1/aXb", 404, null],
  ["PUT /v1/service/web/more", 404, null],
  ["PUT /v1/service/", 404, null],
  ["PUT /v1", 404, null],
  ["PUT /other/v1/service/web", 404, null],
];

for (const [asked, status, allow] of CASES) {
  const [method = "", path = ""] = asked.split(" ");
  test(`${asked} is answered with ${status} where a table answers wrong methods`, async (t) => {
    const url = await serve(t, { wrongMethod });
    const answer = await fetch(`${url}${path}`, { method });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [status, allow]);
    const { status: without } = await fetch(`${await serve(t, {})}${path}`, { method });
    assert.equal(without, status === 405 ? 404 : status);
  });
}
