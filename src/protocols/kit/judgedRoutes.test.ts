import assert from "node:assert/strict";
import { test } from "node:test";
import { anonymous } from "../../access/principal.ts";
import { fail } from "../../base/errors.ts";
import { textResponse } from "../../base/http.ts";
import { asked } from "../../base/testing/asked.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { type AskingClient, type ClientAccess, type ClientWish, credentialsIn, OPEN_ACCESS } from "./clientAccess.ts";
import { type JudgedRoute, judgedRoutes } from "./judgedRoutes.ts";

const keyOf = (name: string) => makeServiceKey({ name, namespace: "", group: "" });

/** A route with this wish, with what its access was asked. */
function scene(wish: Pick<JudgedRoute, "asks"> & { readonly of?: unknown }, access: Partial<ClientAccess> = {}) {
  const clients: AskingClient[] = [];
  const wishes: ClientWish[] = [];
  const handle: JudgedRoute["handle"] = ({ respond }, { principal }) => respond(textResponse(principal.name));
  const judging: ClientAccess = {
    ...OPEN_ACCESS,
    ...access,
    identify(client, then) {
      clients.push(client);
      (access.identify ?? OPEN_ACCESS.identify)(client, then);
    },
    refusal(principal, one) {
      wishes.push(one);
      return access.refusal?.(principal, one);
    },
  };
  const route = { method: "GET", path: "/it", handle, ...wish } as JudgedRoute;
  const routes = judgedRoutes([route], { access: judging });
  return { routes, clients, wishes, ask: (changes = {}) => asked(routes, "GET /it", changes) };
}

test("a request is judged for each of its subjects, as the principal that its credentials prove", async () => {
  const { ask, clients, wishes } = scene({ asks: "publish", of: () => [keyOf("a"), keyOf("b")] });
  const { text } = await ask({ headers: { authorization: "Bearer abc" }, remoteAddress: "10.0.0.7" });
  assert.equal(text, "anonymous");
  const credentials = { kind: "token", token: "abc" };
  assert.deepEqual(clients, [{ from: "10.0.0.7", certificate: undefined, credentials, isOperator: false }]);
  assert.deepEqual(wishes, [
    { action: "publish", about: keyOf("a") },
    { action: "publish", about: keyOf("b") },
  ]);
});

test("one subject that is refused refuses the request", async () => {
  const refusal: ClientAccess["refusal"] = (_principal, wish) =>
    "about" in wish && wish.about === keyOf("b") ? fail("PERMISSION_NEEDED", {}) : undefined;
  const { ask } = scene({ asks: "list", of: () => [keyOf("a"), keyOf("b")] }, { refusal });
  assert.match(String((await ask()).refused), /PERMISSION_NEEDED/);
});

test("a request whose credentials prove nothing is refused, also where none are needed", async () => {
  const identify: ClientAccess["identify"] = (_client, then) => then(fail("CREDENTIALS_REFUSED", {}));
  const { ask } = scene({ asks: "open" }, { identify });
  assert.match(String((await ask()).refused), /CREDENTIALS_REFUSED/);
});

test("a principal that is found later is judged then", async () => {
  const identify: ClientAccess["identify"] = (_client, then) => setImmediate(() => then(anonymous("10.0.0.7")));
  const refusal = () => fail("CREDENTIALS_NEEDED", {});
  const { ask } = scene({ asks: "store", of: () => ({ namespace: "", group: "", name: "k" }) }, { identify, refusal });
  assert.match(String((await ask()).refused), /CREDENTIALS_NEEDED/);
});

test("an operation of operators is judged by its permission, and its credentials always count", async () => {
  const { ask, clients, wishes } = scene({ asks: "configure" });
  await ask();
  assert.deepEqual(wishes, [{ action: "configure" }]);
  assert.equal(clients[0]?.isOperator, true);
});

test("a route that judges each name itself is not called for a caller who may see none", async () => {
  const closed = scene({ asks: "fetch", of: "each" }, { reach: () => "none" });
  assert.match(String((await closed.ask()).refused), /CREDENTIALS_NEEDED/);
  const unnamed = scene({ asks: "fetch", of: () => [] }, { reach: () => "none" });
  assert.match(String((await unnamed.ask()).refused), /CREDENTIALS_NEEDED/);
  const some = scene({ asks: "fetch", of: "each" }, { reach: () => "some" });
  assert.equal((await some.ask()).status, 200);
});

test("a request that names no subject is refused for that", async () => {
  const of = () => {
    throw fail("FIELD_INVALID", { field: "service" });
  };
  assert.match(String((await scene({ asks: "list", of }).ask()).refused), /FIELD_INVALID/);
});

const HEADERS: readonly (readonly [header: string | readonly string[] | undefined, kind: string])[] = [
  [undefined, "none"],
  ["Bearer abc", "token"],
  ["bearer  abc ", "token"],
  ["Basic YTpi", "basic"],
  ["", "unreadable"],
  ["Bearer", "unreadable"],
  ["Digest a=b", "unreadable"],
  ["Bearer a b", "unreadable"],
  [["Bearer a", "Bearer b"], "unreadable"],
];

for (const [header, kind] of HEADERS) {
  test(`credentials in ${JSON.stringify(header)}: ${kind}`, () => assert.equal(credentialsIn(header).kind, kind));
}
