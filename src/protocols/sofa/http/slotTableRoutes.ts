// The slot table, the nodes and the release, in SOFARegistry's paths and shapes: the same at the ports of all roles.

import { type HttpRoute, jsonResponse, queryValue, textResponse } from "../../../base/http.ts";
import type { NodeId } from "../../../model/ids.ts";
import type { SlotTable } from "../../../model/slot.ts";
import type { ClusterView, SlotState } from "../../kit/gateway.ts";
import { common, generic, longJsonResponse } from "./answers.ts";

/** The paths of every role. */
export function slotTableRoutes(cluster: ClusterView): readonly HttpRoute[] {
  return [
    {
      method: "GET",
      path: "/openapi/v1/slot/table/status",
      handle: ({ respond }) => respond(longJsonResponse(generic(statusOf(cluster)))),
    },
    {
      method: "GET",
      path: "/openapi/v1/slot/table/content",
      handle: ({ respond }) => respond(longJsonResponse(generic(tableOf(cluster)))),
    },
    {
      method: "GET",
      path: "/openapi/v1/slot/table/epoch",
      handle: ({ respond }) => respond(longJsonResponse(generic(cluster.slotTable()?.epoch ?? 0n))),
    },
    {
      method: "GET",
      path: "/version",
      handle: ({ respond }) => respond(textResponse(`release properties: \t\t {roster.version=${cluster.version}}`)),
    },
  ];
}

/** Those of the role session alone. */
export function sessionSlotRoutes(cluster: ClusterView): readonly HttpRoute[] {
  return [
    {
      method: "GET",
      path: "/openapi/v1/slot/table/cache",
      handle: (exchange) => {
        if (!isOwn(cluster, queryValue(exchange, "dataCenter"))) return exchange.respond(common(OTHER_CENTER, false));
        exchange.respond(longJsonResponse(generic(tableOf(cluster))));
      },
    },
    serverListRoute(cluster, (hosts) => hosts),
  ];
}

/** Those of the role data alone. */
export function dataSlotRoutes(cluster: ClusterView, slots: () => readonly SlotState[]): readonly HttpRoute[] {
  const status = () => ({
    epoch: cluster.slotTable()?.epoch ?? 0n,
    slotStatuses: slots().map((slot) => slotStatus(slot, cluster)),
  });
  return [
    {
      method: "GET",
      path: "/openapi/v1/slot/table/sync/task/status",
      handle: ({ respond }) => respond(longJsonResponse(generic(status()))),
    },
    {
      method: "GET",
      path: "/openapi/v1/slot/table/sync/task/status/remote",
      handle: (exchange) => {
        if (!isOwn(cluster, queryValue(exchange, "dataCenter"))) return exchange.respond(common(OTHER_CENTER, false));
        exchange.respond(longJsonResponse(generic(status())));
      },
    },
    serverListRoute(cluster, (hosts) => ({ [cluster.dataCenter]: hosts })),
  ];
}

/** One slot at the node that leads or follows it. */
export function slotStatus({ slot, leaderEpoch, node, duty, isHealthy }: SlotState, cluster: ClusterView): object {
  const server = nameOf(node, cluster);
  const of = { slotId: slot, slotLeaderEpoch: leaderEpoch };
  if (duty === "lead") return { ...of, role: "Leader", server, leaderStatus: isHealthy ? "HEALTHY" : "UNHEALTHY" };
  return { ...of, role: "Follower", server, isInSync: isHealthy };
}

/** A node of the cluster by its host, or by its whole address where several are at one host. */
export function nameOf(id: NodeId, cluster: ClusterView): string {
  const nodes = cluster.nodes().filter(({ role }) => role === "data");
  const node = nodes.find((one) => one.id === id);
  if (node === undefined) return id;
  const isAlone = nodes.filter(({ host }) => host === node.host).length === 1;
  return isAlone ? node.host : node.address;
}

function serverListRoute(cluster: ClusterView, shown: (hosts: readonly string[]) => unknown): HttpRoute {
  return {
    method: "GET",
    path: "/digest/:type/serverList/query",
    handle: ({ params, respond }) => {
      const type = params["type"]?.toLowerCase();
      const hosts = cluster.nodes().flatMap(({ role, host }) => (role === type ? [host] : []));
      respond(jsonResponse(shown([...new Set(hosts)])));
    },
  };
}

/** The slot table, with the hosts of its nodes. */
export function tableOf(cluster: ClusterView): object {
  const { epoch, slots } = cluster.slotTable() ?? NO_TABLE;
  const names = new Map<NodeId, string>();
  const name = (id: NodeId): string => {
    const known = names.get(id) ?? nameOf(id, cluster);
    names.set(id, known);
    return known;
  };
  return {
    epoch,
    slots: slots.map(({ leader, leaderEpoch, followers }, id) => {
      return { id, leader: name(leader), leaderEpoch, followers: followers.map(name) };
    }),
  };
}

function statusOf(cluster: ClusterView): object {
  const { epoch, slots } = cluster.slotTable() ?? NO_TABLE;
  const datas = cluster.nodes().flatMap(({ role, id }) => (role === "data" && id !== undefined ? [id] : []));
  const leaders = countsOf(
    datas,
    slots.map(({ leader }) => leader),
  );
  const followers = countsOf(
    datas,
    slots.flatMap((slot) => slot.followers),
  );
  const named = (counts: ReadonlyMap<NodeId, number>) =>
    Object.fromEntries([...counts].map(([id, count]) => [nameOf(id, cluster), count]));
  return {
    slotTableEpoch: epoch,
    protectionMode: cluster.isFrozen(),
    leaderCount: named(leaders),
    followerCount: named(followers),
    slotTableLeaderBalanced: isEven(leaders),
    slotTableFollowerBalanced: isEven(followers),
    slotTableStable: slots.length > 0 && slots.every(({ leader }) => datas.includes(leader)),
  };
}

function countsOf(datas: readonly NodeId[], owners: readonly NodeId[]): Map<NodeId, number> {
  const counts = new Map(datas.map((id) => [id, 0]));
  for (const id of owners) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function isEven(counts: ReadonlyMap<NodeId, number>): boolean {
  const numbers = [...counts.values()];
  return numbers.length === 0 || Math.max(...numbers) - Math.min(...numbers) <= 1;
}

/** Empty stands for the own one. */
function isOwn({ dataCenter }: ClusterView, asked: string): boolean {
  return asked === "" || asked === dataCenter;
}

const OTHER_CENTER = "this cluster knows no other data center";
const NO_TABLE: SlotTable = { epoch: 0n, slots: [] };
