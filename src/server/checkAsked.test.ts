import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type HttpRoute, textResponse } from "../base/http.ts";
import { PORT } from "../base/keySpec.ts";
import type { Gateway, OpenGateway } from "../protocols/kit/gateway.ts";
import type { GatewayMetrics } from "./metrics.ts";
import { TestNodes } from "./testing/testNodes.ts";

const NOTHING = () => undefined;
const silent = () => ({ received: NOTHING, drained: NOTHING, closed: NOTHING });
const route = (changes: Partial<HttpRoute> = {}): HttpRoute => {
  return { method: "GET", path: "/some", handle: ({ respond }) => respond(textResponse("some")), ...changes };
};
const table = (one: HttpRoute) => ({ routes: [route({ path: "/good", asks: "open" }), one], refusal: textResponse });
const listeners = [{ kind: "tcp", key: "some-port", accept: silent }] as const;

type Parts = Partial<OpenGateway> & { readonly data?: HttpRoute; readonly meta?: HttpRoute };

const CASES: readonly (readonly [what: string, parts: Parts, refused: RegExp | undefined])[] = [
  ["a route that asks for something", { routes: table(route({ asks: "list" })) }, undefined],
  ["a route that asks for nothing", { routes: table(route()) }, /some: the route GET \/some/],
  ["a route that asks for what there is not", { routes: table(route({ asks: "everything" })) }, /"everything"/],
  [
    "a route of its own port that asks for nothing",
    { listeners: [{ kind: "http", key: "some-port", routes: table(route()) }] },
    /some: the route GET \/some/,
  ],
  ["a route at data-http-port that asks for nothing", { data: route() }, /some: the route GET \/some/],
  ["a route at meta-http-port that asks for nothing", { meta: route() }, /some: the route GET \/some/],
  ["requests that say what they ask for", { listeners, requests: [{ name: "a", asks: "publish" }] }, undefined],
  ["no request of its port says what it asks for", { listeners }, /some-port has requests/],
  [
    "a request that asks for what there is not",
    { listeners, requests: [{ name: "a", asks: "" as "open" }] },
    /some: the request a /,
  ],
];

for (const [what, { data, meta, ...open }, refused] of CASES) {
  test(`a protocol with ${what} ${refused === undefined ? "is served" : "keeps the node from starting"}`, async () => {
    const gateway: Gateway<unknown, GatewayMetrics> = {
      name: "some",
      configKeys: { "some-port": { section: "Network", ...PORT, default: 7_000, about: "Some.", cost: "Nothing." } },
      errors: {},
      metrics: {},
      load: async () => ({
        open: () => ({ listeners: [], ...open }),
        ...(data && { dataRoutes: () => table(data) }),
        ...(meta && { metaRoutes: () => table(meta) }),
      }),
    };
    const own = new TestNodes([gateway]);
    after(() => own.close());
    const started = own.start(["meta", "data", "session"]);
    if (refused === undefined) await started;
    else await assert.rejects(started, refused);
  });
}
