// When all is well again the cluster is whole: one meta node leads, every slot has a serving leader and its followers,
// all in balance, and every node uses the same table and the same members.

import type { MemberRole, Members, MembersVersion } from "../../cluster/messages/membership.ts";
import type { NodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

export class Settled implements Checker {
  readonly #evidence: Evidence;
  // The lists sent to each node, by version: its heartbeat names the one that it uses. The last one received proves
  // nothing: messages of a leader that was cut off may arrive after its successor's, and are ignored.
  readonly #members = new Map<string, Members>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    if (fact.kind === "learned" && fact.message.kind === "members") {
      const { members } = fact.message;
      const key = membersKey(fact.role, fact.node, members);
      if (!this.#members.has(key)) this.#members.set(key, members);
    }
    if (fact.kind !== "over" && fact.kind !== "left") return undefined;
    const text = fact.kind === "left" ? handOverFault(fact) : this.#look();
    return text === undefined ? undefined : { rule: "settled: a healed cluster is whole", service: undefined, text };
  }

  #look(): string | undefined {
    const { table } = this.#evidence.nodes;
    if (table === undefined) return "there is no slot table";
    return this.#tableFault(table) ?? this.#nodesFault(table);
  }

  #tableFault(table: SlotTable): string | undefined {
    const datas = this.#evidence.nodes.living("data").map(({ id }) => id);
    const copies = Math.min(this.#evidence.plan.meta.slotReplicas, datas.length);
    for (const [slot, { leader, followers }] of table.slots.entries()) {
      const dead = [leader, ...followers].find((node) => !datas.includes(node));
      if (dead !== undefined) return `slot ${slot} is given to ${dead}, which is gone`;
      if (followers.length !== copies - 1) return `slot ${slot} has ${followers.length} followers`;
    }
    const leaders = table.slots.map(({ leader }) => leader);
    const followers = table.slots.flatMap((owner) => owner.followers);
    return unevenness("lead", datas, leaders) ?? unevenness("follow", datas, followers);
  }

  #nodesFault(table: SlotTable): string | undefined {
    const { nodes } = this.#evidence;
    const members = [...nodes.living("data"), ...nodes.living("session")].map(({ role, id }) => `${role} ${id}`).sort();
    for (const role of ["data", "session"] as const) {
      for (const { id } of nodes.living(role)) {
        const heartbeat = nodes.heartbeat(role, id);
        if (heartbeat?.tableEpoch !== table.epoch)
          return `${id} goes by table ${heartbeat?.tableEpoch}, not ${table.epoch}`;
        const list = this.#members.get(membersKey(role, id, heartbeat.members))?.list ?? [];
        const known = list.map((member) => `${member.role} ${member.id}`);
        if (known.sort().join() !== members.join()) return `${id} knows ${known.join()}; there are ${members.join()}`;
      }
    }
    return this.#reportFault(table);
  }

  #reportFault(table: SlotTable): string | undefined {
    for (const [slot, { leader, followers }] of table.slots.entries()) {
      const reportOf = (node: NodeId) => this.#evidence.nodes.heartbeat("data", node)?.slots;
      if (reportOf(leader)?.serving.includes(slot) !== true) return `${leader} does not serve slot ${slot}`;
      const late = followers.find((node) => reportOf(node)?.inSync.includes(slot) !== true);
      if (late !== undefined) return `${late} does not hold slot ${slot}`;
    }
    return undefined;
  }
}

function membersKey(role: MemberRole, node: NodeId, { epoch, serial }: MembersVersion): string {
  return `${role} ${node} ${epoch}/${serial}`;
}

function handOverFault({ node, slotsKept }: Fact & { kind: "left" }): string | undefined {
  return slotsKept === 0 ? undefined : `${node} has left and leads or follows ${slotsKept} slots still`;
}

function unevenness(what: string, nodes: readonly NodeId[], named: readonly NodeId[]): string | undefined {
  const counts = nodes.map((node) => named.filter((other) => other === node).length);
  if (Math.max(...counts) - Math.min(...counts) <= 1) return undefined;
  return `data nodes ${what} unevenly: ${nodes.map((node, at) => `${node} ${counts[at]}`).join(", ")}`;
}
