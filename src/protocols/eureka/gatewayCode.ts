import type { HttpRouteTable } from "../../base/http.ts";
import type { GatewayCode } from "../kit/gateway.ts";
import { judgedRoutes } from "../kit/judgedRoutes.ts";
import type { EurekaConfig, EurekaEnvironment } from "./environment.ts";
import { eurekaRefusal } from "./errors.ts";
import { HeldLists } from "./heldLists.ts";
import { readRoutes } from "./http/readRoutes.ts";
import { replicationRoutes } from "./http/replicationRoutes.ts";
import { writeRoutes } from "./http/writeRoutes.ts";
import { OperatorWords } from "./operatorWords.ts";
import { Registrations } from "./registrations.ts";

/** The listener for Eureka's clients. */
const LISTENER = "eureka-port";

/** The gateway's part in a node. */
export const eurekaGatewayCode: GatewayCode<EurekaConfig> = {
  open(environment) {
    if (!environment.config.serveEureka) return { listeners: [] };
    const { check, table } = eurekaRoutes(environment);
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
export function eurekaRoutes(environment: RoutesEnvironment): {
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
  };
  return { check, table: { routes: judgedRoutes(routes, { access }), refusal: eurekaRefusal, requests: "any" } };
}
