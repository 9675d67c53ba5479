// The nodes of the cluster, its leader and its slots as the role meta knows them, in SOFARegistry's paths and shapes.

import { fail } from "../../../base/errors.ts";
import { type HttpRoute, jsonResponse, respondWith } from "../../../base/http.ts";
import type { ClusterNode, MetaNodeView } from "../../kit/gateway.ts";
import { common, generic, longJsonResponse } from "./answers.ts";
import { url } from "./shapes.ts";
import { nameOf, slotStatus } from "./slotTableRoutes.ts";

/** The view of the node that the paths need. */
export type ClusterRoutesNode = Pick<MetaNodeView, "cluster" | "leader" | "slotStates" | "stepDown">;

export function clusterRoutes({ cluster, leader, slotStates, stepDown }: ClusterRoutesNode): readonly HttpRoute[] {
  const { dataCenter } = cluster;
  return [
    { method: "GET", path: "/datacenter/query", handle: ({ respond }) => respond(common(dataCenter)) },
    {
      method: "GET",
      path: "/digest/:type/node/query",
      isForLeader: true,
      handle: ({ params, respond }) => {
        const { type: word = "" } = params;
        const type = word.toLowerCase();
        if (type !== "session" && type !== "data" && type !== "meta") {
          throw fail("FIELD_INVALID", { field: "type", value: word, expected: "session, data or meta" });
        }
        const nodes = cluster.nodes().filter(({ role }) => role === type);
        const hosts = nodes.map(({ host }) => host);
        const named = nodes.map((node) => {
          const isAlone = hosts.filter((host) => host === node.host).length === 1;
          return [isAlone ? node.host : node.address, nodeShape(node, cluster)] as const;
        });
        respond(jsonResponse({ [dataCenter]: Object.fromEntries(named) }));
      },
    },
    {
      method: "GET",
      path: "/meta/leader/query",
      handle: ({ respond }) => {
        const lease = leader();
        if (lease === undefined) throw fail("NOT_META_LEADER", { leader: "unknown" });
        respond(longJsonResponse(generic({ epoch: lease.epoch, leader: lease.host })));
      },
    },
    // In SOFARegistry the asked node leads no more until it is restarted.
    {
      method: "PUT",
      path: "/meta/leader/quit/election",
      asks: "operate",
      isForLeader: true,
      handle: (exchange) =>
        respondWith(
          exchange,
          stepDown().then(() => common(null)),
        ),
    },
    {
      method: "GET",
      path: "/openapi/v1/slot/table/data/slot/status",
      isForLeader: true,
      handle: ({ respond }) => {
        const byNode = Map.groupBy(slotStates(), ({ node }) => node);
        const data = [...byNode].map(([node, slots]) => ({
          dataServer: nameOf(node, cluster),
          slotTableEpoch: slots[0]?.tableEpoch ?? 0n,
          slotStatus: slots.map((slot) => slotStatus(slot, cluster)),
        }));
        respond(longJsonResponse(generic(data)));
      },
    },
    // There are no other data centers.
    {
      method: "GET",
      path: "/openapi/v1/slot/table/multi/slottable",
      handle: ({ respond }) => respond(jsonResponse(generic({}))),
    },
  ];
}

const TYPES = { session: "SESSION", data: "DATA", meta: "META" } as const;

/** SOFARegistry's node, as each of its roles has it. Fields that Roster does not know of a node are null. */
function nodeShape({ host, role, clients }: ClusterNode, { dataCenter, zone }: ClusterRoutesNode["cluster"]): object {
  const address = { nodeUrl: url(`${host}:0`) };
  const end = { nodeType: TYPES[role], ip: host, addressString: `${host}:0` };
  switch (role) {
    case "session":
      return {
        ...address,
        ...{ regionId: zone, dataCenter: null, nodeName: host, processId: null, weight: clients ?? null },
        ...{ systemLoad: null, ...end },
      };
    case "data":
      return { ...address, regionId: null, dataCenter, nodeName: host, registrationTimestamp: 0, ...end };
    case "meta":
      return { ...address, regionId: null, dataCenter, nodeName: host, ...end };
  }
}
