import type { HttpRouteTable } from "../../base/http.ts";
import type { DatagramPort } from "../../base/ports.ts";
import type { GatewayCode, SessionNodeView } from "../kit/gateway.ts";
import { openConfig } from "./config/config.ts";
import { NacosConnections } from "./connections.ts";
import type { NacosConfig } from "./environment.ts";
import { clientPaths } from "./http/clientPaths.ts";
import { listenerRefusal, routesOf } from "./http/forms.ts";
import { loginPaths } from "./http/loginPaths.ts";
import { operatorPaths } from "./http/operatorPaths.ts";
import type { NacosMetrics } from "./metricTable.ts";
import { openNaming } from "./openNaming.ts";
import type { NacosPart } from "./part.ts";

const GRPC = "nacos-grpc-port";
const HTTP = "nacos-port";

/** How far above nacos-port clients expect nacos-grpc-port. */
const GRPC_OFFSET = 1_000;

/** The abilities of this server, in the words of clients: they do without what is not named. */
const ABILITIES = { supportPersistentInstanceByGrpc: true, fuzzyWatch: true, lock: true, mcp: false };

/** The gateway's part in a node. */
export const nacosGatewayCode: GatewayCode<NacosConfig, NacosMetrics> = {
  open(environment) {
    const { config, node, access, log } = environment;
    if (!config.serveNacos) return { listeners: [] };
    const { nacosPort, nacosGrpcPort } = config;
    if (nacosPort > 0 && nacosGrpcPort > 0 && nacosGrpcPort !== nacosPort + GRPC_OFFSET) {
      log.warn("clients of Nacos expect nacos-grpc-port 1000 above nacos-port", { nacosPort, nacosGrpcPort });
    }
    const naming = openNaming(environment);
    const isServing = () => node.servesClients() && !node.isStopping() && node.hasSlotTable();
    const connectionIds = () => [...connections.open].map(({ connectionId }) => connectionId);
    const serverList = () => serversOf(node);
    const connected = () => [...connections.open].filter(({ known }) => known !== undefined);
    const paths = [
      ...operatorPaths({ isServing, connectionIds, serverList }),
      ...clientPaths({ ...environment, registrations: naming.registrations, connected }),
      ...loginPaths(access),
    ];
    const operator = routesOf(paths, { access, nowMs: node.nowMs });
    const parts: readonly NacosPart[] = [naming, openConfig(environment), { requests: {}, routes: operator }];
    const connections: NacosConnections = new NacosConnections({
      ...environment,
      parts,
      bodies: naming.bodies,
      abilities: ABILITIES,
      nowMs: node.nowMs,
      isServing,
    });
    const routes: HttpRouteTable = {
      routes: parts.flatMap((part) => part.routes),
      refusal: listenerRefusal,
      requests: "any",
    };
    const { udp } = naming;
    return {
      listeners: [
        { kind: "http", key: HTTP, routes },
        { kind: "http2", key: GRPC, accept: (connection, nowMs) => connections.accept(connection, nowMs) },
        ...(udp === undefined
          ? []
          : [{ kind: "udp", key: HTTP, open: (port: DatagramPort) => udp.open(port) } as const]),
      ],
      requests: [
        ...parts.flatMap(({ requests }) => Object.entries(requests).map(([name, { asks }]) => ({ name, asks }))),
        // A client that has asked for a list says that the list has come.
        ...(udp === undefined ? [] : [{ name: "push-ack", asks: "open" } as const]),
      ],
      check: (nowMs) => {
        connections.check(nowMs);
        for (const part of parts) part.check?.(nowMs);
      },
      resumed: (awayMs, nowMs) => connections.resumed(awayMs, nowMs),
    };
  },
};

/** The addresses of all sessions for clients by HTTP, a line each, as an address server of Nacos lists them. */
function serversOf(node: SessionNodeView): string {
  const own = node.cluster.nodes().find(({ id, role }) => id === node.id && role === "session")?.host ?? "127.0.0.1";
  const others = node.otherSessions(HTTP).map(({ clientAddress }) => clientAddress);
  const all = [`${node.advertiseAddress || own}:${node.port(HTTP)}`, ...others.filter((address) => address !== "")];
  return `${all.join("\n")}\n`;
}
