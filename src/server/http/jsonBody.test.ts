import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeep, JSON_DEPTH_MAX } from "./jsonBody.ts";
import { createHttp } from "./listen.ts";

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

test("as many lists and objects as allowed within each other are no deep body, and one more is", () => {
  assert.ok(!isDeep(nested(JSON_DEPTH_MAX)));
  assert.ok(isDeep(nested(JSON_DEPTH_MAX + 1)));
  assert.ok(isDeep('{"a":'.repeat(JSON_DEPTH_MAX + 1)), "also before it is known to be no JSON");
  assert.ok(!isDeep(`[${"[{}],".repeat(1_000)}[]]`), "many beside each other are not deep");
});

test("brackets in a text do not count, and a text ends where JSON ends it", () => {
  assert.ok(!isDeep(JSON.stringify({ data: "[{".repeat(1_000) })));
  assert.ok(!isDeep(JSON.stringify({ data: `\\"${"[".repeat(100)}` })));
  assert.ok(isDeep(`["\\\\",${nested(JSON_DEPTH_MAX)}]`));
});

test("a deep body is refused before a route sees it, and the next request is served", async (t) => {
  const app = createHttp();
  t.after(() => app.close());
  app.post("/put", async ({ body }) => JSON.stringify(body));
  const post = (payload: string) =>
    app.inject({ method: "POST", url: "/put", headers: { "content-type": "application/json" }, payload });
  const { statusCode, body } = await post(nested(30_000));
  assert.equal(statusCode, 400);
  assert.match(body, /HTTP_BAD_REQUEST.*at most 32 lists and objects/);
  assert.deepEqual(
    [(await post("[1]")).body, (await post("")).statusCode, (await post("[")).statusCode],
    ["[1]", 400, 400],
  );
});
