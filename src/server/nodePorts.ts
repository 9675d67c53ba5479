// The ports of a node: those of its roles, and the one for links from other nodes.

import type { FastifyInstance } from "fastify";
import type { ProcessStatus } from "../admin/processRoutes.ts";
import type { Budget } from "../base/budget.ts";
import { ConnectionShares } from "../base/connectionShares.ts";
import { fail } from "../base/errors.ts";
import type { HttpExchange } from "../base/http.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Log } from "../base/ports.ts";
import type { NodeNetwork } from "../cluster/links/nodeNetwork.ts";
import { nodeNameOf, type ServiceKey } from "../model/ids.ts";
import type { Publication, Registration } from "../model/publication.ts";
import { settingsIn } from "../model/settings.ts";
import type { DatumView } from "../protocols/kit/gateway.ts";
import { hostClock } from "../transport/clock.ts";
import type { ListenAddress, SocketListener } from "../transport/listen.ts";
import { listenTcp, type TcpOptions } from "../transport/tcp.ts";
import { gatewayAudit } from "./access/gatewayAudit.ts";
import type { AccessParts } from "./access/openAccess.ts";
import {
  clusterView,
  dataSlotStates,
  datumView,
  eachDatum,
  leaderOf,
  metaClusterView,
  reportedSlotStates,
} from "./clusterView.ts";
import { dataHttpPortOf } from "./config/nodeRoles.ts";
import type { Config } from "./config/table.ts";
import { createRouter } from "./createRouter.ts";
import type { DataHost } from "./dataHost.ts";
import type { ConnectionLimits } from "./descriptors.ts";
import type { GatewayQuestions } from "./gatewayQuestions.ts";
import { adminHttp } from "./http/adminHttp.ts";
import { dataHttp } from "./http/dataHttp.ts";
import { listenHttp } from "./http/listen.ts";
import { metaHttp } from "./http/metaHttp.ts";
import type { PathsEnvironment } from "./http/roleHttp.ts";
import type { LoadedGateway } from "./loadGateways.ts";
import type { MetaHost } from "./metaHost.ts";
import type { MetricsPage } from "./metrics.ts";
import type { PersistentHost } from "./persistent/persistentHost.ts";
import { portRefusals } from "./portRefusals.ts";
import { notReadyOf } from "./readiness.ts";
import type { NodeRecords } from "./records/nodeRecords.ts";
import type { Roles } from "./roles.ts";
import type { ServerTls } from "./tls/serverTls.ts";
import type { Observers } from "./watching/observers.ts";

export interface NodePortsEnvironment extends AccessParts {
  /** As it is in force: with the settings that operators have changed. */
  readonly config: Config;
  /** As the process was started. */
  readonly configured: Config;
  readonly log: Log;
  readonly budget: Budget;
  readonly ops: Omit<ProcessStatus, "page"> & {
    readonly page: MetricsPage;
    /** Begins an orderly stop of the process. */
    readonly stop: () => void;
  };
  readonly limits: ConnectionLimits;
  readonly roles: Roles;
  /** Questions of the protocols to other nodes. */
  readonly questions: GatewayQuestions;
  /** The protocols' part of the store. */
  readonly records: NodeRecords;
  /** Undefined without the role session. */
  readonly persistent: PersistentHost | undefined;
  readonly gateways: readonly LoadedGateway[];
  /** Hear of clients' registrations and pushes. */
  readonly observers: Observers;
  readonly tls: ServerTls;
  /** Called for a broken invariant: the node must end. */
  readonly failed: (error: unknown) => void;
  /** The host by which others reach this node. */
  readonly nodeHost: string;
  /** The address for other nodes: `host:port`. */
  readonly address: string;
  /** Everything that closes with the node; the last one first. */
  readonly closers: (() => void | Promise<void>)[];
}

