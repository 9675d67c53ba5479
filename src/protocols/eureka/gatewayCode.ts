import type { HttpRouteTable } from "../../base/http.ts";
import type { GatewayCode } from "../kit/gateway.ts";
import { judgedRoutes } from "../kit/judgedRoutes.ts";
import type { EurekaConfig, EurekaEnvironment, EurekaMetrics } from "./environment.ts";
import { eurekaRefusal } from "./errors.ts";
import { HeldLists } from "./heldLists.ts";
import { readRoutes } from "./http/readRoutes.ts";
import { replicationRoutes } from "./http/replicationRoutes.ts";
import { writeRoutes } from "./http/writeRoutes.ts";
import { OperatorWords } from "./operatorWords.ts";
import { Peers } from "./peers/peers.ts";
import { Registrations } from "./registrations.ts";

/** The listener for Eureka's clients. */
const LISTENER = "eureka-port";

const NO_PEERS = { tell: () => undefined, check: () => undefined };

/** The gateway's part in a node. */
export const eurekaGatewayCode: GatewayCode<EurekaConfig, EurekaMetrics> = {
  open(environment) {
    if (!environment.config.serveEureka) return { listeners: [] };
    const peers = new Peers({ ...environment, urls: environment.config.eurekaPeers, nowMs: environment.node.nowMs });
    const { check, table } = eurekaRoutes(environment, peers);
    return {
      listeners: [{ kind: "http", key: LISTENER, routes: table }],
      check,
    };
  },
};

interface RoutesEnvironment
  extends Pick<EurekaEnvironment, "registry" | "access" | "budget" | "compression" | "readXml" | "later"> {
  readonly config: Pick<EurekaConfig, "zone">;
  readonly node: Pick<EurekaEnvironment["node"], "nowMs">;
}

/** The paths of the listener. `check` is called twice a second. */
export function eurekaRoutes(
  environment: RoutesEnvironment,
  peers: Pick<Peers, "tell" | "check"> = NO_PEERS,
): {
  readonly check: (nowMs: number) => void;
  readonly table: HttpRouteTable;
} {
  const { registry, access, budget, compression, readXml, later, config, node } = environment;
  const { nowMs } = node;
  const words = new OperatorWords();
  const lists = new HeldLists({ registry, compression, nowMs, later, wordLost: (earlier) => words.missing(earlier) });
  const registrations = new Registrations({
    applications: () => lists.applications(),
    ...{ registry, budget },
    zone: config.zone,
    said: (instance) => words.missing(instance),
    tell: (word) => peers.tell(word, nowMs()),
    whenShown: (serviceKey, untilMs, then) => later(() => lists.refresh(serviceKey, untilMs, then)),
  });
  const writing = { registrations, lists, nowMs };
  const routes = [
    ...readRoutes({ lists, nowMs }),
    ...writeRoutes({ ...writing, readXml }),
    ...replicationRoutes(writing),
  ];
  const check = (atMs: number) => {
    lists.check(atMs);
    words.check(atMs, registrations);
    peers.check(atMs, registrations);
  };
  return { check, table: { routes: judgedRoutes(routes, { access }), refusal: eurekaRefusal, requests: "any" } };
}
