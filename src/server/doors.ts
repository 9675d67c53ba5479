// The ports of a node: each role's own, and the one for links from other nodes.

import type { HeldStatus } from "../admin/heldRoutes.ts";
import type { MetaRow } from "../admin/memberRows.ts";
import type { ProcessStatus } from "../admin/processRoutes.ts";
import type { Budget } from "../base/budget.ts";
import { fail } from "../base/errors.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import type { Meta } from "../meta/meta.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { type SlotTable, slotOf, slotOwner } from "../model/slot.ts";
import { SofaGateway } from "../protocols/sofa/gateway.ts";
import type { OtherSession } from "../protocols/sofa/http/serverRoutes.ts";
import { joinAddress } from "../transport/address.ts";
import { hostClock } from "../transport/clock.ts";
import { hostCompression } from "../transport/compression.ts";
import { ConnectionShares } from "../transport/connectionShares.ts";
import { listenTcp, type TcpListener, type TcpOptions } from "../transport/tcp.ts";
import { dataHttpPortOf } from "./config/nodeRoles.ts";
import type { Config } from "./config/table.ts";
import type { DataHost } from "./dataHost.ts";
import type { ConnectionLimits } from "./descriptors.ts";
import { dataHttp } from "./http/dataHttp.ts";
import { listenHttp } from "./http/listen.ts";
import { metaHttp } from "./http/metaHttp.ts";
import { sessionHttp } from "./http/sessionHttp.ts";
import type { MetaHost } from "./metaHost.ts";
import type { MetricsPage } from "./metrics.ts";
import type { NodeNetwork } from "./nodeNetwork.ts";
import type { Roles } from "./roles.ts";
import type { SessionHost } from "./sessionHost.ts";

export interface DoorsEnvironment {
  readonly config: Config;
  readonly log: Log;
  readonly budget: Budget;
  readonly ops: Omit<ProcessStatus, "page"> & { readonly page: MetricsPage };
  readonly limits: ConnectionLimits;
  readonly roles: Roles;
  /** The host by which others reach this node. */
  readonly nodeHost: string;
  /** Where other nodes reach this one: `host:port`. */
  readonly address: string;
  /** What is to be closed with the node; the last one first. */
  readonly closers: (() => void | Promise<void>)[];
}

