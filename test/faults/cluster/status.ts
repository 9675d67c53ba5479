// The cluster's own report over HTTP: the leading meta node, the members, the leader of each slot. Nodes are named by
// their hosts here; the cluster's own names for them change with every start.

import { brandServiceKey } from "../../../src/model/ids.ts";
import { slotOf } from "../../../src/model/slot.ts";
import { ADMIN_TOKEN } from "./adminToken.ts";

export interface ClusterStatus {
  /** The meta node that leads, by its own account; undefined if none answers so. */
  readonly metaLeader: string | undefined;
  /** Hosts of the data and session nodes that are members. */
  readonly members: ReadonlySet<string>;
  readonly epoch: string;
  /** By slot; a leader or follower that is no member any more is "gone". */
  readonly slots: readonly SlotHosts[];
}

export interface SlotHosts {
  readonly leader: string;
  readonly followers: readonly string[];
}

const NOTHING: ClusterStatus = { metaLeader: undefined, members: new Set(), epoch: "0", slots: [] };
const ANSWER_MS = 500;
const PROOF = { authorization: `Bearer ${ADMIN_TOKEN}` };

interface NodeRow {
  readonly id: string | null;
  readonly address: string | null;
  readonly state: string;
}

interface SlotRow {
  readonly leader: string;
  readonly followers: readonly string[];
}

/** What a leading meta node says. */
interface LeaderAnswer {
  readonly nodes: readonly NodeRow[];
  readonly epoch: string;
  readonly slots: readonly SlotRow[];
}

interface Asked {
  readonly name: string;
  readonly httpUrl: string;
  readonly adminUrl: string;
}

/** Asks the meta nodes; the answer of one that leads counts, else there is none. */
export async function askStatus(metas: readonly Asked[], hostOf: (address: string) => string): Promise<ClusterStatus> {
  const answers = await Promise.all(metas.map((meta) => askMeta(meta, hostOf)));
  return answers.find((answer) => answer !== undefined) ?? NOTHING;
}

async function askMeta(meta: Asked, hostOf: (address: string) => string): Promise<ClusterStatus | undefined> {
  const answer = (await askOperations(meta)) ?? (await askEarlier(meta));
  if (answer === undefined) return undefined;
  const hosts = new Map(
    answer.nodes.map(({ id, address }) => [id, hostOf(address?.slice(0, address.lastIndexOf(":")) ?? "")]),
  );
  const host = (id: string) => hosts.get(id) ?? "gone";
  return {
    metaLeader: meta.name,
    members: new Set(hosts.values()),
    epoch: answer.epoch,
    slots: answer.slots.map(({ leader, followers }) => ({ leader: host(leader), followers: followers.map(host) })),
  };
}

/** Each node answers for the leader: only the leader's own answer counts here. */
async function askOperations({ adminUrl, httpUrl }: Asked): Promise<LeaderAnswer | undefined> {
  const nodes = await getJson<{ items?: readonly NodeRow[] }>(`${adminUrl}/v1/nodes`);
  const host = new URL(httpUrl).hostname;
  const isLeader = nodes?.items?.some(({ state, address }) => state === "leads" && address?.startsWith(`${host}:`));
  if (nodes?.items === undefined || isLeader !== true) return undefined;
  const slots = await getJson<{ epoch: string; items?: readonly SlotRow[] }>(`${adminUrl}/v1/slots`);
  return { nodes: nodes.items, epoch: slots?.epoch ?? "0", slots: slots?.items ?? [] };
}

/** A release without these operations, from which the nodes are upgraded. */
async function askEarlier({ httpUrl }: Asked): Promise<LeaderAnswer | undefined> {
  const members = await getJson<{ isLeading?: boolean; data: readonly NodeRow[] }>(`${httpUrl}/members`);
  if (members?.isLeading !== true) return undefined;
  const slots = await getJson<{ epoch: string; data: readonly SlotRow[] }>(`${httpUrl}/slots`);
  return { nodes: members.data, epoch: slots?.epoch ?? "0", slots: slots?.data ?? [] };
}

/** The slot that a service of the suite is in. */
export function slotOfService(service: string, slotCount: number): number {
  return slotOf(brandServiceKey(`${service}#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP`), slotCount);
}

/** Whether it answers with success; false also if no server is there. */
export async function isOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { headers: PROOF, signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

async function getJson<Answer>(url: string): Promise<Answer | undefined> {
  try {
    const answer = await fetch(url, { headers: PROOF, signal: AbortSignal.timeout(ANSWER_MS) });
    return (await answer.json()) as Answer;
  } catch {
    return undefined;
  }
}
