// The cluster as the leading meta node sees it, in gauges. A node that does not lead shows zeros, so that a sum over
// all meta nodes is right.

import type { Metrics } from "../base/metrics.ts";
import type { MemberRole } from "../cluster/messages/membership.ts";
import type { Meta } from "../meta/meta.ts";

const ROLES: readonly MemberRole[] = ["session", "data"];

/** Sets the gauges; some 50 µs with 100 members and 256 slots. */
export function measureMeta(
  meta: Pick<Meta, "isLeading" | "slotTable" | "slotPause" | "heartbeats">,
  metrics: Metrics,
): void {
  const members = new Map<MemberRole, number>();
  const serving = new Set<string>();
  const inSync = new Set<string>();
  if (meta.isLeading) {
    for (const [{ id, role }, { slots }] of meta.heartbeats()) {
      members.set(role, (members.get(role) ?? 0) + 1);
      for (const slot of slots?.serving ?? []) serving.add(`${id} ${slot}`);
      for (const slot of slots?.inSync ?? []) inSync.add(`${id} ${slot}`);
    }
  }
  let unserved = 0;
  let withoutFollower = 0;
  const owners = meta.isLeading ? (meta.slotTable?.slots ?? []) : [];
  for (const [slot, { leader, followers }] of owners.entries()) {
    if (!serving.has(`${leader} ${slot}`)) unserved++;
    if (followers.length > 0 && !followers.some((follower) => inSync.has(`${follower} ${slot}`))) withoutFollower++;
  }
  for (const role of ROLES) metrics.set("roster_members", members.get(role) ?? 0, { role });
  metrics.set("roster_slots_paused", meta.isLeading && meta.slotPause !== undefined ? 1 : 0);
  metrics.set("roster_slots_unserved", unserved);
  metrics.set("roster_slots_without_follower", withoutFollower);
}
