import { type HttpRoute, refusal } from "../../base/http.ts";
import type { DataNodeView, GatewayCode, GatewayEnvironment, MetaNodeView, OtherNodes } from "../kit/gateway.ts";
import { SofaConnections } from "./connections.ts";
import type { SofaConfig, SofaDataConfig, SofaHttpConfig } from "./environment.ts";
import { metaAppRoutes, sessionAppRoutes } from "./http/appRoutes.ts";
import { switchRefusal } from "./http/checkSwitch.ts";
import { clusterRoutes } from "./http/clusterRoutes.ts";
import { configRoutes } from "./http/configRoutes.ts";
import { datumRoutes } from "./http/datumRoutes.ts";
import { digestRoutes } from "./http/digestRoutes.ts";
import { dataHealthRoute, metaHealthRoute, sessionHealthRoute } from "./http/healthRoutes.ts";
import { asking, judged } from "./http/judged.ts";
import { ABSENT_ROUTES, OTHER_CENTER_QUERIES, otherCenterRoutes } from "./http/otherCenterRoutes.ts";
import { metaRuleRoutes } from "./http/ruleRoutes.ts";
import { answerGroupChange, memberGroupRoutes, metaGroupRoutes } from "./http/serverGroupRoutes.ts";
import { serverRoutes } from "./http/serverRoutes.ts";
import { sessionRuleRoutes } from "./http/sessionRuleRoutes.ts";
import { answerAtSession } from "./http/sessionSwitches.ts";
import { metaSettingRoutes, sessionSettingRoutes } from "./http/settingRoutes.ts";
import { slotOperatorRoutes } from "./http/slotOperatorRoutes.ts";
import { dataSlotRoutes, sessionSlotRoutes, slotTableRoutes } from "./http/slotTableRoutes.ts";
import { answerAtMeta } from "./http/switchChanges.ts";
import { testRoutes } from "./http/testRoutes.ts";
import type { SofaMetrics } from "./metricTable.ts";
import { SOFA_REQUESTS } from "./requests.ts";

/** The listener for SOFARegistry's clients. */
const LISTENER = "bolt-port";

/** The gateway's part in a node. */
export const sofaGatewayCode: GatewayCode<SofaConfig & SofaHttpConfig & SofaDataConfig, SofaMetrics> = {
  open(environment) {
    const connections = new SofaConnections(environment);
    return {
      listeners: [{ kind: "tcp", key: LISTENER, accept: (connection, nowMs) => connections.accept(connection, nowMs) }],
      requests: SOFA_REQUESTS,
      routes: { routes: judged(sessionRoutes(environment, connections), environment), refusal },
      answer: (asked) => answerAtSession({ ...environment, connections }, asked),
      check: (nowMs) => connections.closeIdle(nowMs),
      resumed: (awayMs, nowMs) => connections.resumed(awayMs, nowMs),
    };
  },
  dataRoutes(node, others, environment) {
    return { routes: judged(dataRoutes(node, others, environment.config), environment), refusal };
  },
  configRefusal: switchRefusal,
  metaRoutes: (node, others, environment) => ({ routes: judged(metaRoutes(node, others), environment), refusal }),
  metaAnswer: async (node, asked) => answerGroupChange(node, asked) ?? answerAtMeta(node, asked),
};

/** The view of the node that the paths of the role session need. */
export type SessionRoutesNode = Pick<
  GatewayEnvironment<SofaConfig & SofaHttpConfig>,
  "node" | "registry" | "others" | "config" | "log"
>;

/** The paths at the HTTP port of the role session. */
export function sessionRoutes(
  environment: SessionRoutesNode,
  connections: Pick<SofaConnections, "endAt">,
): readonly HttpRoute[] {
  const { config, node, registry } = environment;
  const { id, own, cluster, nowMs } = node;
  return [
    ...asking("open", [...serverRoutes(node, LISTENER, config), sessionHealthRoute(node)]),
    ...asking("list", [
      ...sessionAppRoutes(node, cluster),
      ...digestRoutes({ id, own, zone: cluster.zone, registry, nowMs }),
      ...slotTableRoutes(cluster),
      ...sessionSlotRoutes(cluster),
      ...sessionSettingRoutes(config),
    ]),
    ...asking("configure", sessionRuleRoutes({ ...environment, connections })),
    ...asking("operate", memberGroupRoutes(node, environment.others)),
  ];
}

/** The paths at the HTTP port of the role data. */
export function dataRoutes(node: DataNodeView, others: OtherNodes, config: SofaDataConfig): readonly HttpRoute[] {
  const { cluster, slotStates } = node;
  return [
    ...asking("open", [dataHealthRoute(node)]),
    ...asking("list", [...datumRoutes(node), ...slotTableRoutes(cluster), ...dataSlotRoutes(cluster, slotStates)]),
    ...asking("operate", [...testRoutes(node, config), ...memberGroupRoutes(node, others)]),
  ];
}

/** The paths at the HTTP port of the role meta. */
export function metaRoutes(node: MetaNodeView, others: OtherNodes): readonly HttpRoute[] {
  return [
    ...asking("open", [metaHealthRoute(node)]),
    ...asking("list", [...slotTableRoutes(node.cluster), ...clusterRoutes(node), ...OTHER_CENTER_QUERIES]),
    ...asking("configure", [
      ...configRoutes(node),
      ...metaAppRoutes(node),
      ...metaRuleRoutes(node, others),
      ...metaSettingRoutes(node),
      ...otherCenterRoutes(node),
      ...ABSENT_ROUTES,
    ]),
    ...asking("operate", [...slotOperatorRoutes(node), ...metaGroupRoutes(node)]),
  ];
}
