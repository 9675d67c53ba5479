// Steps that many scenarios take.

import { DATAS, METAS } from "../cluster/cluster.ts";
import { slotOfService } from "../cluster/status.ts";
import type { Stage } from "../stage.ts";

/** Changes a second while something goes wrong: enough that every moment of it is hit. */
export const USUAL_CHURN = 20;
/**
 * The time that a change may take when the fault goes unnoticed: half a second on a busy machine, and up to
 * push-window-max-ms, for under this churn services change all the time and their pushes are gathered.
 */
export const USUAL_MS = 2_500;

const WHOLE_MS = 45_000;

/** Starts nodes that were killed, and waits until the cluster is whole again, while clients go on changing. */
export async function comeBack(stage: Stage, ...names: readonly string[]): Promise<void> {
  await stage.act(`${names.join(", ")} started again`, () => {
    for (const name of names) stage.cluster.node(name).start();
  });
  const isWhole = await stage.cluster.untilWhole(WHOLE_MS);
  if (!isWhole) stage.fail(`the cluster did not become whole again: ${await stage.cluster.missing()}`);
}

/** Kills nodes at once. Resolves to when that was. */
export function kill(stage: Stage, ...names: readonly string[]): Promise<number> {
  return stage.act(`kill -9 ${names.join(", ")}`, async () => {
    await Promise.all(names.map((name) => stage.cluster.node(name).kill()));
  });
}

export function freeze(stage: Stage, ...names: readonly string[]): Promise<number> {
  return stage.act(`SIGSTOP ${names.join(", ")}`, () => {
    for (const name of names) stage.cluster.node(name).freeze();
  });
}

export async function thaw(stage: Stage, ...names: readonly string[]): Promise<void> {
  await stage.heal(`SIGCONT ${names.join(", ")}`, () => {
    for (const name of names) stage.cluster.node(name).thaw();
  });
}

/** A filter for the services that one of these data nodes led when the scenario began. */
export function ledBy(stage: Stage, ...datas: readonly string[]): (service: string) => boolean {
  const led = new Set(stage.workload.services.filter(({ leader }) => datas.includes(leader)).map(({ name }) => name));
  return (service) => led.has(service);
}

/** A filter for the services that one of these data nodes follows now. */
export async function followedBy(stage: Stage, ...datas: readonly string[]): Promise<(service: string) => boolean> {
  const { slots } = await stage.cluster.status();
  return (service) => {
    const followers = slots[slotOfService(service, slots.length)]?.followers ?? [];
    return followers.some((follower) => datas.includes(follower));
  };
}

/** Writes down what became of the calls of the clients: how many, and how long the slowest took with its retries. */
export function noteCalls(stage: Stage): void {
  let calls = 0;
  let slowestMs = 0;
  for (const registration of stage.fleet.records.registrations.values()) {
    for (const call of registration.calls) {
      const ack = registration.acks.find(({ t, version }) => t >= call.t && version >= call.version);
      calls++;
      slowestMs = Math.max(slowestMs, (ack?.t ?? call.t) - call.t);
    }
  }
  stage.notes.push(`${calls} calls, the slowest answered after ${(slowestMs / 1_000).toFixed(1)} s`);
}

/** Whether the table names none of these data nodes as a leader any more, and every slot has a living one. */
export async function leadNothing(stage: Stage, ...datas: readonly string[]): Promise<boolean> {
  const { slots } = await stage.cluster.status();
  return slots.length > 0 && slots.every(({ leader }) => leader !== "gone" && !datas.includes(leader));
}

/** The data nodes but for these. */
export function otherDatas(...names: readonly string[]): string[] {
  return DATAS.filter((data) => !names.includes(data));
}

/** Whether another meta node than this one leads. */
export async function leadsAnother(stage: Stage, meta: string): Promise<boolean> {
  const { metaLeader } = await stage.cluster.status();
  return metaLeader !== undefined && metaLeader !== meta && METAS.some((name) => name === metaLeader);
}
