// Nodes quit the group of servers and join it again, by SOFARegistry's paths. A node that has quit is blocked: its
// slots and clients move to other nodes, and it takes no part until it has joined. The process of a session that has
// quit ends, and is to be started when it has joined. A meta node that quits gives the lead to another one: members
// need no list of meta nodes beside the configured one.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpResponse, type HttpRoute, respondWith } from "../../../base/http.ts";
import { type NodeId, nodeNameOf } from "../../../model/ids.ts";
import type { AskedNode, MetaNodeView, OtherNodes } from "../../kit/gateway.ts";
import { common } from "./answers.ts";

/** The leading meta node as these changes need it. */
export type GroupNode = Pick<
  MetaNodeView,
  "cluster" | "isLeading" | "leader" | "blockedNodes" | "blockNode" | "stepDown"
>;

type Role = "session" | "data" | "meta";

interface GroupChange {
  readonly ip: string;
  readonly role: Role;
  readonly isQuit: boolean;
}

const FORM = {
  type: ["object", "null"],
  properties: { cell: { type: "string" }, nodeType: { type: "string" } },
} as const;

const DONE = common(null);
// The store answers, or fails, within a few seconds.
const CHANGE_MS_MAX = 10_000;

/** The paths of a meta node, for any node. */
export function metaGroupRoutes(node: GroupNode): readonly HttpRoute[] {
  const route = (release: "v1" | "v2", action: "quit" | "join"): HttpRoute => ({
    method: "PUT",
    path: `/opsapi/${release}/server/group/${action}/:ip`,
    isForLeader: true,
    schema: { body: FORM },
    handle: (exchange) => {
      const { cell = "", nodeType = "" } = (exchange.body ?? {}) as {
        readonly cell?: string;
        readonly nodeType?: string;
      };
      const ip = exchange.params["ip"] ?? "";
      if (cell.trim() === "" || nodeType.trim() === "") {
        if (release === "v2") throw fail("FIELD_INVALID", { field: "cell, nodeType", expected: "a value for each" });
        // The first scripts of SOFARegistry's operators do not name them, and are answered with success.
        return exchange.respond(common("nothing was done: cell and nodeType are needed"));
      }
      const change = { ip: readIp(ip), role: readRole(nodeType), isQuit: action === "quit" };
      respondWith(exchange, changeGroup(node, change));
    },
  });
  return [
    ...(["v1", "v2"] as const).flatMap((release) => [route(release, "quit"), route(release, "join")]),
    ...ownRoutes((exchange, isQuit) => {
      const isLeader = isQuit && node.isLeading();
      respondWith(exchange, isLeader ? node.stepDown().then(() => DONE) : Promise.resolve(DONE));
    }),
  ];
}

/** The paths of a session or data node, for itself. */
export function memberGroupRoutes({ id }: { readonly id: NodeId }, others: OtherNodes): readonly HttpRoute[] {
  return ownRoutes((exchange, isQuit) => {
    const question = {
      name: "blockNode",
      parameters: { node: nodeNameOf(id), isBlocked: isQuit },
      waitMs: CHANGE_MS_MAX,
    };
    respondWith(
      exchange,
      others.askLeader(question).then(() => DONE),
    );
  });
}

function ownRoutes(change: (exchange: HttpExchange, isQuit: boolean) => void): readonly HttpRoute[] {
  return (["quit", "join"] as const).map((action) => ({
    method: "PUT",
    path: `/opsapi/v1/server/group/${action}`,
    handle: (exchange) => change(exchange, action === "quit"),
  }));
}

/** Answers a node that quits or joins; undefined for another question. */
export function answerGroupChange(node: GroupNode, { name, parameters }: AskedNode): Promise<unknown> | undefined {
  if (name !== "blockNode") return undefined;
  if (!node.isLeading()) throw fail("NOT_META_LEADER", { leader: "unknown" });
  const { node: named, isBlocked } = parameters as { readonly node?: unknown; readonly isBlocked?: unknown };
  if (typeof named !== "string" || typeof isBlocked !== "boolean") {
    throw fail("FIELD_INVALID", { field: "parameters", expected: "a node's name, and whether it is to be blocked" });
  }
  return blockOne(node, named, isBlocked).then(() => ({}));
}

async function changeGroup(node: GroupNode, change: GroupChange): Promise<HttpResponse> {
  const { ip, role, isQuit } = change;
  if (role === "meta") {
    const metas = node.cluster.nodes().filter((one) => one.role === "meta");
    const hosts = [...metas.map(({ host }) => host), node.leader()?.host];
    if (!hosts.includes(ip)) throw fail("NODE_UNKNOWN", { node: ip, role, known: hosts.join() });
    if (isQuit && node.leader()?.host === ip) await node.stepDown();
    return DONE;
  }
  const names = namesAt(node, change);
  // In SOFARegistry each role of a host is one process.
  if (names.length > 1) {
    throw fail("FIELD_INVALID", {
      field: "ip",
      value: ip,
      nodes: names.join(),
      expected: "one node: use `roster block`",
    });
  }
  const [name] = names;
  if (name !== undefined) await blockOne(node, name, isQuit);
  else if (isQuit) throw fail("NODE_UNKNOWN", { node: ip, role, known: hostsOf(node, role) });
  return DONE;
}

/** A node that has joined before, or was never away, joins without a change. */
async function blockOne(node: GroupNode, name: string, isBlocked: boolean): Promise<void> {
  const isChange = isBlocked || node.blockedNodes().some((one) => one.node === name);
  if (isChange) await node.blockNode(name, isBlocked);
}

/** The names of the nodes at this address with the role: members, and those that are blocked. */
function namesAt(node: GroupNode, { ip, role }: GroupChange): string[] {
  const members = node.cluster.nodes().flatMap((one) => (one.role === role && one.host === ip ? (one.id ?? []) : []));
  const blocked = node.blockedNodes().filter(({ host, roles }) => host === ip && roles?.includes(role) === true);
  return [...new Set([...members.map(nodeNameOf), ...blocked.map((one) => one.node)])];
}

function hostsOf({ cluster }: GroupNode, role: Role): string {
  return [...new Set(cluster.nodes().flatMap((one) => (one.role === role ? [one.host] : [])))].join();
}

/** The roles in the order in which SOFARegistry looks for their names in the text. */
function readRole(nodeType: string): Role {
  const found = (["session", "meta", "data"] as const).find((role) => nodeType.toLowerCase().includes(role));
  if (found === undefined) {
    throw fail("FIELD_INVALID", { field: "nodeType", value: nodeType, expected: "session, data or meta" });
  }
  return found;
}

function readIp(ip: string): string {
  const isAddress = /^\d{1,3}(\.\d{1,3}){3}$/.test(ip) && ip.split(".").every((part) => Number(part) <= 255);
  if (!isAddress) throw fail("FIELD_INVALID", { field: "ip", value: ip, expected: "an IPv4 address" });
  return ip;
}
