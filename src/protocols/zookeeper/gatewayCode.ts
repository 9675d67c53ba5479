import type { NodeId } from "../../model/ids.ts";
import type { GatewayCode } from "../kit/gateway.ts";
import { ZooKeeperConnections } from "./connections.ts";
import type { ZooKeeperConfig, ZooKeeperEnvironment } from "./environment.ts";
import { ZOOKEEPER_REQUESTS } from "./judge.ts";
import type { ZooKeeperMetrics } from "./metricTable.ts";

/** The listener for ZooKeeper's clients. */
const LISTENER = "zookeeper-port";

/** The gateway's part in a node. */
export const zookeeperGatewayCode: GatewayCode<ZooKeeperConfig, ZooKeeperMetrics> = {
  open(environment) {
    if (!environment.config.serveZookeeper) return { listeners: [] };
    const { node } = environment;
    const connections = new ZooKeeperConnections({
      ...environment,
      self: node.id,
      version: node.cluster.version,
      nowMs: node.nowMs,
      members: () => membersOf(node),
    });
    return {
      listeners: [{ kind: "tcp", key: LISTENER, accept: (connection, nowMs) => connections.accept(connection, nowMs) }],
      requests: ZOOKEEPER_REQUESTS,
      check: (nowMs) => connections.check(nowMs),
      resumed: (awayMs) => connections.server.resumed(awayMs),
    };
  },
};

/** The nodes that may judge sessions. */
function membersOf({ cluster }: Pick<ZooKeeperEnvironment["node"], "cluster">): ReadonlySet<NodeId> {
  const members = new Set<NodeId>();
  for (const { id, role } of cluster.nodes()) if (role === "session" && id !== undefined) members.add(id);
  return members;
}
