import { type HttpRoute, refusal } from "../../base/http.ts";
import type { DataNodeView, GatewayCode, GatewayEnvironment, MetaNodeView } from "../kit/gateway.ts";
import { SofaConnections } from "./connections.ts";
import type { SofaConfig } from "./environment.ts";
import { metaAppRoutes, sessionAppRoutes } from "./http/appRoutes.ts";
import { switchRefusal } from "./http/checkSwitch.ts";
import { clusterRoutes } from "./http/clusterRoutes.ts";
import { configRoutes } from "./http/configRoutes.ts";
import { datumRoutes } from "./http/datumRoutes.ts";
import { digestRoutes } from "./http/digestRoutes.ts";
import { dataHealthRoute, metaHealthRoute, sessionHealthRoute } from "./http/healthRoutes.ts";
import { metaRuleRoutes } from "./http/ruleRoutes.ts";
import { serverRoutes } from "./http/serverRoutes.ts";
import { metaSettingRoutes, sessionSettingRoutes } from "./http/settingRoutes.ts";
import { slotOperatorRoutes } from "./http/slotOperatorRoutes.ts";
import { dataSlotRoutes, sessionSlotRoutes, slotTableRoutes } from "./http/slotTableRoutes.ts";
import type { SofaMetrics } from "./metricTable.ts";

/** The listener for SOFARegistry's clients. */
const LISTENER = "bolt-port";

/** The gateway's part in a node. */
export const sofaGatewayCode: GatewayCode<SofaConfig, SofaMetrics> = {
  open(environment) {
    const connections = new SofaConnections(environment);
    return {
      listeners: [{ kind: "tcp", key: LISTENER, accept: (connection, nowMs) => connections.accept(connection, nowMs) }],
      routes: { routes: sessionRoutes(environment), refusal },
      check: (nowMs) => connections.closeIdle(nowMs),
      resumed: (awayMs, nowMs) => connections.resumed(awayMs, nowMs),
    };
  },
  dataRoutes: (node) => ({ routes: dataRoutes(node), refusal }),
  configRefusal: switchRefusal,
  metaRoutes: (node) => ({ routes: metaRoutes(node), refusal }),
};

/** The paths at the HTTP port of the role session. */
export function sessionRoutes({
  config,
  node,
  registry,
}: Pick<GatewayEnvironment<SofaConfig>, "config" | "node" | "registry">): readonly HttpRoute[] {
  const { id, own, cluster, nowMs } = node;
  return [
    ...serverRoutes(node, LISTENER),
    ...sessionAppRoutes(node, cluster),
    sessionHealthRoute(node),
    ...digestRoutes({ id, own, zone: cluster.zone, registry, nowMs }),
    ...slotTableRoutes(cluster),
    ...sessionSlotRoutes(cluster),
    ...sessionSettingRoutes(config),
  ];
}

/** The paths at the HTTP port of the role data. */
export function dataRoutes(node: DataNodeView): readonly HttpRoute[] {
  const { cluster, slotStates } = node;
  return [
    dataHealthRoute(node),
    ...datumRoutes(node),
    ...slotTableRoutes(cluster),
    ...dataSlotRoutes(cluster, slotStates),
  ];
}

/** The paths at the HTTP port of the role meta. */
export function metaRoutes(node: MetaNodeView): readonly HttpRoute[] {
  return [
    ...configRoutes(node),
    ...metaAppRoutes(node),
    ...metaRuleRoutes(node),
    ...metaSettingRoutes(node),
    metaHealthRoute(node),
    ...clusterRoutes(node),
    ...slotTableRoutes(node.cluster),
    ...slotOperatorRoutes(node),
  ];
}
