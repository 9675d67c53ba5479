// Operations on the nodes of the cluster.

import { fail } from "../../base/errors.ts";
import { nodeId, nodeNameOf } from "../../model/ids.ts";
import { memberRows } from "../memberRows.ts";
import type { OperatedMeta, OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import type { NodeParameter } from "../parameter.ts";
import { flag, integer, type Json, list, maybeText, object, oneOf, type Schema, text, texts } from "../schema.ts";

/** The role meta of a node. Throws ROLE_NEEDED. */
export function metaOf({ meta }: OperatedNode): OperatedMeta {
  if (meta === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
  return meta;
}

/** The answer of a change: what was done, or would be. */
export const DONE: Schema = object({
  isDone: flag("False for a preview: nothing was changed."),
  message: text("What was done, or would be, and how to undo it."),
});

/** The fields of an answer of a meta node that say whether it knows everything. */
export const LEADER_FIELDS = {
  leader: maybeText("The leading meta node; null while none is known to lead: the answer may then be old."),
};

export const listNodes = operation({
  name: "nodes.list",
  method: "GET",
  path: "/nodes",
  about: "Lists the nodes of the cluster, with a row for each role of each node, and its state.",
  parameters: {},
  command: {
    words: ["get nodes", "members"],
    columns: ["id", "role", "state", "address", "clientAddresses", "clients", "leads"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "meta" },
  answer: object({
    items: list(
      object(
        {
          id: maybeText("The node's id, `name.run`; a blocked node that is not there has its name only."),
          role: maybeText("meta, data or session; null for a blocked node that is not there."),
          state: oneOf(
            ["leads", "stands by", "unreachable", "up", "leaving", "blocked"],
            "A meta node leads, stands by or is unreachable; another one is up, leaving or blocked.",
          ),
          address: maybeText("Its address for other nodes."),
          clientAddresses: texts("Sessions: the addresses for clients, by listener."),
          clients: integer("Sessions: connected clients."),
          leads: integer("Data nodes: the number of slots that it leads."),
        },
        ["clientAddresses", "clients", "leads"],
      ),
      "Meta nodes, then data nodes and sessions, then blocked nodes that are not there.",
    ),
    blocked: list(text("A name."), "The names of all blocked nodes."),
    ...LEADER_FIELDS,
  }),
  run(node) {
    const meta = metaOf(node);
    const blocked = meta.blockedNodes();
    const rows = memberRows({ members: meta.members(), blocked, slotTable: meta.slotTable(), metas: meta.metas() });
    const items = rows.map((row): Json => ({ ...row }));
    return { items, blocked: [...blocked], leader: meta.leader() ?? null };
  },
});

const NODE: NodeParameter & { readonly isRequired: true } = {
  type: "node",
  isRequired: true,
  about: "The node's name or id. A run stands for its node: all its later runs are meant too.",
};

/** A run stands for its node: if only the run were blocked, the node would come back as another run. */
async function block(node: OperatedNode, named: string, { isBlocked, isPreview }: Block): Promise<Json> {
  const meta = metaOf(node);
  const name = nodeNameOf(nodeId(named));
  if (isPreview) {
    const refusal = meta.blockRefusal(name, isBlocked);
    if (refusal !== undefined) throw refusal;
    const message = isBlocked
      ? `${name} would be blocked: its slots and clients would move to other nodes`
      : `${name} would no longer be blocked`;
    return { isDone: false, message };
  }
  await meta.blockNode(name, isBlocked);
  const message = isBlocked
    ? `${name} is blocked: its slots and clients move to other nodes; to unblock it: roster unblock ${name}`
    : `${name} is no longer blocked; if its process has ended, start it again`;
  return { isDone: true, message };
}

interface Block {
  readonly isBlocked: boolean;
  readonly isPreview: boolean;
}

function stateOfBlocks(node: OperatedNode): Json {
  return { blocked: [...metaOf(node).blockedNodes()] };
}

export const blockNode = operation({
  name: "nodes.block",
  method: "POST",
  path: "/nodes/block",
  about: "Blocks a node: its slots and clients move to other nodes, and it takes no part until it is unblocked.",
  parameters: { node: NODE },
  command: { words: ["block"] },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfBlocks,
  run: (node, { node: named }, isPreview) => block(node, named, { isBlocked: true, isPreview }),
});

export const unblockNode = operation({
  name: "nodes.unblock",
  method: "POST",
  path: "/nodes/unblock",
  about: "Ends the block of a node.",
  parameters: { node: NODE },
  command: { words: ["unblock"] },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "leader" },
  answer: DONE,
  state: stateOfBlocks,
  run: (node, { node: named }, isPreview) => block(node, named, { isBlocked: false, isPreview }),
});

export const drainNode = operation({
  name: "nodes.drain",
  method: "POST",
  path: "/nodes/drain",
  about: "Tells a node to hand over its work and to stop; the asked node, if none is named.",
  parameters: { node: { type: "node", about: "The node's name or id; without it the asked node." } },
  command: { words: ["drain"], positional: ["node"] },
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "namedNode", parameter: "node" },
  answer: DONE,
  isBegunOnly: true,
  run({ id, roles, stop }, _, isPreview) {
    if (isPreview) return { isDone: false, message: `${id} (${roles.join(", ")}) would hand over its work and stop` };
    stop();
    return { isDone: true, message: `${id} is handing over its work and will stop` };
  },
});
