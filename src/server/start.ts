// Wires everything: stores, roles, ports. The only place that knows all parts.

import { defined, InvariantError } from "../base/assert.ts";
import { Budget } from "../base/budget.ts";
import { RegistryError } from "../base/errors.ts";
import { type CamelCase, camelCase } from "../base/keySpec.ts";
import type { Log } from "../base/ports.ts";
import type { NodeNetwork } from "../cluster/links/nodeNetwork.ts";
import type { NodeStore } from "../data/nodeStore.ts";
import type { DynamicValues } from "../model/dynamicKeys.ts";
import { SLOT_COUNT } from "../model/slot.ts";
import type { Records } from "../records/records.ts";
import { openSqliteStore } from "../store/sqlite/sqliteStore.ts";
import { joinAddress } from "../transport/address.ts";
import { hostClock, hostTimers } from "../transport/clock.ts";
import { beginAccess, openAccess } from "./access/openAccess.ts";
import { budgetLimits, machine } from "./budgetLimits.ts";
import { nameOfListener } from "./clientListeners.ts";
import { type ClientPorts, openClientPorts } from "./clientPorts.ts";
import { checkTls } from "./config/checkTls.ts";
import { checkExposure } from "./config/exposure.ts";
import { GATEWAY_PORT_KEYS, type GatewayPortKey } from "./config/gatewayKeys.ts";
import { checkNodeRoles, isStandalone, nodePortOf } from "./config/nodeRoles.ts";
import { CONFIG, type Config } from "./config/table.ts";
import { type ConnectionLimits, connectionLimits, descriptorLimit } from "./descriptors.ts";
import { drain } from "./drain.ts";
import { findNodeHost } from "./findNodeHost.ts";
import { GatewayQuestions } from "./gatewayQuestions.ts";
import { GATEWAYS } from "./gateways.ts";
import { hostNamesOf } from "./http/hostCheck.ts";
import { loadGateways, type ServedGateway } from "./loadGateways.ts";
import { createLog } from "./log.ts";
import { logLimits, logStart } from "./logStart.ts";
import { createMetrics, type MetricsPage } from "./metrics.ts";
import { openAdminPort, openDataPort, openMetaPort, openNodePort } from "./nodePorts.ts";
import { type OpenedStore, openMetaStore } from "./openMetaStore.ts";
import { openPersistent } from "./persistent/openPersistent.ts";
import type { MetaSourceEnvironment } from "./records/metaSource.ts";
import { openNodeRecords } from "./records/nodeRecords.ts";
import { createRoles, type Roles } from "./roles.ts";
import { RunningConfig } from "./runningConfig.ts";
import { openServerTls } from "./tls/serverTls.ts";
import { watchBudget } from "./watchBudget.ts";
import { watchDescriptors } from "./watchDescriptors.ts";
import { watchEventLoopLag } from "./watchEventLoopLag.ts";
import { openObservers } from "./watching/observers.ts";

interface RolePorts {
  readonly http: number;
  readonly metaHttp: number;
  readonly dataHttp: number;
  readonly admin: number;
  readonly node: number;
}

/** The ports of the protocols, by the names of their listeners. */
type ProtocolPorts = {
  readonly [K in GatewayPortKey as K extends `${infer Name}-port` ? CamelCase<Name> : never]: number;
};

/** The ports at which the server listens, even where any free one was configured; 0 for those that it does not open. */
export type ServerPorts = RolePorts & ProtocolPorts;

export interface RunningServer {
  readonly log: Log;
  readonly page: MetricsPage;
  readonly ports: ServerPorts;
  /** Proves an operator at this machine to the admin-port. */
  readonly localToken: string;
  /** Resolves if a broken invariant, or its cluster, ended the node; it must be closed then. Never rejects. */
  readonly failed: Promise<Error>;
  /** Resolves if an operator requests the end of the node by HTTP; it must be drained and closed then. */
  readonly stopAsked: Promise<void>;
  /** Hands over everything that the cluster would miss, within drain-timeout-ms. To be called once, before `close`. */
  drain(): Promise<void>;
  /** Reads certificates again; returns whether there are any. Those that can't be used leave the old ones in force. */
  reload(): boolean;
  /** Stops everything. May be called twice; resolves when nothing is left running. */
  close(): Promise<void>;
}

type Closer = () => void | Promise<void>;

/**
 * Starts the roles of this process, with the protocols that it serves: all, unless some are named. Rejects with a
 * RegistryError that names the remedy; nothing is left running then.
 */
