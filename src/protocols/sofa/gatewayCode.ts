import { refusal } from "../../base/http.ts";
import type { GatewayCode } from "../kit/gateway.ts";
import { SofaConnections } from "./connections.ts";
import type { SofaConfig } from "./environment.ts";
import { metaAppRoutes, sessionAppRoutes } from "./http/appRoutes.ts";
import { switchRefusal } from "./http/checkSwitch.ts";
import { configRoutes } from "./http/configRoutes.ts";
import { dataHealthRoute, metaHealthRoute, sessionHealthRoute } from "./http/healthRoutes.ts";
import { serverRoutes } from "./http/serverRoutes.ts";
import type { SofaMetrics } from "./metricTable.ts";

/** The listener for SOFARegistry's clients. */
const LISTENER = "bolt-port";

/** The gateway's part in a node. */
export const sofaGatewayCode: GatewayCode<SofaConfig, SofaMetrics> = {
  open(environment) {
    const connections = new SofaConnections(environment);
    const { node } = environment;
    return {
      listeners: [{ kind: "tcp", key: LISTENER, accept: (connection, nowMs) => connections.accept(connection, nowMs) }],
      routes: {
        routes: [
          ...serverRoutes(node, LISTENER),
          ...sessionAppRoutes(node, environment.config),
          sessionHealthRoute(node),
        ],
        refusal,
      },
      check: (nowMs) => connections.closeIdle(nowMs),
      resumed: (awayMs, nowMs) => connections.resumed(awayMs, nowMs),
    };
  },
  dataRoutes: (node) => ({ routes: [dataHealthRoute(node)], refusal }),
  configRefusal: switchRefusal,
  metaRoutes: (node) => ({ routes: [...configRoutes(node), ...metaAppRoutes(node), metaHealthRoute(node)], refusal }),
};
