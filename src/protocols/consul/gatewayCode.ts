import type { HttpExchange, HttpRouteTable } from "../../base/http.ts";
import { groupScope, isInScope } from "../../model/catalogue.ts";
import { nodeNameOf } from "../../model/ids.ts";
import { type ClientCredentials, credentialsIn } from "../kit/clientAccess.ts";
import type { GatewayCode } from "../kit/gateway.ts";
import { HeldGroup } from "../kit/heldGroup.ts";
import { judgedRoutes } from "../kit/judgedRoutes.ts";
import { Blocking } from "./blocking.ts";
import { Catalogue } from "./catalogue.ts";
import type { ConsulConfig, ConsulEnvironment } from "./environment.ts";
import { refusalResponse, wrongMethodResponse } from "./errors.ts";
import { agentRoutes } from "./http/agentRoutes.ts";
import { catalogWriteRoutes } from "./http/catalogWriteRoutes.ts";
import { configRoutes } from "./http/configRoutes.ts";
import { eventRoutes } from "./http/eventRoutes.ts";
import { gatewayRoutes } from "./http/gatewayRoutes.ts";
import { kvRoutes } from "./http/kvRoutes.ts";
import type { RouteParts } from "./http/parts.ts";
import { queryRoutes } from "./http/queryRoutes.ts";
import { readRoutes } from "./http/readRoutes.ts";
import { sessionRoutes, sessionsAliveIn } from "./http/sessionRoutes.ts";
import { statusRoutes } from "./http/statusRoutes.ts";
import { txnRoutes } from "./http/txnRoutes.ts";
import { KvStore } from "./kv/store.ts";
import { Writes } from "./writes.ts";

/** The listener for Consul's clients. */
const LISTENER = "consul-port";

/** The gateway's part in a node. */
export const consulGatewayCode: GatewayCode<ConsulConfig> = {
  open(environment) {
    if (!environment.config.serveConsul) return { listeners: [] };
    const { table, check } = consulRoutes(environment);
    return { listeners: [{ kind: "http", key: LISTENER, routes: table }], check };
  },
};

/** The paths of the listener, and what is to be called twice a second. */
export function consulRoutes(environment: ConsulEnvironment): {
  table: HttpRouteTable;
  check: (nowMs: number) => void;
} {
  const { registry, persistent, records, access, budget, later, timers, config, node, secrets, log } = environment;
  const { nowMs } = node;
  const blocking = new Blocking({ budget, later, timers });
  const agentNode = () => ({
    name: config.consulNode,
    id: uuidOf(config.consulNode),
    address: hostsOf(environment)[0] ?? "127.0.0.1",
  });
  const version = VERSION;
  const catalogue = new Catalogue({ persistent, topics: blocking.topics, agentNode, version, nowMs });
  const held = new HeldGroup<Catalogue>({ registry, nowMs, later }, () => {
    catalogue.reset();
    const listed = (...list: Parameters<Catalogue["set"]>) => catalogue.set(...list);
    return { shown: catalogue, listed };
  });
  const writes = new Writes({
    ...{ persistent, budget },
    whenShown: (serviceKey, untilMs, then) =>
      later(() => (isInScope(serviceKey, DEFAULT_SCOPE) ? held.refresh(serviceKey, untilMs, then) : then())),
  });
  const parts: RouteParts = {
    ...{ catalogue, held, blocking, writes, agentNode, version, nowMs },
    datacenter: config.consulDatacenter,
    zone: config.zone,
    servers: () => hostsOf(environment),
  };
  const store = new KvStore({
    ...{ records, topics: blocking.topics, nowMs },
    unread: (error) => log.warn("the keys of Consul's clients can't be read", { reason: error.message }),
    failed: (error) => {
      throw error;
    },
  });
  const kvParts = { ...parts, store, secrets };
  const keys = [...kvRoutes(kvParts), ...sessionRoutes(kvParts), ...txnRoutes(kvParts), ...eventRoutes(kvParts)];
  const documents = [...configRoutes(kvParts), ...gatewayRoutes(kvParts), ...queryRoutes(kvParts)];
  const routes = [
    ...keys,
    ...documents,
    ...readRoutes(parts),
    ...agentRoutes(parts),
    ...catalogWriteRoutes(parts),
    ...statusRoutes(parts),
  ];
  const table = {
    routes: judgedRoutes(routes, { access, credentialsOf }),
    refusal: refusalResponse,
    wrongMethod: wrongMethodResponse,
    requests: "any",
  } as const;
  const check = (atMs: number) => {
    // A query that waits is a client that asks.
    if (blocking.waiting > 0) held.now();
    held.check(atMs);
    blocking.check(atMs);
    store.check(atMs, sessionsAliveIn(catalogue));
  };
  return { table, check };
}

const DEFAULT_SCOPE = groupScope({ namespace: "", group: "" });

// Clients look at the release to know what they may ask for.
const VERSION = "1.22.3";

function credentialsOf(exchange: HttpExchange): ClientCredentials {
  const { headers, query } = exchange;
  const [token] = [headers["x-consul-token"], query["token"]]
    .flat()
    .filter((each) => each !== undefined && each !== "");
  return token === undefined ? credentialsIn(headers["authorization"]) : { kind: "token", token };
}

/** The hosts of the cluster's sessions, in the order of their names: the same at every node. */
function hostsOf({ node }: Pick<ConsulEnvironment, "node">): string[] {
  const sessions = node.cluster
    .nodes()
    .flatMap(({ id, role, host }) => (id !== undefined && role === "session" ? [{ name: nodeNameOf(id), host }] : []));
  sessions.sort((one, other) => (one.name < other.name ? -1 : 1));
  return [...new Set(sessions.map(({ host }) => host.replace(/^\[|\]$/g, "")))];
}

/** An id in the form of a UUID, the same for the same name. */
function uuidOf(name: string): string {
  let hash = 0x6c62272e07bb014262b821756295c58dn;
  for (let at = 0; at < name.length; at++)
    hash = BigInt.asUintN(128, (hash ^ BigInt(name.charCodeAt(at))) * 0x1000000000000000000013bn);
  const digits = hash.toString(16).padStart(32, "0");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