interface NodePortOptions extends Pick<TcpOptions, "port" | "connectionsMax"> {
  readonly bind: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Listens for other nodes. `network` is asked for each connection: it comes to be when the port is known. */
export async function openNodePort(
  { bind, port, log, metrics, connectionsMax }: NodePortOptions,
  network: () => NodeNetwork,
): Promise<TcpListener> {
  return listenTcp({
    key: "node-port",
    host: bind,
    port,
    connectionsMax,
    clock: hostClock,
    accept: (connection, nowMs) => network().accept(connection, nowMs),
    ...told({ log, metrics }, "node"),
    peers: "nodes",
  });
}

/** The HTTP port of the role meta. In a process that is a whole registry it answers for the role data too. */
export async function openMetaDoor(environment: DoorsEnvironment, host: MetaHost): Promise<number> {
  const { config, log, ops, limits, roles, closers } = environment;
  const { metrics } = ops.page;
  const { meta } = host;
  const app = metaHttp({
    ...ops,
    configValueBytesMax: config.configValueBytesMax,
    config: (dataInfoId) => meta.config(dataInfoId),
    putConfig: (dataInfoId, data) => host.putConfig(dataInfoId, data),
    isLeading: () => meta.isLeading,
    isReady: () => meta.isReady,
    leaderAddress: () => meta.leader?.address,
    isStoreReachable: () => host.isStoreReachable,
    members: () => meta.heartbeats(),
    slotTable: () => meta.slotTable,
    blockedNodes: () => blockedNodes(meta, roles.network),
    metas: () => metaRows(environment, meta),
    blockNode: (node, isBlocked) => host.blockNode(node, isBlocked),
    held: roles.data && heldStatus(roles.data),
  });
  closers.push(() => app.close());
  const shares = new ConnectionShares(() => limits.otherHttp);
  return listenHttp(app, {
    key: "meta-http-port",
    host: config.bind,
    port: config.metaHttpPort,
    shares,
    ...told({ log, metrics }, "meta-http"),
  });
}

/** One that does not lead, or has just begun to, has heard it from the one that does, or did. */
function blockedNodes(meta: Meta, { metaPeers }: NodeNetwork): ReadonlySet<string> {
  return meta.isLeading && meta.isReady ? meta.blockedNodes : new Set(metaPeers?.members?.blocked);
}

function metaRows({ address, roles: { id, network } }: DoorsEnvironment, meta: Meta): MetaRow[] {
  const own = { id, address, isLeading: meta.isLeading };
  const others = (network.metaPeers?.list() ?? []).map((peer) => ({
    ...peer,
    isLeading: peer.id !== undefined && meta.leader?.holder === peer.id,
  }));
  return [own, ...others];
}

/** The HTTP port of the role data; 0 if it has none of its own. */
export async function openDataDoor(environment: DoorsEnvironment, host: DataHost): Promise<number> {
  const { config, log, ops, limits, roles, closers } = environment;
  const port = dataHttpPortOf(config);
  if (port === undefined) return 0;
  const { data } = host;
  const app = dataHttp({
    ...ops,
    ...heldStatus(host),
    hasSlotTable: () => data.slotTable !== undefined,
    isServing: () => data.isServing,
    slotsLed: () => data.slotsLed,
    blocked: () => roles.blocked.reason,
  });
  closers.push(() => app.close());
  const shares = new ConnectionShares(() => limits.otherHttp);
  return listenHttp(app, {
    key: "data-http-port",
    host: config.bind,
    port,
    shares,
    ...told({ log, metrics: ops.page.metrics }, "data-http"),
  });
}

function heldStatus({ data, stepper }: DataHost): HeldStatus {
  return {
    heldLosses: () => data.heldLosses,
    releaseHeld: (dataInfoId) => stepper.step({ kind: "releaseHeld", dataInfoId }),
    nowMs: () => hostClock.nowMs(),
  };
}

/**
 * The ports of the role session. HTTP comes last: whoever is told there where to go finds the door open.
 */
export async function openSessionDoors(
  environment: DoorsEnvironment,
  host: SessionHost,
): Promise<{ readonly bolt: TcpListener; readonly http: number }> {
  const { config, log, budget, ops, limits, roles, closers, nodeHost } = environment;
  const { metrics } = ops.page;
  const isShared = config.workers > 1;
  const compression = hostCompression;
  // Both are asked when connections come: by then both are there.
  const httpShares = new ConnectionShares(() => limits.session - bolt.connections);
  const gateway = new SofaGateway({ config, registry: host.stepper, budget, compression, log, metrics });
  closers.push(watchIdleClients(gateway));
  const tell = told({ log, metrics }, "bolt");
  const bolt = await listenTcp({
    key: "bolt-port",
    host: config.bind,
    port: config.boltPort,
    isShared,
    connectionsMax: () => Math.min(limits.clients, limits.session - httpShares.size),
    clock: hostClock,
    accept: (connection, nowMs) => gateway.accept(connection, nowMs),
    refused: (code, address, numbers) => {
      metrics.add("roster_connections_closed_total", 1, { reason: code });
      tell.refused(code, address, numbers);
    },
    notAccepted: tell.notAccepted,
    peers: "clients",
  });
  closers.push(() => bolt.close());
  host.clientAddress = joinAddress(config.advertiseAddress || nodeHost, bolt.port);
  const { session } = host;
  const app = sessionHttp({
    ...ops,
    id: roles.id,
    clientPort: () => bolt.port,
    advertiseAddress: config.advertiseAddress,
    connections: () => session.connections,
    otherSessions: () => otherSessions(host, roles.id),
    slot: (dataInfoId) => slotOfService(session.slotTable, dataInfoId),
    nodeAddress: (node) => session.members?.list.find(({ id, role }) => id === node && role === "data")?.address,
    hasSlotTable: () => session.slotTable !== undefined,
    blocked: () => roles.blocked.reason,
  });
  closers.push(() => app.close());
  const options = { key: "http-port", host: config.bind, port: config.httpPort, isShared, shares: httpShares };
  return { bolt, http: await listenHttp(app, { ...options, ...told({ log, metrics }, "http") }) };
}

function otherSessions({ session, clientCounts }: SessionHost, own: NodeId): OtherSession[] {
  return (session.members?.list ?? []).flatMap(({ id, role, clientAddress = "" }) =>
    role === "session" && id !== own ? [{ clientAddress, clients: clientCounts.get(id) }] : [],
  );
}

function slotOfService(table: SlotTable | undefined, dataInfoId: DataInfoId) {
  if (table === undefined) return undefined;
  const id = slotOf(dataInfoId, table.slots.length);
  return { id, ...slotOwner(table, id) };
}

/** What a port says of connections that it does not have. */
function told(
  { log, metrics }: { log: Log; metrics: Metrics },
  port: string,
): Pick<TcpOptions, "refused" | "notAccepted"> {
  return {
    refused: (reason, address, numbers) => {
      metrics.add("roster_connections_refused_total", 1, { port, reason });
      log.warn("a connection was refused", { address, port, reason: fail(reason, numbers).message });
    },
    // Node has closed what it could not take; whoever was turned away tries again.
    notAccepted: (error) => {
      metrics.add("roster_connections_refused_total", 1, { port, reason: "SYSTEM" });
      log.error("the system gave no connection", { port, reason: error.message });
    },
  };
}

// How exactly a frozen client's end is met.
const IDLE_CHECK_MS = 500;

function watchIdleClients(gateway: SofaGateway): () => void {
  const timer = setInterval(() => gateway.closeIdle(hostClock.nowMs()), IDLE_CHECK_MS);
  return () => clearInterval(timer);
}
