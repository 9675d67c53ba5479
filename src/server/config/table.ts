// Every configuration key there is. The key is the flag (--bolt-port), the name in the config file (bolt-port) and,
// in capitals, the environment variable (ROSTER_BOLT_PORT). docs/reference/config.md is generated from here.

import type { CamelCase, KeySpec, ValueOf } from "./keySpec.ts";

const HOST = /^[A-Za-z0-9_.:%[\]-]{1,255}$/;
const MAYBE_HOST = /^[A-Za-z0-9_.:%[\]-]{0,255}$/;
// Names stand in log lines, metrics and HTTP answers, so they hold no space and no quote.
const NAME = /^[\w.:@/-]{1,128}$/;
const NAME_ALLOWED = "1 to 128 letters, digits or . : @ / _ -";

const PORT = { type: "integer", min: 0, max: 65_535, unit: "port" } as const;
const DURATION = { type: "duration-ms", unit: "ms" } as const;
const BYTES = { type: "integer", unit: "bytes" } as const;

const NETWORK = {
  bind: {
    section: "Network",
    type: "string",
    default: "127.0.0.1",
    pattern: HOST,
    allowed: "an IP address or a host name",
    about: "The address to listen on; 0.0.0.0 or :: is every interface.",
    cost: "Beyond loopback anybody who reaches the port may register and read services; that needs insecure.",
  },
  insecure: {
    section: "Network",
    type: "boolean",
    default: false,
    about: "Allows listening beyond loopback although clients are neither encrypted nor authenticated.",
    cost: "The network around the server becomes its only protection.",
  },
  "bolt-port": {
    section: "Network",
    ...PORT,
    default: 9_600,
    about: "The port on which clients talk SOFABolt; 0 takes any free port.",
    cost: "Nothing; clients learn it from http-port.",
  },
  "http-port": {
    section: "Network",
    ...PORT,
    default: 9_603,
    about: "The HTTP port that clients ask for servers, with health, metrics and operation; 0 takes any free port.",
    cost: "Nothing; it is the port that client configurations name.",
  },
  "meta-http-port": {
    section: "Network",
    ...PORT,
    default: 9_615,
    about: "The HTTP port of the meta role; 0 takes any free port.",
    cost: "Nothing.",
  },
  "advertise-address": {
    section: "Network",
    type: "string",
    default: "",
    pattern: MAYBE_HOST,
    allowed: "an IP address or a host name, or nothing",
    about: "The address by which clients reach this node; empty means the one that each client came in by.",
    cost: "A wrong one sends clients that ask for servers to a place where nobody answers.",
  },
} as const satisfies Record<string, KeySpec>;

const CLUSTER = {
  "data-dir": {
    section: "Cluster",
    type: "path",
    default: "./.roster",
    about: "The folder that holds the embedded store; made if it is missing, used by one process at a time.",
    cost: "Losing it loses the cluster's constants and stored configuration; services come back from their clients.",
  },
  "cluster-name": {
    section: "Cluster",
    type: "string",
    default: "default",
    pattern: NAME,
    allowed: NAME_ALLOWED,
    about: "The cluster's name, fixed at the first start on a data directory.",
    cost: "Nothing.",
  },
  "data-center": {
    section: "Cluster",
    type: "string",
    default: "DefaultDataCenter",
    pattern: NAME,
    allowed: NAME_ALLOWED,
    about: "The data center whose services this cluster holds, as pushes name it.",
    cost: "Nothing; clients that filter by data center must know the same name.",
  },
  zone: {
    section: "Cluster",
    type: "string",
    default: "DEFAULT_ZONE",
    pattern: NAME,
    allowed: NAME_ALLOWED,
    about: "The zone of this node, given to clients that do not name their own.",
    cost: "Nothing; subscribers with zone scope see their own zone only.",
  },
} as const satisfies Record<string, KeySpec>;

const CLIENTS = {
  "frame-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 16 * 1_024 * 1_024,
    min: 64 * 1_024,
    max: 1_024 * 1_024 * 1_024,
    about: "The largest frame a client may send; a connection that declares more is closed.",
    cost: "One hostile connection can make the server hold so much memory.",
  },
  "client-connections-max": {
    section: "Clients",
    type: "integer",
    unit: "connections",
    default: 50_000,
    min: 1,
    max: 1_000_000,
    about: "How many client connections the node holds at once; further ones are refused.",
    cost: "About 20 KiB each before the first registration, and a file descriptor (ulimit -n).",
  },
  "client-registrations-max": {
    section: "Clients",
    type: "integer",
    unit: "registrations",
    default: 100_000,
    min: 1,
    max: 10_000_000,
    about: "How many publishers and subscribers together one client may hold.",
    cost: "One client can fill so much more of everybody's memory, at some 400 bytes each.",
  },
  "client-idle-ms": {
    section: "Clients",
    ...DURATION,
    default: 20_000,
    min: 1_000,
    max: 3_600_000,
    about: "How long nothing may be read from a client, heartbeats included, before it counts as frozen.",
    cost: "The addresses of a frozen client stay in the lists so much longer.",
  },
  "client-return-grace-ms": {
    section: "Clients",
    ...DURATION,
    default: 1_000,
    min: 0,
    max: 60_000,
    about: "How long the registrations of a closed connection are kept, so that a client may return unnoticed.",
    cost: "The addresses of a killed client stay in the lists so much longer.",
  },
  "client-output-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 64 * 1_024 * 1_024,
    min: 1_024 * 1_024,
    max: 4 * 1_024 * 1_024 * 1_024,
    about: "How many bytes may wait for a client that does not read; beyond, its connection is closed.",
    cost: "So much memory for each client that stopped reading.",
  },
} as const satisfies Record<string, KeySpec>;

