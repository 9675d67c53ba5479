import type { DatagramOpener } from "../../base/ports.ts";
import { nameOfText } from "../../encoding/dns/names.ts";
import { groupsOfHost } from "../../model/hostAddress.ts";
import { nodeNameOf } from "../../model/ids.ts";
import type { GatewayCode } from "../kit/gateway.ts";
import { HeldGroup } from "../kit/heldGroup.ts";
import { addressOf } from "./address.ts";
import { AskerShares } from "./askerShares.ts";
import type { DnsConfig, DnsEnvironment } from "./environment.ts";
import type { DnsMetrics } from "./metricTable.ts";
import { Resolver } from "./resolver.ts";
import { bracketed, type DnsNode, DnsServices } from "./services.ts";
import { hostOfPeer, TcpConnections } from "./tcpConnections.ts";
import { visibleServices } from "./visibleServices.ts";

/** The listeners, one for each transport, at one number. */
const LISTENER = "dns-port";

/** The gateway's part in a node. */
export const dnsGatewayCode: GatewayCode<DnsConfig, DnsMetrics> = {
  open(environment) {
    const { config, registry, node, later, budget, metrics, access } = environment;
    if (!config.serveDns) return { listeners: [] };
    const held = new HeldGroup<DnsServices>({ registry, nowMs: node.nowMs, later }, () => {
      const services = new DnsServices();
      return { shown: services, listed: (serviceKey, publications) => services.set(serviceKey, publications) };
    });
    const zone = {
      domain: nameOfText(config.dnsDomain) ?? [],
      datacenter: config.consulDatacenter,
      ttlSeconds: config.dnsTtlSeconds,
    };
    const resolver = new Resolver({
      ...{ zone, held, metrics, udpAnswersMax: config.dnsUdpAnswersMax },
      servers: () => serversOf(environment),
      isServing: () => node.servesClients() && !node.isStopping(),
      visible: (services, from) => visibleServices(services, access, from),
    });
    const connections = new TcpConnections(resolver, budget);
    return {
      listeners: [
        { kind: "tcp", key: LISTENER, accept: connections.accept },
        { kind: "udp", key: LISTENER, open: datagrams(resolver) },
      ],
      requests: [{ name: "query", asks: "subscribe" }],
      check: (nowMs) => {
        held.check(nowMs);
        connections.check(nowMs);
      },
    };
  },
};

function datagrams(resolver: Resolver): DatagramOpener {
  const shares = new AskerShares();
  return ({ send }) => ({
    received: (bytes, from, nowMs) => {
      if (!shares.take(from, nowMs)) return resolver.count("udp", "dropped");
      const message = { bytes, transport: "udp", from: hostOfPeer({ remoteAddress: from }) } as const;
      resolver.resolve(message, nowMs, (answer) => send(answer, from));
    },
  });
}

/** The sessions of the cluster: each answers DNS. */
function serversOf({ node }: Pick<DnsEnvironment, "node">): DnsNode[] {
  return node.cluster.nodes().flatMap(({ id, role, host }) => {
    if (id === undefined || role !== "session") return [];
    const bare = host.replace(/^\[|\]$/g, "");
    return [{ name: nodeNameOf(id), host: bare, address: addressOf(groupsOfHost(bracketed(bare))) }];
  });
}
