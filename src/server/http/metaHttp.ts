// The HTTP port of the meta role: configuration that clients watch ("persistent data"), in SOFARegistry's paths and
// shapes; members, slots, and nodes that are shut out.

import type { FastifyInstance } from "fastify";
import { fail } from "../../base/errors.ts";
import type { ConfigValue, Heartbeat, Member } from "../../messages/membership.ts";
import { makeDataInfoId, parseDataInfoId, readDataInfoId } from "../../model/dataInfoId.ts";
import { type DataInfoId, isNodeId, nodeId, nodeNameOf } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import { checkSwitch } from "./checkSwitch.ts";
import { createHttp, KEY_QUERY } from "./listen.ts";
import { type MetaRow, memberRows } from "./memberRows.ts";
import { addOpsRoutes, health, type Ops } from "./opsRoutes.ts";

/** What the routes ask of the meta role. */
export interface MetaStatus extends Ops {
  readonly configValueBytesMax: number;
  readonly config: (dataInfoId: DataInfoId) => ConfigValue | undefined;
  /** Stores a value, or removes it with null. Rejects with STORE_UNAVAILABLE. */
  readonly putConfig: (dataInfoId: DataInfoId, data: string | null) => Promise<void>;
  readonly isLeading: () => boolean;
  /** Where the leading meta node takes HTTP calls; undefined if none is known to lead. */
  readonly leaderAddress: () => string | undefined;
  readonly isStoreReachable: () => boolean;
  readonly isReady: () => boolean;
  readonly members: () => Iterable<readonly [Member, Heartbeat]>;
  readonly slotTable: () => SlotTable | undefined;
  readonly blockedNodes: () => ReadonlySet<string>;
  /** This one and the others that it knows. */
  readonly metas: () => readonly MetaRow[];
  /** Shuts a node out by its name, or lets it in again. */
  readonly blockNode: (node: string, isBlocked: boolean) => Promise<void>;
}

const KEY_FIELDS = {
  dataId: { type: "string" },
  group: { type: "string", default: "" },
  instanceId: { type: "string", default: "" },
  // SOFARegistry's field, which is checked and not used: Roster gives versions itself, since they must only grow.
  version: { anyOf: [{ type: ["integer", "null"] }, { type: "string", pattern: "^[0-9]+$" }] },
} as const;
const PUT_BODY = {
  type: "object",
  required: ["dataId", "data"],
  additionalProperties: false,
  properties: { ...KEY_FIELDS, data: { type: "string", minLength: 1 } },
} as const;
const REMOVE_BODY = {
  type: "object",
  required: ["dataId"],
  additionalProperties: false,
  properties: { ...KEY_FIELDS, data: {} },
} as const;

interface KeyBody {
  readonly dataId: string;
  readonly group: string;
  readonly instanceId: string;
}

// A value with more quotes and control characters than bytes is none.
const JSON_BYTES_PER_BYTE = 2;
const NAMES_BYTES_MAX = 64 * 1024;

export function metaHttp(status: MetaStatus): FastifyInstance {
  const app = createHttp();
  sendToLeader(app, status);
  addConfigRoutes(app, status);
  addClusterRoutes(app, status);
  app.get("/health/check", async (_request, reply) =>
    health(reply, status, {
      isReady: notReady(status) === undefined,
      message: [
        "MetaServerBoot httpServerStart:true",
        `role:${status.isLeading() ? "leader" : "follower"}`,
        `warmuped:${status.slotTable() !== undefined}`,
        `storeReachable:${status.isStoreReachable()}`,
        `leader:${status.leaderAddress() ?? "unknown"}`,
      ].join(", "),
    }),
  );
  addOpsRoutes(app, status, () => notReady(status));
  return app;
}

/** Why the cluster can't be changed through this node; what is there goes on without it. */
function notReady(status: MetaStatus): string | undefined {
  if (!status.isStoreReachable()) return "the store does not answer";
  if (!status.isReady()) return "no meta node leads";
  return status.isLeading() && status.slotTable() === undefined ? "no slot table yet" : undefined;
}

// What a node answers for itself, and what it hears as well as the leader does.
const OWN = new Set(["/health/check", "/livez", "/readyz", "/metrics", "/drain", "/members", "/held", "/held/release"]);

