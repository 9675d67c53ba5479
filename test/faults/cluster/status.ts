// The cluster's own report over HTTP: the leading meta node, the members, the leader of each slot. Nodes are named by
// their hosts here; the cluster's own names for them change with every start.

import { brandServiceKey } from "../../../src/model/ids.ts";
import { slotOf } from "../../../src/model/slot.ts";

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

interface MembersAnswer {
  readonly isLeading: boolean;
  readonly data: readonly { readonly id: string; readonly address: string }[];
}

interface SlotsAnswer {
  readonly epoch: string;
  readonly data: readonly { readonly leader: string; readonly followers: readonly string[] }[];
}

/** Asks the meta nodes; the answer of one that leads counts, else there is none. */
export async function askStatus(
  metas: readonly { readonly name: string; readonly httpUrl: string }[],
  hostOf: (address: string) => string,
): Promise<ClusterStatus> {
  const answers = await Promise.all(metas.map((meta) => askMeta(meta, hostOf)));
  return answers.find((answer) => answer !== undefined) ?? NOTHING;
}

async function askMeta(
  { name, httpUrl }: { readonly name: string; readonly httpUrl: string },
  hostOf: (address: string) => string,
): Promise<ClusterStatus | undefined> {
  const members = await getJson<MembersAnswer>(`${httpUrl}/members`);
  if (members?.isLeading !== true) return undefined;
  const slots = await getJson<SlotsAnswer>(`${httpUrl}/slots`);
  const hosts = new Map(
    members.data.map(({ id, address }) => [id, hostOf(address.slice(0, address.lastIndexOf(":")))]),
  );
  const host = (id: string) => hosts.get(id) ?? "gone";
  return {
    metaLeader: name,
    members: new Set(hosts.values()),
    epoch: slots?.epoch ?? "0",
    slots: (slots?.data ?? []).map(({ leader, followers }) => ({
      leader: host(leader),
      followers: followers.map(host),
    })),
  };
}

/** The slot that a service of the suite is in. */
export function slotOfService(service: string, slotCount: number): number {
  return slotOf(brandServiceKey(`${service}#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP`), slotCount);
}

/** Whether it answers with success; false also if no server is there. */
export async function isOk(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}

async function getJson<Answer>(url: string): Promise<Answer | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
    return (await answer.json()) as Answer;
  } catch {
    return undefined;
  }
}