const PUSH = {
  "push-timeout-ms": {
    section: "Push",
    ...DURATION,
    default: 2_000,
    min: 100,
    max: 60_000,
    about: "How long a client may take to confirm a push before it is sent again.",
    cost: "A lost push is noticed so much later.",
  },
  "push-retries-max": {
    section: "Push",
    type: "integer",
    unit: "retries",
    default: 3,
    min: 0,
    max: 10,
    about: "How often an unconfirmed push is sent again before the version scan takes over.",
    cost: "More work on clients that do not answer anyway.",
  },
  "push-window-max-ms": {
    section: "Push",
    ...DURATION,
    default: 1_000,
    min: 0,
    max: 60_000,
    about: "The longest time that changes of a busy service are gathered before they are pushed; 0 never gathers.",
    cost: "Fewer pushes under load, each up to so much later. The first change after quiet never waits.",
  },
  "push-compress": {
    section: "Push",
    type: "boolean",
    default: true,
    about: "Compresses large lists for clients that say they understand it.",
    cost: "Processor time, once for each version and not for each client, against bytes on the network.",
  },
  "push-compress-bytes-min": {
    section: "Push",
    ...BYTES,
    default: 4_096,
    min: 0,
    max: 1_024 * 1_024 * 1_024,
    about: "The smallest push body that is worth compressing.",
    cost: "More bytes on the network, less processor time.",
  },
} as const satisfies Record<string, KeySpec>;

const REPAIR = {
  "version-scan-interval-ms": {
    section: "Repair",
    ...DURATION,
    default: 5_000,
    min: 100,
    max: 600_000,
    about: "How often the versions of all subscribed services are compared, which repairs lost notices.",
    cost: "A subscriber that missed a change waits so much longer for it.",
  },
  "restart-hold-ms": {
    section: "Repair",
    ...DURATION,
    default: 15_000,
    min: 0,
    max: 600_000,
    about: "After a restart a service is held back at most so long while its publishers are not all back.",
    cost: "Subscribers keep the list of before the restart so much longer; too small shows them a short one.",
  },
  "session-lease-ms": {
    section: "Repair",
    ...DURATION,
    default: 30_000,
    min: 1_000,
    max: 3_600_000,
    about: "How long the publications of a lost session node are kept, so that its clients can come back elsewhere.",
    cost: "Addresses that died together with their session node stay in the lists so much longer.",
  },
  "tombstone-ms": {
    section: "Repair",
    ...DURATION,
    default: 180_000,
    min: 10_000,
    max: 3_600_000,
    about: "How long a removed registration is remembered, so that no late message brings it back.",
    cost: "Some 100 bytes for each removal within that time.",
  },
  "operator-log-entries": {
    section: "Repair",
    type: "integer",
    unit: "changes",
    default: 30,
    min: 0,
    max: 1_000,
    about: "How many last changes of a service are kept to answer with a difference instead of the whole list.",
    cost: "Memory for each service that changes, up to so many publications.",
  },
} as const satisfies Record<string, KeySpec>;

const OPERATION = {
  "shutdown-timeout-ms": {
    section: "Operation",
    ...DURATION,
    default: 3_000,
    min: 100,
    max: 60_000,
    about: "How long an orderly stop may take before the process ends regardless.",
    cost: "A stop that hangs takes so much longer; too small may cut clients off without a goodbye.",
  },
  "log-level": {
    section: "Operation",
    type: "string",
    default: "info",
    oneOf: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    about: "The least important log lines that are still written.",
    cost: "At debug several lines for each registration and push.",
  },
  "log-format": {
    section: "Operation",
    type: "string",
    default: "json",
    oneOf: ["json", "text"],
    about: "One JSON object a line for machines, or one readable line for people.",
    cost: "Text lines are not made to be parsed.",
  },
} as const satisfies Record<string, KeySpec>;

/** All keys, in the order in which help and reference page list them. */
export const CONFIG = { ...NETWORK, ...CLUSTER, ...CLIENTS, ...PUSH, ...REPAIR, ...OPERATION } as const;

/** A key as flags and files write it: `bolt-port`. */
export type ConfigKey = keyof typeof CONFIG;

/** The effective configuration, with one camelCase property for each key: `config.boltPort`. */
export type Config = { readonly [K in ConfigKey as CamelCase<K>]: ValueOf<(typeof CONFIG)[K]> };

/** All keys in the order of the table. */
export const CONFIG_KEYS = Object.keys(CONFIG) as readonly ConfigKey[];

/** The row of a key, with all row types in one. */
export function specOf(key: ConfigKey): KeySpec {
  return CONFIG[key];
}
