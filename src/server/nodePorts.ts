// The ports of a node: those of its roles, and the one for links from other nodes.

import type { HeldStatus } from "../admin/heldRoutes.ts";
import type { MetaRow } from "../admin/memberRows.ts";
import type { ProcessStatus } from "../admin/processRoutes.ts";
import type { Budget } from "../base/budget.ts";
import { ConnectionShares } from "../base/connectionShares.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import type { NodeNetwork } from "../cluster/links/nodeNetwork.ts";
import type { Meta } from "../meta/meta.ts";
import { hostClock } from "../transport/clock.ts";
import { listenTcp, type TcpListener, type TcpOptions } from "../transport/tcp.ts";
import { dataHttpPortOf } from "./config/nodeRoles.ts";
import type { Config } from "./config/table.ts";
import type { DataHost } from "./dataHost.ts";
import type { ConnectionLimits } from "./descriptors.ts";
import { dataHttp } from "./http/dataHttp.ts";
import { listenHttp } from "./http/listen.ts";
import { metaHttp } from "./http/metaHttp.ts";
import type { LoadedGateway } from "./loadGateways.ts";
import type { MetaHost } from "./metaHost.ts";
import type { MetricsPage } from "./metrics.ts";
import { portRefusals } from "./portRefusals.ts";
import type { Roles } from "./roles.ts";

export interface NodePortsEnvironment {
  readonly config: Config;
  readonly log: Log;
  readonly budget: Budget;
  readonly ops: Omit<ProcessStatus, "page"> & { readonly page: MetricsPage };
  readonly limits: ConnectionLimits;
  readonly roles: Roles;
  readonly gateways: readonly LoadedGateway[];
  /** Called for a broken invariant: the node must end. */
  readonly failed: (error: unknown) => void;
  /** The host by which others reach this node. */
  readonly nodeHost: string;
  /** The address for other nodes: `host:port`. */
  readonly address: string;
  /** Everything that closes with the node; the last one first. */
  readonly closers: (() => void | Promise<void>)[];
}

interface NodePortOptions extends Pick<TcpOptions, "port" | "connectionsMax"> {
  readonly bind: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Listens for other nodes. `network` is called for each connection: it is made after the port is known. */
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
    ...portRefusals({ log, metrics }, "node"),
    peers: "nodes",
  });
}

/** The HTTP port of the role meta. In a process that is a whole registry it also answers for the role data. */
export async function openMetaPort(environment: NodePortsEnvironment, host: MetaHost): Promise<number> {
  const { config, log, ops, limits, roles, gateways, closers } = environment;
  const { metrics } = ops.page;
  const { meta } = host;
  const status = {
    ...ops,
    configValueBytesMax: config.configValueBytesMax,
    config: meta.config.bind(meta),
    putConfig: host.putConfig.bind(host),
    isLeading: () => meta.isLeading,
    isReady: () => meta.isReady,
    leaderAddress: () => meta.leader?.address,
    isStoreReachable: () => host.isStoreReachable,
    members: () => meta.heartbeats(),
    slotTable: () => meta.slotTable,
    blockedNodes: () => blockedNodes(meta, roles.network),
    metas: () => metaRows(environment, meta),
    blockNode: host.blockNode.bind(host),
    held: roles.data && heldStatus(roles.data),
  };
  const app = metaHttp(status, gateways);
  closers.push(() => app.close());
  const shares = new ConnectionShares(() => limits.otherHttp);
  return listenHttp(app, {
    key: "meta-http-port",
    host: config.bind,
    port: config.metaHttpPort,
    shares,
    ...portRefusals({ log, metrics }, "meta-http"),
  });
}

/** A node that does not lead, or has just begun to, has heard it from the present or the previous leader. */
function blockedNodes(meta: Meta, { metaPeers }: NodeNetwork): ReadonlySet<string> {
  return meta.isLeading && meta.isReady ? meta.blockedNodes : new Set(metaPeers?.members?.blocked);
}

function metaRows({ address, roles: { id, network } }: NodePortsEnvironment, meta: Meta): MetaRow[] {
  const own = { id, address, isLeading: meta.isLeading };
  const others = (network.metaPeers?.list() ?? []).map((peer) => ({
    ...peer,
    isLeading: peer.id !== undefined && meta.leader?.holder === peer.id,
  }));
  return [own, ...others];
}

/** The HTTP port of the role data; 0 if it has none of its own. */
export async function openDataPort(environment: NodePortsEnvironment, host: DataHost): Promise<number> {
  const { config, log, ops, limits, roles, gateways, closers } = environment;
  const port = dataHttpPortOf(config);
  if (port === undefined) return 0;
  const { data } = host;
  const status = {
    ...ops,
    ...heldStatus(host),
    hasSlotTable: () => data.slotTable !== undefined,
    isServing: () => data.isServing,
    slotsLed: () => data.slotsLed,
    blocked: () => roles.blocked.reason,
  };
  const app = dataHttp(status, gateways);
  closers.push(() => app.close());
  const shares = new ConnectionShares(() => limits.otherHttp);
  return listenHttp(app, {
    key: "data-http-port",
    host: config.bind,
    port,
    shares,
    ...portRefusals({ log, metrics: ops.page.metrics }, "data-http"),
  });
}

function heldStatus({ data, stepper }: DataHost): HeldStatus {
  return {
    heldLosses: () => data.heldLosses,
    releaseHeld: (serviceKey) => stepper.step({ kind: "releaseHeld", serviceKey }),
    nowMs: () => hostClock.nowMs(),
  };
}
