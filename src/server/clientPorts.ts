// The ports of the role session: each protocol's own, and the HTTP port that all of them share.

import { defined } from "../base/assert.ts";
import { ConnectionShares } from "../base/connectionShares.ts";
import { camelCase } from "../base/keySpec.ts";
import { Stepper } from "../base/stepper.ts";
import type { ClientAddresses } from "../cluster/messages/membership.ts";
import type { ServiceKey } from "../model/ids.ts";
import { type SlotTable, slotOf, slotOwner } from "../model/slot.ts";
import type { OpenGateway, OtherSession, SessionNodeView } from "../protocols/kit/gateway.ts";
import { GatewayChecks } from "../protocols/kit/gatewayChecks.ts";
import { joinAddress } from "../transport/address.ts";
import { hostClock, hostTimers } from "../transport/clock.ts";
import { hostCompression } from "../transport/compression.ts";
import { hostSecrets } from "../transport/secrets.ts";
import { sendHttp } from "../transport/sendHttp.ts";
import { gatewayAudit } from "./access/gatewayAudit.ts";
import { checkGatewayAsked } from "./checkAsked.ts";
import { ClientListeners, nameOfListener } from "./clientListeners.ts";
import { clusterView } from "./clusterView.ts";
import type { Config } from "./config/table.ts";
import { listenHttp } from "./http/listen.ts";
import { sessionHttp } from "./http/sessionHttp.ts";
import type { NodePortsEnvironment } from "./nodePorts.ts";
import { portRefusals } from "./portRefusals.ts";
import { notReadyOf } from "./readiness.ts";
import type { SessionHost } from "./sessionHost.ts";
import { observedRegistry } from "./watching/clientObserver.ts";
import { readXml } from "./xmlReader.ts";

export interface ClientPorts {
  readonly listeners: ClientListeners;
  /** The HTTP port of the role session. */
  readonly http: number;
}

/** Opens the protocols' ports, then the HTTP port that sends clients to them: clients find these open. */
export async function openClientPorts(environment: NodePortsEnvironment, host: SessionHost): Promise<ClientPorts> {
  const { config, log, ops, limits, closers, nodeHost, tls } = environment;
  const { metrics } = ops.page;
  const isShared = config.workers > 1;
  const listeners = new ClientListeners({
    bind: config.bind,
    port: (key) => configuredPort(config, key),
    isShared,
    servesClients: () => host.servesClients,
    connectionsMax: () => (host.servesClients ? Math.min(limits.clients, limits.session - httpShares.size) : 0),
    log,
    metrics,
    tls: (name) => tls.port("clients", name),
  });
  const httpShares = new ConnectionShares(() => limits.session - listeners.connections);
  const node = sessionNode(environment, { host, listeners });
  const gateways = openGateways(environment, { host, node });
  const addresses = () => addressesOf(listeners, config.advertiseAddress || nodeHost);
  const doors = { listeners: [], check: () => openOrClose(environment, { host, listeners, addresses }) };
  closers.push(checkRegularly([...gateways, doors], environment.failed));
  closers.push(() => listeners.close());
  for (const { listeners: wanted } of gateways) for (const listener of wanted) await listeners.open(listener);
  host.clientAddresses = addresses();
  const app = sessionHttp(ops, node, gateways);
  closers.push(() => app.close());
  const options = { key: "http-port", host: config.bind, port: config.httpPort, isShared, shares: httpShares };
  const refusals = portRefusals({ log, metrics }, "http");
  const http = await listenHttp(app, { ...options, ...refusals, tls: tls.port("http", "http") });
  return { listeners, http };
}

/** Ends the connections of clients while operators let this session take none, and takes some again when they do. */
function openOrClose(
  { config, log }: NodePortsEnvironment,
  { host, listeners, addresses }: { host: SessionHost; listeners: ClientListeners; addresses: () => ClientAddresses },
): void {
  // A rule of this session's own is in no other place.
  const serves = host.session.rules.settings.serveClients ?? config.serveClients;
  if (serves !== host.servesClients) {
    host.servesClients = serves;
    host.clientAddresses = serves ? addresses() : new Map();
    if (serves) log.info("this session takes clients again");
    else log.warn("operators let this session take no clients", { connections: listeners.connections });
  }
  if (!serves && listeners.connections > 0) listeners.endSome(listeners.connections);
}

