// A node's part in a cluster, from its keys: the ports that it opens, and combinations of keys that make no sense.

import { join } from "node:path";
import { fail } from "../../base/errors.ts";
import { camelCase } from "../../base/keySpec.ts";
import { parseAddress } from "../../transport/address.ts";
import { AUTOMATIC_PORT, DATA_HTTP_PORT, NODE_PORT } from "./clusterKeys.ts";
import { GATEWAY_PORT_KEYS, type GatewayPortKey } from "./gatewayKeys.ts";
import { isLoopback, isWildcard } from "./loopback.ts";
import type { Config, ConfigKey } from "./table.ts";

type Role = Config["roles"][number];

const ALL_ROLES: readonly Role[] = ["meta", "data", "session"];

/** Whether one process is the whole registry: no other node can take part. */
export function isStandalone(config: Config): boolean {
  return nodePortOf(config) === undefined && config.roles.includes("meta");
}

/** The port for links from other nodes; undefined if none is to be opened. */
export function nodePortOf({ roles, metaAddresses, nodePort }: Config): number | undefined {
  if (!roles.includes("meta") && !roles.includes("data")) return undefined;
  if (nodePort !== AUTOMATIC_PORT) return nodePort;
  const isWhole = ALL_ROLES.every((role) => roles.includes(role)) && metaAddresses.length === 0;
  return isWhole ? undefined : NODE_PORT;
}

/** The HTTP port of the role data; undefined if none is to be opened. */
export function dataHttpPortOf(config: Config): number | undefined {
  if (!config.roles.includes("data")) return undefined;
  return config.dataHttpPort === AUTOMATIC_PORT ? DATA_HTTP_PORT : config.dataHttpPort;
}

/** The ports that the node opens, by the key that names each. */
export function portsOf(config: Config): ReadonlyMap<ConfigKey, number> {
  const ports = new Map<ConfigKey, number>();
  for (const key of clientPortKeys(config)) ports.set(key, config[camelCase(key)]);
  if (config.roles.includes("meta")) ports.set("meta-http-port", config.metaHttpPort);
  const [dataHttpPort, nodePort] = [dataHttpPortOf(config), nodePortOf(config)];
  if (dataHttpPort !== undefined) ports.set("data-http-port", dataHttpPort);
  ports.set("admin-port", config.adminPort);
  return nodePort === undefined ? ports : ports.set("node-port", nodePort);
}

/** Throws CONFIG_INVALID, with the remedy, for keys that don't go together. */
export function checkNodeRoles(config: Config): void {
  const { roles, metaAddresses, storeUrl, bind } = config;
  if (roles.length === 0) throw refused("roles", "", "at least one of meta, data, session");
  if (!roles.includes("meta") && metaAddresses.length === 0) {
    throw refused("meta-addresses", "", `the node-port of each meta node, for a node with the roles ${roles}`);
  }
  if (roles.includes("meta") && metaAddresses.length > 1 && storeUrl === "") {
    const allowed =
      "postgres://… or etcd://…, since several meta nodes must share a database; or only this node in meta-addresses";
    throw refused("store-url", "", allowed);
  }
  for (const key of ["advertiseAddress", "advertiseNodeAddress"] as const) {
    const name = key === "advertiseAddress" ? "advertise-address" : "advertise-node-address";
    if (isWildcard(config[key])) throw refused(name, config[key], "an address at which this node can be reached");
  }
  const far = metaAddresses.find((address) => !isLoopback(parseAddress(address)?.host ?? address));
  if (far !== undefined && isLoopback(bind) && config.advertiseNodeAddress === "") {
    const allowed = `an address that others reach, since ${far} is not on this machine; or set advertise-node-address`;
    throw refused("bind", bind, allowed);
  }
  checkWorkers(config);
  checkPorts(config);
}

/** The keys of the ports at which the node listens for clients. */
function clientPortKeys({ roles }: Config): readonly (GatewayPortKey | "http-port")[] {
  return roles.includes("session") ? [...GATEWAY_PORT_KEYS, "http-port"] : [];
}

function checkWorkers(config: Config): void {
  const { workers, roles } = config;
  if (workers === 1) return;
  if (roles.includes("meta")) {
    throw refused(
      "workers",
      workers,
      "1 with the role meta: run that in a process of its own, and name it to this one",
    );
  }
  for (const key of clientPortKeys(config)) {
    const port = config[camelCase(key)];
    if (port === 0) throw refused(key, port, "a port that the workers can share");
  }
}

/**
 * The configuration of one of several workers, counted from 1: its own folder and name, and its own ports for other
 * nodes, for operators, and of the role data, counted up from the configured ones.
 */
export function workerConfig(config: Config, worker: number): Config {
  const own = (port = AUTOMATIC_PORT) => (port > 0 ? port + worker - 1 : port);
  return {
    ...config,
    dataDir: join(config.dataDir, `worker-${worker}`),
    nodeName: config.nodeName === "" ? "" : `${config.nodeName}-${worker}`,
    nodePort: own(nodePortOf(config)),
    dataHttpPort: own(dataHttpPortOf(config)),
    adminPort: own(config.adminPort),
  };
}

/** Two listeners on one port would fail later with a message that names neither key. */
function checkPorts(config: Config): void {
  const used = new Map<number, ConfigKey>();
  for (const [key, port] of portsOf(config)) {
    const other = used.get(port);
    if (port !== 0 && other !== undefined) throw refused(key, port, `a port other than that of ${other}`);
    used.set(port, key);
  }
}

function refused(key: ConfigKey, value: string | number, allowed: string): Error {
  return fail("CONFIG_INVALID", { key, value, allowed });
}
