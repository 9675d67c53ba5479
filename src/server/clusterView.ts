// The cluster and a data node's contents as the protocols' paths see them.

import type { MemberAddress } from "../cluster/messages/membership.ts";
import type { Datum } from "../data/datum.ts";
import type { Meta } from "../meta/meta.ts";
import { hostOf, type NodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { SlotTable } from "../model/slot.ts";
import type { ClusterNode, ClusterView, DatumView, SlotState } from "../protocols/kit/gateway.ts";
import { hostTimers } from "../transport/clock.ts";
import type { Config } from "./config/table.ts";
import type { DataHost } from "./dataHost.ts";
import { packageVersion } from "./packageVersion.ts";

interface ClusterSource {
  readonly config: Config;
  /** This node's own address for others. */
  readonly address: string;
  readonly members: () => readonly MemberAddress[];
  readonly clients: (session: NodeId) => number | undefined;
  readonly slotTable: () => SlotTable | undefined;
}

/** The view of a node with a role of which this is the source. */
export function clusterView(source: ClusterSource): ClusterView {
  const { config } = source;
  const version = packageVersion();
  const nodes = () => [...source.members().map((member) => memberNode(member, source)), ...metaNodes(source)];
  return {
    dataCenter: config.dataCenter,
    zone: config.zone,
    version,
    nodes,
    slotTable: source.slotTable,
    isFrozen: () => nodes().filter(({ role }) => role === "data").length < config.dataNodesMin,
  };
}

/** The view of a node with the role meta. */
export function metaClusterView(
  meta: Meta,
  { config, address }: Pick<ClusterSource, "config" | "address">,
): ClusterView {
  const clients = (session: NodeId) => {
    for (const [{ id, role }, beat] of meta.heartbeats()) if (role === "session" && id === session) return beat.clients;
    return undefined;
  };
  return clusterView({ config, address, clients, members: () => meta.members(), slotTable: () => meta.slotTable });
}

/** The lease of the leading meta node, and its host. */
export function leaderOf({ leader }: Meta): { readonly epoch: bigint; readonly host: string } | undefined {
  return leader && { epoch: leader.epoch, host: hostIn(leader.address) };
}

function memberNode({ id, role, address }: MemberAddress, { clients }: ClusterSource): ClusterNode {
  return { id, role, address, host: hostIn(address), ...(role === "session" && { clients: clients(id) }) };
}

/** All meta nodes are in the configuration, unless this one is alone. */
function metaNodes({ config, address }: ClusterSource): ClusterNode[] {
  const addresses = config.metaAddresses.length === 0 ? [address] : config.metaAddresses;
  return addresses.map((one) => ({ id: undefined, role: "meta", address: one, host: hostIn(one) }));
}

function hostIn(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf(":")));
}

/** The slots that a data node keeps. */
export function dataSlotStates({ data }: DataHost, node: NodeId): SlotState[] {
  const tableEpoch = data.slotTable?.epoch ?? 0n;
  return [...data.keptSlots()].map((kept) => {
    const { duty, leaderEpoch, contents } = kept;
    const isHealthy = kept.duty === "lead" ? kept.isServing : kept.isInSync;
    return { slot: contents.slot, leaderEpoch, node, duty, isHealthy, tableEpoch };
  });
}

/** The slots of all data nodes, by their heartbeats. */
export function reportedSlotStates(meta: Meta): SlotState[] {
  const reports = new Map(
    [...meta.heartbeats()].flatMap(([{ id, role }, beat]) => (role === "data" ? [[id, beat]] : [])),
  );
  return (meta.slotTable?.slots ?? []).flatMap(({ leader, leaderEpoch, followers }, slot) => {
    const state = (node: NodeId, duty: SlotState["duty"]): SlotState => {
      const beat = reports.get(node);
      const healthy = duty === "lead" ? beat?.slots?.serving : beat?.slots?.inSync;
      const isHealthy = healthy?.includes(slot) === true;
      return { slot, leaderEpoch, node, duty, isHealthy, tableEpoch: beat?.tableEpoch ?? 0n };
    };
    return [state(leader, "lead"), ...followers.map((node) => state(node, "follow"))];
  });
}

/** Visits the services of led slots, a slot in each turn. */
export async function eachDatum({ data }: DataHost, visit: (datum: DatumView) => void): Promise<void> {
  const slots = [...data.keptSlots()].flatMap((kept) => (kept.duty === "lead" ? [kept] : []));
  for (const { contents } of slots) {
    for (const datum of contents.datums.values()) visit(datumView(datum));
    await new Promise<void>((resolve) => void hostTimers.after(0, () => resolve()));
  }
}

export function datumView(datum: Datum): DatumView {
  return {
    serviceKey: datum.serviceKey,
    version: datum.version.version,
    size: datum.size,
    publications: () => datum.publications(),
    publicationsAt: (hosts) => publicationsAt(datum, hosts),
  };
}

function publicationsAt(datum: Datum, hosts: ReadonlySet<string>): Publication[] {
  const found = [...datum.registrations(({ client }) => hosts.has(hostOf(client)))];
  return found.flatMap(({ registId }) => datum.publication(registId) ?? []);
}
