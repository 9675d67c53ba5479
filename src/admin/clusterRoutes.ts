// Routes for members, slots and blocked nodes, as known to the role meta.

import { fail } from "../base/errors.ts";
import { type HttpExchange, type HttpRoute, jsonResponse, respondWith } from "../base/http.ts";
import type { Heartbeat, Member } from "../cluster/messages/membership.ts";
import { isNodeId, nodeId, nodeNameOf } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import { type MetaRow, memberRows } from "./memberRows.ts";

/** The view of the role meta that the routes need. */
export interface ClusterStatus {
  readonly isLeading: () => boolean;
  /** The HTTP address of the leading meta node; undefined if none is known to lead. */
  readonly leaderAddress: () => string | undefined;
  readonly members: () => Iterable<readonly [Member, Heartbeat]>;
  readonly slotTable: () => SlotTable | undefined;
  readonly blockedNodes: () => ReadonlySet<string>;
  /** This node and the other meta nodes that it knows. */
  readonly metas: () => readonly MetaRow[];
  /** Blocks a node by its name, or unblocks it. Rejects with a RegistryError. */
  readonly blockNode: (node: string, isBlocked: boolean) => Promise<void>;
}

export function clusterRoutes(status: ClusterStatus): readonly HttpRoute[] {
  const role = () => ({ isLeading: status.isLeading(), leader: status.leaderAddress() ?? null });
  return [
    {
      method: "GET",
      path: "/members",
      handle: ({ respond }) => {
        const blocked = status.blockedNodes();
        const [members, slotTable, metas] = [status.members(), status.slotTable(), status.metas()];
        const data = memberRows({ members, blocked, slotTable, metas });
        respond(jsonResponse({ success: true, ...role(), blocked: [...blocked], data }));
      },
    },
    {
      method: "GET",
      path: "/slots",
      isForLeader: true,
      handle: ({ respond }) => {
        const table = status.slotTable();
        const data = table?.slots.map((owner, id) => ({ id, ...owner, leaderEpoch: String(owner.leaderEpoch) })) ?? [];
        respond(jsonResponse({ success: true, ...role(), epoch: String(table?.epoch ?? 0n), data }));
      },
    },
    {
      method: "PUT",
      path: "/nodes/:name/block",
      isForLeader: true,
      handle: (exchange) => respondWith(exchange, block(exchange, status, true)),
    },
    {
      method: "DELETE",
      path: "/nodes/:name/block",
      isForLeader: true,
      handle: (exchange) => respondWith(exchange, block(exchange, status, false)),
    },
  ];
}

/** A run stands for its node: if only the run were blocked, the node would come back as another run. */
async function block({ params }: HttpExchange, { blockNode }: ClusterStatus, isBlocked: boolean) {
  const { name = "" } = params;
  if (!isNodeId(name)) throw fail("FIELD_INVALID", { field: "node", value: name, expected: "a node's name or id" });
  const node = nodeNameOf(nodeId(name));
  await blockNode(node, isBlocked);
  const message = isBlocked
    ? `${node} is blocked: its slots and clients move to other nodes; to unblock it: roster unblock ${node}`
    : `${node} is no longer blocked; if its process has ended, start it again`;
  return jsonResponse({ success: true, message });
}