interface NodePortOptions extends Pick<TcpOptions, "port" | "connectionsMax" | "tls"> {
  readonly bind: string;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Listens for other nodes. `network` is called for each connection: it is made after the port is known. */
export async function openNodePort(
  { bind, port, log, metrics, connectionsMax, tls }: NodePortOptions,
  network: () => NodeNetwork,
): Promise<SocketListener> {
  return listenTcp({
    key: "node-port",
    host: bind,
    port,
    connectionsMax,
    clock: hostClock,
    accept: (connection, nowMs) => network().accept(connection, nowMs),
    ...portRefusals({ log, metrics }, "node"),
    peers: "nodes",
    tls,
  });
}

/** The HTTP port of the role meta. */
export async function openMetaPort(environment: NodePortsEnvironment, host: MetaHost): Promise<number> {
  const { config, ops, roles, gateways } = environment;
  const { meta } = host;
  const status = {
    ...ops,
    configValueBytesMax: config.configValueBytesMax,
    config: meta.config.bind(meta),
    putConfig: (...put: Parameters<MetaHost["putConfig"]>) => host.putConfig(...put),
    settings: () => ({
      ...environment.configured,
      ...settingsIn(meta.rules.rules(), { zone: config.zone, name: nodeNameOf(roles.id) }),
    }),
    rules: () => meta.rules,
    changeRules: (...edit: Parameters<MetaHost["changeRules"]>) => host.changeRules(...edit),
    compareServices: () => host.step({ kind: "compareServices" }),
    isLeading: () => meta.isLeading,
    hasSlotTable: () => meta.slotTable !== undefined,
    notReady: () => notReadyOf(roles).get("meta"),
    leaderAddress: () => meta.leader?.address,
    isStoreReachable: () => host.isStoreReachable,
    cluster: metaClusterView(meta, environment),
    leader: () => leaderOf(meta),
    slotStates: () => reportedSlotStates(meta),
    blockedNodes: () => [...meta.nodeBlocks.nodes()],
    blockNode: (...block: Parameters<MetaHost["blockNode"]>) => host.blockNode(...block),
    stepDown: () => host.stepDown(),
    slotPause: () => meta.slotPause,
    pauseSlots: (pause: Parameters<MetaHost["pauseSlots"]>[0]) => host.pauseSlots(pause),
    arrangeSlots: () => host.arrangeSlots(),
  };
  const { questions } = environment;
  for (const { name, code } of gateways) {
    questions.attach(name, "meta", (asked) => code.metaAnswer?.(status, asked) ?? Promise.reject(noAnswer(name)));
  }
  const app = metaHttp(status, gateways, pathsEnvironment(environment));
  return listenAt(environment, app, { key: "meta-http-port", host: config.bind, port: config.metaHttpPort });
}

function pathsEnvironment({ config, clientAccess, audit, questions }: NodePortsEnvironment): PathsEnvironment {
  return { config, access: clientAccess, audit: gatewayAudit(audit.record), questions };
}

/** Listens at one of the ports that are not for clients, and closes it with the node. */
function listenAt(
  { log, ops, limits, closers, tls }: NodePortsEnvironment,
  app: FastifyInstance,
  address: ListenAddress,
): Promise<number> {
  closers.push(() => app.close());
  const shares = new ConnectionShares(() => limits.otherHttp);
  const name = address.key.replace(/-port$/, "");
  const refusals = portRefusals({ log, metrics: ops.page.metrics }, name);
  return listenHttp(app, { ...address, shares, ...refusals, tls: tls.port(name === "admin" ? "admin" : "http", name) });
}

/** The HTTP port of the role data; 0 for a node without it. */
export async function openDataPort(environment: NodePortsEnvironment, host: DataHost): Promise<number> {
  const { config, ops, roles, gateways } = environment;
  const { data } = host;
  const status = {
    ...ops,
    hasSlotTable: () => data.slotTable !== undefined,
    notReady: () => notReadyOf(roles).get("data"),
    isServing: () => data.isServing,
    slotsLed: () => data.slotsLed,
    id: roles.id,
    blocked: () => roles.blocked.reason,
    cluster: clusterView({
      ...{ config, address: environment.address, members: () => data.members?.list ?? [], clients: () => undefined },
      slotTable: () => data.slotTable,
    }),
    slotStates: () => dataSlotStates(host, roles.id),
    datum: (serviceKey: ServiceKey) => {
      const datum = data.datum(serviceKey);
      return datum && datumView(datum);
    },
    eachDatum: (visit: (datum: DatumView) => void) => eachDatum(host, visit),
    nowMs: () => hostClock.nowMs(),
    leads: (serviceKey: ServiceKey) => data.parts.slots.leading(serviceKey) !== undefined,
    putPublication: (publication: Publication) => host.putPublication(publication),
    removePublication: (registration: Registration) => host.removePublication(registration),
  };
  const port = dataHttpPortOf(config) ?? 0;
  const app = dataHttp(status, gateways, pathsEnvironment(environment));
  return listenAt(environment, app, { key: "data-http-port", host: config.bind, port });
}

/** The port for operators, which every node has. */
export async function openAdminPort(environment: NodePortsEnvironment): Promise<number> {
  const { config, log, ops, roles, authenticator } = environment;
  const status = {
    ...ops,
    log,
    router: createRouter(environment),
    identify: (exchange: HttpExchange) => authenticator.identify(exchange),
    valueBytesMax: config.configValueBytesMax,
    notReady: () => firstOf(notReadyOf(roles)),
  };
  return listenAt(environment, adminHttp(status), {
    key: "admin-port",
    host: config.adminBind,
    port: config.adminPort,
  });
}

function noAnswer(gateway: string): Error {
  return fail("NODE_ASKED_UNREACHABLE", { reason: `${gateway} answers no questions at the role meta` });
}

function firstOf(reasons: ReadonlyMap<string, string | undefined>): string | undefined {
  for (const [role, reason] of reasons) if (reason !== undefined) return `${role}: ${reason}`;
  return undefined;
}
