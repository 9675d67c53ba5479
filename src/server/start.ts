// Wires everything: store, roles, gateway, ports. The only place that knows all parts.

import { InvariantError } from "../base/assert.ts";
import { fail } from "../base/errors.ts";
import type { Cancel } from "../base/ports.ts";
import { SofaGateway } from "../gateways/sofa/gateway.ts";
import type { MetaState, MetaStore } from "../meta/metaStore.ts";
import { SLOT_COUNT } from "../model/slot.ts";
import { openSqliteStore } from "../store/sqlite/sqliteStore.ts";
import { hostClock, hostTimers } from "../transport/clock.ts";
import { hostCompression } from "../transport/compression.ts";
import { listenTcp } from "../transport/tcp.ts";
import { checkBind } from "./config/checkBind.ts";
import type { Config } from "./config/table.ts";
import { watchEventLoopLag } from "./eventLoopLag.ts";
import { listenHttp } from "./http/listen.ts";
import { metaHttp } from "./http/metaHttp.ts";
import { sessionHttp } from "./http/sessionHttp.ts";
import { createLog } from "./log.ts";
import { createMetrics } from "./metrics.ts";
import { type Roles, startRoles } from "./roles.ts";

/** The ports at which the server listens, also where 0 was configured. */
export interface ServerPorts {
  readonly bolt: number;
  readonly http: number;
  readonly metaHttp: number;
}

export interface RunningServer {
  readonly ports: ServerPorts;
  /** Resolves if a broken invariant ended the node; it must be closed then. Never rejects. */
  readonly failed: Promise<Error>;
  /** Stops everything. May be called twice; resolves when nothing is left running. */
  close(): Promise<void>;
}

type Closer = () => void | Promise<void>;

/**
 * Starts all roles in this process. Rejects with a RegistryError that says what to do; nothing is left running then.
 */
export async function startServer(config: Config): Promise<RunningServer> {
  checkBind(config);
  const closers: Closer[] = [];
  let closing: Promise<void> | undefined;
  // Last started, first stopped.
  const close = () => {
    closing ??= closeAll(closers.reverse());
    return closing;
  };
  try {
    return { ...(await startParts(config, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Closes all, also after one that failed; the first failure is thrown at the end. */
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

async function startParts(config: Config, closers: Closer[]): Promise<Omit<RunningServer, "close">> {
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  closers.push(() => log.stop());
  const page = createMetrics();
  const { metrics } = page;
  const store = await openSqliteStore(config.dataDir);
  closers.push(() => store.close());
  const state = await joinCluster(store, config);

  const failure = Promise.withResolvers<Error>();
  const failed = (error: unknown) => {
    log.error("a role has ended", { reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    failure.resolve(error instanceof Error ? error : new InvariantError(String(error)));
  };
  const host = { clock: hostClock, timers: hostTimers, failed };
  const roles = startRoles(config, state, { ...host, log, metrics, store });
  closers.push(() => roles.close());
  const gateway = new SofaGateway({ config, registry: roles.session, compression: hostCompression, log, metrics });
  closers.push(watchEventLoopLag({ ...host, metrics }));
  closers.push(watchIdleClients(gateway));
  const ports = await listen({ config, roles, gateway, page, closers });
  // Of a server that runs the roles are stopped first: what closes then is the server's doing, no client's death.
  closers.push(() => roles.close());
  log.info("roster is ready", {
    bind: config.bind,
    bolt: ports.bolt,
    http: ports.http,
    metaHttp: ports.metaHttp,
    dataDir: config.dataDir,
  });
  return { ports, failed: failure.promise };
}

/** The cluster's constants are fixed at the first start on a store; a different name is a mistake, not a wish. */
async function joinCluster(store: MetaStore, { clusterName }: Config): Promise<MetaState> {
  const cluster = await store.saveCluster({ name: clusterName, slotCount: SLOT_COUNT });
  if (cluster.name !== clusterName) {
    throw fail("CONFIG_INVALID", { key: "cluster-name", value: clusterName, stored: cluster.name });
  }
  return { ...(await store.loadAll()), cluster };
}

// How exactly a frozen client's end is met.
const IDLE_CHECK_MS = 500;

function watchIdleClients(gateway: SofaGateway): Closer {
  let cancel: Cancel = () => undefined;
  const arm = () => {
    cancel = hostTimers.after(IDLE_CHECK_MS, (nowMs) => {
      gateway.closeIdle(nowMs);
      arm();
    });
  };
  arm();
  return () => cancel();
}

interface Parts {
  readonly config: Config;
  readonly roles: Roles;
  readonly gateway: SofaGateway;
  readonly page: ReturnType<typeof createMetrics>;
  readonly closers: Closer[];
}

/** Opens the ports. The HTTP port of the session comes last: whoever is told there where to go finds the door open. */
async function listen({ config, roles, gateway, page, closers }: Parts): Promise<ServerPorts> {
  const host = config.bind;
  const bolt = await listenTcp({
    host,
    port: config.boltPort,
    connectionsMax: config.clientConnectionsMax,
    clock: hostClock,
    accept: (connection, nowMs) => gateway.accept(connection, nowMs),
    refused: () => page.metrics.add("roster_connections_closed_total", 1, { reason: "CONNECTIONS_EXHAUSTED" }),
  });
  closers.push(() => bolt.close());
  const metaApp = metaHttp({
    config: roles.config,
    putConfig: roles.putConfig,
    isReady: () => roles.slotTable() !== undefined,
  });
  closers.push(() => metaApp.close());
  const metaPort = await listenHttp(metaApp, { host, port: config.metaHttpPort });
  const sessionApp = sessionHttp({
    boltPort: () => bolt.port,
    advertiseAddress: config.advertiseAddress,
    dataCenter: config.dataCenter,
    connections: () => roles.connections(),
    slotTable: () => roles.slotTable(),
    page,
  });
  closers.push(() => sessionApp.close());
  const http = await listenHttp(sessionApp, { host, port: config.httpPort });
  return { bolt: bolt.port, http, metaHttp: metaPort };
}
