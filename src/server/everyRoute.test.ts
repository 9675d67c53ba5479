// Every route that a protocol has at any port of a node, asked by callers who may not use it: without credentials, with
// wrong ones, and with those of each lesser access role. The operations of admin-port have a test of their own
// (adminAccess.test.ts), and the requests of protocols without HTTP those of their protocols.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { AccessSet } from "../access/accessSet.ts";
import { ACTIONS, type Action, DEFAULT_POLICIES, isClientAction } from "../access/policy.ts";
import { ACCESS_ROLES, type AccessRole } from "../access/principal.ts";
import type { HttpRoute, HttpRouteTable } from "../base/http.ts";
import type { GatewayListener } from "../protocols/kit/gateway.ts";
import { GATEWAYS } from "./gateways.ts";
import type { ServedGateway } from "./loadGateways.ts";
import type { RunningServer } from "./start.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

/** A route, and the port that it is at. */
interface Placed {
  readonly protocol: string;
  readonly port: (server: RunningServer) => number;
  readonly route: HttpRoute;
}

const placed: Placed[] = [];

/** The protocol, with each of its routes noted when a node binds it. */
function noting(gateway: ServedGateway): ServedGateway {
  const note = (port: Placed["port"], table: HttpRouteTable | undefined) => {
    for (const route of table?.routes ?? []) placed.push({ protocol: gateway.name, port, route });
  };
  return {
    ...gateway,
    load: async () => {
      const code = await gateway.load();
      const { dataRoutes, metaRoutes } = code;
      return {
        ...code,
        open(environment) {
          const opened = code.open(environment);
          note(({ ports }) => ports.http, opened.routes);
          for (const listener of opened.listeners)
            if (listener.kind === "http") note(portOf(listener), listener.routes);
          return opened;
        },
        ...(dataRoutes && {
          dataRoutes: (...asked: Parameters<typeof dataRoutes>) => {
            const table = dataRoutes(...asked);
            note(({ ports }) => ports.dataHttp, table);
            return table;
          },
        }),
        ...(metaRoutes && {
          metaRoutes: (...asked: Parameters<typeof metaRoutes>) => {
            const table = metaRoutes(...asked);
            note(({ ports }) => ports.metaHttp, table);
            return table;
          },
        }),
      };
    },
  };
}

function portOf({ key }: GatewayListener): Placed["port"] {
  const name = key.replace(/-port$/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return ({ ports }) => Number(Object.entries(ports).find(([each]) => each === name)?.[1]);
}

const nodes = new TestNodes(GATEWAYS.map((gateway) => noting(gateway as ServedGateway)));
after(() => nodes.close());

/** The credentials of each kind of caller, as the value of an authorization header. */
const callers = new Map<AccessRole | "none" | "wrong" | "without a role", string | undefined>();
let server: RunningServer;

before(async () => {
  server = await nodes.start(["meta", "data", "session"], { sofaChanges: "none", sofaTestApi: true });
  callers.set("none", undefined).set("wrong", `Bearer roster_${"x".repeat(43)}`);
  for (const role of [...ACCESS_ROLES, "without a role"] as const) {
    const name = `caller-${role.replaceAll(" ", "-")}`;
    const roles = role === "without a role" ? {} : { roles: [role] };
    const { status, body } = await operate(server, "POST", "/tokens", { name, ...roles });
    assert.equal(status, 200, JSON.stringify(body));
    callers.set(role, `Bearer ${(body as unknown as { readonly token: string }).token}`);
  }
  for (const { name } of DEFAULT_POLICIES) await operate(server, "DELETE", `/policy?name=${name}`);
});

const closed = new AccessSet(
  1n,
  [],
  DEFAULT_POLICIES.map((policy) => ({ ...policy, actions: [] })),
);

/** Whether a caller of this kind may do that, for some service at least. */
function mayDo(caller: string, action: Action): boolean {
  const roles = ACCESS_ROLES.filter((role) => role === caller);
  const principal = { kind: "token", name: caller, roles, from: "127.0.0.1" } as const;
  return isClientAction(action)
    ? closed.reach(principal, action) !== "none"
    : closed.mayDo(principal, action).isAllowed;
}

async function statusOf({ port, route }: Placed, authorization: string | undefined): Promise<number> {
  const path = route.path.replace(/:\w+/g, "some").replace("*", "some");
  const headers = { ...(authorization !== undefined && { authorization }) };
  const url = `http://127.0.0.1:${port(server)}${path}`;
  const answer = await fetch(url, {
    method: route.method,
    headers,
    redirect: "manual",
    signal: AbortSignal.timeout(5_000),
  });
  await answer.arrayBuffer();
  return answer.status;
}

test("each protocol with HTTP has its routes in the walk", () => {
  const protocols = new Set(placed.map(({ protocol }) => protocol));
  assert.ok(protocols.has("sofa") && protocols.has("eureka"), [...protocols].join());
  assert.ok(placed.length > 150, String(placed.length));
  for (const at of placed) assert.ok(at.port(server) > 0, `${at.protocol} ${at.route.path}`);
});

for (const caller of ["none", "wrong", "without a role", ...ACCESS_ROLES] as const) {
  test(`no route lets in a caller who may not use it: ${caller}`, async () => {
    const letIn: string[] = [];
    let asked = 0;
    for (const each of placed) {
      const { route, protocol } = each;
      const action = ACTIONS.find((one) => one === route.asks);
      if (action === undefined || mayDo(caller, action)) continue;
      asked++;
      const status = await statusOf(each, callers.get(caller));
      // 400: the request names nothing that the caller could be judged for.
      if (![400, 401, 403].includes(status)) letIn.push(`${protocol} ${route.method} ${route.path}: ${status}`);
    }
    assert.deepEqual(letIn, []);
    assert.equal(asked > 0, caller !== "admin", `${asked} routes asked`);
  });
}

test("the routes that need no proof are those of this list", () => {
  const open = placed.filter(({ route, protocol }) => route.asks === "open" && LISTED.includes(protocol));
  const names = new Set(open.map(({ protocol, route }) => `${protocol} ${route.method} ${route.path}`));
  const others = [...names].filter((name) => OPEN_FORMS.some((form) => form.test(name)));
  assert.deepEqual([...names].sort(), [...OPEN, ...others].sort());
});

/** Logins, and what is refused by its name because there is one data center and one cluster. */
const OPEN_FORMS = [/^nacos POST \/nacos\/v\d\/auth\/(users?\/)?login$/, /^sofa POST \/api\/(multi|recover)\//];
const LISTED = ["sofa", "eureka", "nacos"];
/** By these, clients find servers, and tools see that all is well. */
const OPEN = [
  "nacos GET /nacos/serverlist",
  ...["v1/console/health", "v2/console/health", "v3/admin/core/state", "v3/console/health"].flatMap((path) =>
    ["liveness", "readiness"].map((name) => `nacos GET /nacos/${path}/${name}`),
  ),
  ...["v1/ns/operator", "v2/ns/operator", "v3/admin/ns/ops"].map((path) => `nacos GET /nacos/${path}/metrics`),
  ...["alive", "connectionNum", "dataCenter", "query", "query.json", "queryWithWeight", "slot"].map(
    (name) => `sofa GET /api/servers/${name}`,
  ),
  "sofa GET /health/check",
];