/** Only the meta node that leads can change anything, and knows what is stored: who asks another one is sent there. */
function sendToLeader(app: FastifyInstance, status: MetaStatus): void {
  app.addHook("preHandler", async (request, reply) => {
    const route = request.routeOptions.url;
    if (route === undefined || OWN.has(route) || status.isLeading()) return;
    const leader = status.leaderAddress();
    // Without a leader an old answer to a question is better than none; it says that nobody leads.
    if (leader === undefined && request.method === "GET") return;
    if (leader === undefined) throw fail("NOT_META_LEADER", { leader: "unknown" });
    const location = `http://${leader}${request.url}`;
    await reply
      .code(307)
      .header("location", location)
      .send({ success: false, message: `the leader is at ${leader}` });
  });
}

function addConfigRoutes(app: FastifyInstance, status: MetaStatus): void {
  app.get<{ Querystring: { dataInfoId?: string } }>("/persistentData/query", { schema: KEY_QUERY }, async (request) => {
    const value = status.config(readDataInfoId(request.query.dataInfoId ?? ""));
    return { success: true, message: null, data: value === undefined || value.data === null ? null : shown(value) };
  });
  app.post<{ Body: KeyBody & { data: string } }>(
    "/persistentData/put",
    { schema: { body: PUT_BODY }, bodyLimit: status.configValueBytesMax * JSON_BYTES_PER_BYTE + NAMES_BYTES_MAX },
    async (request) => {
      const dataInfoId = makeDataInfoId(request.body);
      checkSwitch(request.body);
      checkUnpadded(request.body);
      await status.putConfig(dataInfoId, request.body.data);
      return { success: true, message: null };
    },
  );
  app.post<{ Body: KeyBody }>("/persistentData/remove", { schema: { body: REMOVE_BODY } }, async (request) => {
    const dataInfoId = makeDataInfoId(request.body);
    if ((status.config(dataInfoId)?.data ?? null) === null)
      throw fail("FIELD_INVALID", { dataInfoId, expected: "a value that is set" });
    await status.putConfig(dataInfoId, null);
    return { success: true, message: null };
  });
}

/** A blank around a name is a slip: no client watches it. What is stored under one can still be removed. */
function checkUnpadded({ dataId, group, instanceId }: KeyBody): void {
  for (const [field, value] of Object.entries({ dataId, group, instanceId })) {
    if (value !== value.trim()) throw fail("FIELD_INVALID", { field, value, expected: "no blank before or behind it" });
  }
}

function addClusterRoutes(app: FastifyInstance, status: MetaStatus): void {
  const role = () => ({ isLeading: status.isLeading(), leader: status.leaderAddress() ?? null });
  app.get("/members", async () => {
    const blocked = status.blockedNodes();
    const [members, slotTable, metas] = [status.members(), status.slotTable(), status.metas()];
    const data = memberRows({ members, blocked, slotTable, metas });
    return { success: true, ...role(), blocked: [...blocked], data };
  });
  app.get("/slots", async () => {
    const table = status.slotTable();
    const slots = (table?.slots ?? []).map((owner, id) => ({ id, ...owner, leaderEpoch: String(owner.leaderEpoch) }));
    return { success: true, ...role(), epoch: String(table?.epoch ?? 0n), data: slots };
  });
  // Whoever names a run means its node: shut out alone, it would come back as another run.
  const block = async (name: string, isBlocked: boolean) => {
    if (!isNodeId(name)) throw fail("FIELD_INVALID", { field: "node", value: name, expected: "a node's name or id" });
    const node = nodeNameOf(nodeId(name));
    await status.blockNode(node, isBlocked);
    const message = isBlocked
      ? `${node} is blocked: its slots and clients go to others; to let it in again: roster unblock ${node}`
      : `${node} is not blocked any more; if its process has ended, start it again`;
    return { success: true, message };
  };
  app.put<{ Params: { name: string } }>("/nodes/:name/block", async ({ params }) => block(params.name, true));
  app.delete<{ Params: { name: string } }>("/nodes/:name/block", async ({ params }) => block(params.name, false));
}

/** SOFARegistry's shape; the version as text, since it is larger than a JavaScript number holds. */
function shown(value: ConfigValue): object {
  return { ...parseDataInfoId(value.dataInfoId), version: String(value.version), data: value.data };
}