/** The configured port of a listener. */
function configuredPort(config: Config, key: string): number {
  const port = Object.entries(config).find(([name]) => name === camelCase(key))?.[1];
  return typeof port === "number" ? port : 0;
}

function openGateways(
  {
    gateways,
    config,
    budget,
    log,
    ops,
    observers,
    questions,
    records,
    persistent,
    clientAccess,
    audit,
  }: NodePortsEnvironment,
  { host, node }: { readonly host: SessionHost; readonly node: SessionNodeView },
): OpenGateway[] {
  const common = {
    config,
    registry: observedRegistry(host.stepper, observers.clients),
    persistent: defined(persistent, "a node with the role session has them").registrations,
    records: records.records,
    node,
    budget,
    compression: hostCompression,
    access: clientAccess,
    audit: gatewayAudit(audit.record),
    readXml,
    sendHttp,
    secrets: hostSecrets,
    later: (run: () => void) => void setImmediate(run),
    timers: hostTimers,
    log,
  };
  return gateways.map(({ name, code }) => {
    const others = questions.otherNodes(name);
    const gateway = code.open({ ...common, others, metrics: ops.page.gatewayMetrics });
    checkGatewayAsked(name, gateway);
    questions.attach(name, "session", gateway.answer);
    return gateway;
  });
}

function addressesOf(listeners: ClientListeners, host: string): ClientAddresses {
  return new Map([...listeners.ports].map(([key, port]) => [nameOfListener(key), joinAddress(host, port)]));
}

function sessionNode(
  { config, ops, roles, address }: NodePortsEnvironment,
  { host, listeners }: { readonly host: SessionHost; readonly listeners: ClientListeners },
): SessionNodeView {
  const { session } = host;
  const blocked = () => roles.blocked.reason;
  const hasSlotTable = () => session.slotTable !== undefined;
  const members = () => session.members?.list ?? [];
  const clients = (id: SessionNodeView["id"]) => (id === roles.id ? session.connections : host.clientCounts.get(id));
  return {
    id: roles.id,
    nowMs: () => hostClock.nowMs(),
    cluster: clusterView({ config, address, members, clients, slotTable: () => session.slotTable }),
    own: session,
    isStopping: ops.isStopping,
    servesClients: () => host.servesClients,
    hasSlotTable,
    blocked,
    notReady: () => notReadyOf(roles).get("session"),
    advertiseAddress: config.advertiseAddress,
    port: (key) => defined(listeners.ports.get(key), "a listener of the gateway that asks"),
    connections: () => session.connections,
    otherSessions: (key) => otherSessions(host, { own: roles.id, listener: nameOfListener(key) }),
    slot: (serviceKey) => slotOfService(session.slotTable, serviceKey),
    listApps: () => host.listApps(),
    rules: () => session.rules.rules,
    hasRules: (...asked) => host.hasRules(...asked),
    setOwnRule: (rule) => host.stepper.step({ kind: "setOwnRule", rule }),
    nodeAddress: (node) => session.members?.list.find(({ id, role }) => id === node && role === "data")?.address,
  };
}

function otherSessions(
  { session, clientCounts }: SessionHost,
  { own, listener }: { readonly own: SessionNodeView["id"]; readonly listener: string },
): OtherSession[] {
  return (session.members?.list ?? []).flatMap(({ id, role, clientAddresses, zone }) =>
    role === "session" && id !== own
      ? [{ clientAddress: clientAddresses?.get(listener) ?? "", clients: clientCounts.get(id), zone }]
      : [],
  );
}

function slotOfService(table: SlotTable | undefined, serviceKey: ServiceKey) {
  if (table === undefined) return undefined;
  const id = slotOf(serviceKey, table.slots.length);
  return { id, ...slotOwner(table, id) };
}

function checkRegularly(gateways: readonly OpenGateway[], failed: (error: unknown) => void): () => void {
  const checks = new GatewayChecks(gateways, hostClock.nowMs());
  const stepper = new Stepper(checks, { clock: hostClock, timers: hostTimers, failed });
  stepper.step({ kind: "woken" });
  return () => stepper.close();
}