export async function startServer(
  config: Config,
  gateways: readonly ServedGateway[] = GATEWAYS,
): Promise<RunningServer> {
  checkExposure(config);
  checkNodeRoles(config);
  checkTls(config);
  const closers: Closer[] = [];
  let closing: Promise<void> | undefined;
  // Last started, first stopped.
  const close = () => {
    closing ??= closeAll(closers.reverse());
    return closing;
  };
  try {
    return { ...(await startParts(config, gateways, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Closes all, even after one that failed; the first failure is thrown at the end. */
async function closeAll(closers: readonly Closer[]): Promise<void> {
  const failures: unknown[] = [];
  for (const closer of closers) {
    try {
      await closer();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function startParts(
  config: Config,
  served: readonly ServedGateway[],
  closers: Closer[],
): Promise<Omit<RunningServer, "close">> {
  const { page, log, limits, budget, configs, failure, host, tls } = startProcess(config, served, closers);
  const gateways = await loadGateways(served);
  const stores = await openStores(config, { log, failed: host.failed, closers });

  // A node without others has an address that is never dialled.
  const nodeHost = isStandalone(config) ? config.bind : await findNodeHost(config);
  let metaHttp = 0;
  let roles: Roles | undefined;
  const port = nodePortOf(config);
  const nodePort = { bind: config.bind, ...host, connectionsMax: () => limits.nodes, tls: tls.port("nodes", "node") };
  const node = port === undefined ? undefined : await openNodePort({ ...nodePort, port }, () => networkOf(roles));
  closers.push(() => node?.close());
  // Without a port for nodes, the address only tells operators where the node is.
  const address = joinAddress(nodeHost, node?.port ?? config.httpPort);
  const metaHttpAddress = () => joinAddress(nodeHost, metaHttp);
  const observers = await openObservers(config, host);
  const surroundings = { ...host, ...stores, tls, address, metaHttpAddress };
  roles = createRoles(config, { ...surroundings, versionObservers: observers.versions });
  closers.push(() => roles?.close());
  const access = openAccess(config, { ...host, store: stores.metaStore, roles, closers });
  const { promise: stopAsked, resolve: stop } = Promise.withResolvers<void>();
  let isStopping = false;
  let hasStarted = false;
  const { open } = access;
  const hostNames = hostNamesOf(config);
  const ops = { page, hostNames, open, hasStarted: () => hasStarted, isStopping: () => isStopping, stop };
  const process = { ...configs, log, budget, limits, gateways, failed: host.failed, closers };
  const questions = new GatewayQuestions(roles.network.operations, log);
  const records = openNodeRecords({ ...host, ...waysToMetas(roles), store: stores.metaStore });
  closers.push(() => records.close());
  const persistent = openPersistent(config, { ...host, ...records, roles, questions, budget, closers });
  const parts = { ...access, roles, questions, records, persistent, observers };
  const environment = { ...process, ...parts, ops, tls, nodeHost, address };
  // The leader's lease names this port.
  measureRoles(page, roles);
  if (roles.meta !== undefined) metaHttp = await openMetaPort(environment, roles.meta);
  roles.begin();
  persistent?.begin();
  await beginAccess(access, log);
  const admin = await openAdminPort(environment);
  const dataHttp = roles.data === undefined ? 0 : await openDataPort(environment, roles.data);
  const clients = roles.session === undefined ? undefined : await openClientPorts(environment, roles.session);
  // A running server stops its roles first: connections that close then are the server's doing, not a client's death.
  closers.push(() => roles.close());
  const ports = {
    ...protocolPorts(clients),
    http: clients?.http ?? 0,
    metaHttp,
    dataHttp,
    admin,
    node: node?.port ?? 0,
  };
  hasStarted = true;
  const here = { id: roles.id, roles: config.roles.join(","), bind: config.bind, ...ports };
  if (stores.metaStore?.isOpen ?? true) log.info("roster is ready", here);
  else log.warn("roster has started and will be ready once its store answers", here);
  return {
    log,
    page,
    ports,
    localToken: access.localToken,
    failed: failure,
    stopAsked,
    reload: () => tls.reload(),
    async drain() {
      isStopping = true;
      if (roles.session !== undefined) roles.session.clientAddresses = new Map();
      if (!isStandalone(config)) await drain({ config, roles, listeners: clients?.listeners, ...host });
    },
  };
}

/** The way of this node to the store, if it has none. */
function waysToMetas({ id, network }: Roles): MetaSourceEnvironment {
  const ask: MetaSourceEnvironment["ask"] = (...question) => network.operations.ask(...question);
  return { self: id, ask, metaNodes: () => network.metaNodes };
}

/** Gauges that cost something to find are set when the page is read. */
function measureRoles(page: MetricsPage, { meta, network }: Roles): void {
  page.beforeEach(() => {
    meta?.measure();
    page.metrics.set("roster_node_waiting_bytes", network.waitingBytes);
  });
}

/** The parts that a node has before any role: log, metrics, budgets, and the place where failures arrive. */
function startProcess(config: Config, served: readonly ServedGateway[], closers: Closer[]) {
  const aliases = served.flatMap(({ metricAliases: of }) => (of?.isOn(config) === true ? [of.table] : []));
  const page = createMetrics(served, { isOn: config.metrics, aliases: Object.assign({}, ...aliases) });
  const { metrics } = page;
  const log = createLog({ level: config.logLevel, format: config.logFormat, metrics });
  closers.push(() => {
    log.info("roster has stopped", {});
    return log.stop();
  });
  logStart(log, config);
  const descriptors = descriptorLimit();
  const limits = limitsOf(config, descriptors, log);
  const failure = Promise.withResolvers<Error>();
  const failed = (error: unknown) => {
    log.error("a role has failed; the process is stopping", { reason: describe(error) });
    failure.resolve(error instanceof Error ? error : new InvariantError(String(error)));
  };
  const budget = new Budget(budgetLimits(config, machine()));
  logLimits({ budget: budget.limits, connections: limits, descriptors }, { log, metrics });
  closers.push(watchBudget(budget, metrics));
  closers.push(watchDescriptors({ log, metrics }));
  const running = new RunningConfig(config, {
    log,
    changed: (changed) => budget.changeLimits(budgetLimits(changed, machine())),
  });
  const settingsChanged = (settings: Partial<DynamicValues>) => running.take(settings);
  const host = { clock: hostClock, timers: hostTimers, failed, log, metrics, settingsChanged };
  closers.push(watchEventLoopLag(host));
  const tls = openServerTls(config, host);
  closers.push(() => tls.close());
  const configs = { config: running.config, configured: config };
  return { page, log, limits, budget, configs, failure: failure.promise, host, tls };
}

/** The ports of the protocols; 0 for all of them without the role session. */
function protocolPorts(clients: ClientPorts | undefined): ProtocolPorts {
  const open = clients?.listeners.ports ?? new Map<string, number>();
  const keys = new Set([...GATEWAY_PORT_KEYS, ...open.keys()]);
  return Object.assign({}, ...[...keys].map((key) => ({ [camelCase(nameOfListener(key))]: open.get(key) ?? 0 })));
}

function limitsOf(config: Config, descriptors: number | undefined, log: Log): ConnectionLimits {
  const limits = connectionLimits(descriptors, {
    clientsWanted: config.clientConnectionsMax,
    hasNodePort: nodePortOf(config) !== undefined,
  });
  // A default is not worth a warning: the limits in force are in the log anyway.
  const isAskedFor = config.clientConnectionsMax !== CONFIG["client-connections-max"].default;
  if (isAskedFor && limits.clients < config.clientConnectionsMax) {
    log.warn("this process may open fewer file descriptors than client-connections-max needs; raise ulimit -n", {
      descriptors: descriptors ?? 0,
      clientConnectionsMax: config.clientConnectionsMax,
      ...limits,
    });
  }
  return limits;
}

interface Stores {
  readonly nodeStore: NodeStore;
  readonly metaStore: OpenedStore | undefined;
}

interface StoresEnvironment {
  readonly log: Log;
  readonly failed: (error: unknown) => void;
  readonly closers: Closer[];
}

/** The node's own disk and, with the role meta, the cluster's store: the same file unless a database is named. */
async function openStores(config: Config, { log, failed, closers }: StoresEnvironment): Promise<Stores> {
  const nodeStore = await openSqliteStore(config.dataDir);
  closers.push(() => nodeStore.close());
  if (!config.roles.includes("meta")) return { nodeStore, metaStore: undefined };
  const metaStore = await openMetaStore({
    open: async () => (config.storeUrl === "" ? nodeStore.records : openDatabase(config.storeUrl)),
    cluster: { name: config.clusterName, slotCount: SLOT_COUNT },
    log,
    refused: failed,
  });
  closers.push(() => metaStore.close());
  return { nodeStore, metaStore };
}

/** The driver is loaded only where it is needed: it would add a tenth to the start of every other node. */
async function openDatabase(url: string): Promise<Records> {
  if (/^etcds?:/.test(url)) {
    const { openEtcdRecords } = await import("../store/etcd/etcdRecords.ts");
    return openEtcdRecords(url);
  }
  const { openPostgresRecords } = await import("../store/postgres/postgresRecords.ts");
  return openPostgresRecords(url);
}

/** Connections are accepted in a later turn than the one in which the port was opened; the roles are there by then. */
function networkOf(roles: Roles | undefined): NodeNetwork {
  return defined(roles, "roles come to be in the turn in which the port is opened").network;
}

function describe(error: unknown): string {
  // A fault of the world has everything in its message; a bug of ours is found by its stack.
  if (error instanceof RegistryError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
