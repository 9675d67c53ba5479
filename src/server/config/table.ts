// All configuration keys. The key is the flag (--http-port), the name in the config file (http-port) and, in capitals,
// the environment variable (ROSTER_HTTP_PORT). docs/reference/config.md is generated from this table.

import { BYTES, type CamelCase, DURATION, type KeySpec, type ValueOf } from "../../base/keySpec.ts";
import { CLUSTER, NETWORK } from "./clusterKeys.ts";
import { GATEWAY_KEYS } from "./gatewayKeys.ts";

const CLIENTS = {
  "registration-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 4 * 1_024 * 1_024,
    min: 1_024,
    max: 1_024 * 1_024 * 1_024,
    about: "The most that one publisher may publish, all its boxes together; more is refused.",
    cost: "Each push of a service carries so much more for each such publisher, to every subscriber.",
  },
  "client-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 64 * 1_024 * 1_024,
    min: 1_024 * 1_024,
    max: 1_024 * 1_024 * 1_024 * 1_024,
    about: "How much memory one client may make this process hold: connection, frames, registrations, subscriptions.",
    cost: "One client can fill so much more of everybody's memory; some 30,000 publishers of 300 bytes take 64 MiB.",
  },
  "memory-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 0,
    isZeroAllowed: true,
    // The process itself takes 128 MiB, and less than 128 MiB for clients is no registry.
    min: 320 * 1_024 * 1_024,
    max: 1_024 * 1_024 * 1_024 * 1_024,
    about:
      "How much memory this process may use; clients get what is left of it, each address as much as is still free. " +
      "0 is a quarter of the machine's memory, shared by workers. V8's heap limit counts too: --max-old-space-size.",
    cost: "So much memory, once clients fill it.",
  },
  "client-connections-max": {
    section: "Clients",
    type: "integer",
    unit: "connections",
    default: 50_000,
    min: 1,
    max: 1_000_000,
    about:
      "How many client connections the node holds at once; further ones are refused. " +
      "One address (of IPv6 its first 64 bits) never holds more than are still free, so half of them at the most.",
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
  "registrations-per-second-max": {
    section: "Clients",
    type: "integer",
    unit: "registrations",
    default: 100_000,
    min: 1,
    max: 10_000_000,
    about: "How many registrations a session takes in a second; clients that are refused try again.",
    cost: "A storm of registrations may hold up everybody's pushes for so long as it takes to work them off.",
  },
  "client-probe-ms": {
    section: "Clients",
    ...DURATION,
    default: 5_000,
    min: 100,
    max: 600_000,
    about:
      "How long a client may be silent before it is asked, by a heartbeat, whether it is there; and how often it is " +
      "asked again. At most a quarter of client-idle-ms.",
    cost: "Small values: a message to each client and its answer in so much time, some 20 µs of work.",
  },
  "client-idle-ms": {
    section: "Clients",
    ...DURATION,
    default: 20_000,
    min: 1_000,
    max: 3_600_000,
    about:
      "How long nothing may be read from a client that answers heartbeats before it counts as frozen. A pause that " +
      "is shorter by client-probe-ms is survived.",
    cost: "The addresses of a frozen client stay in the lists so much longer.",
  },
  "client-mute-idle-ms": {
    section: "Clients",
    ...DURATION,
    default: 45_000,
    min: 1_000,
    max: 3_600_000,
    about:
      "As client-idle-ms, for a client that has never answered a heartbeat on its connection; at least client-idle-ms.",
    cost: "The addresses of such a client stay in the lists so much longer when it freezes.",
  },
  "service-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 16 * 1_024 * 1_024,
    min: 64 * 1_024,
    max: 1_024 * 1_024 * 1_024,
    about: "How large the list of one service may be: some 50,000 ordinary addresses; more is refused.",
    cost: "Each push of such a list takes so many bytes for every subscriber, and time to encode them.",
  },
  "empty-services-max": {
    section: "Clients",
    type: "integer",
    unit: "services",
    default: 100_000,
    min: 0,
    max: 100_000_000,
    about:
      "How many services that nobody publishes a data node remembers for their subscribers; of one more the " +
      "first publisher is heard with the next version scan.",
    cost: "Some 1.5 KB each.",
  },
  "data-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 1_024 * 1_024 * 1_024,
    min: 16 * 1_024 * 1_024,
    max: 64 * 1_024 * 1_024 * 1_024,
    about:
      "Above so many bytes of publishers, copies included, a data node has new ones refused; a million take 0.2 GB.",
    cost: "So much memory, once clients fill it.",
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
    about:
      "How many bytes may wait for a client, beyond the list that is under way to it, before its connection is closed.",
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
    about:
      "How long a client may take to confirm a push that has left, before it is sent again; longer for large lists.",
    cost: "A lost push is noticed so much later.",
  },
  "push-retries-max": {
    section: "Push",
    type: "integer",
    unit: "retries",
    default: 3,
    min: 0,
    max: 10,
    about: "How often an unconfirmed push is sent again before each pause is twice the last, up to a minute.",
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
  "digest-interval-ms": {
    section: "Repair",
    ...DURATION,
    default: 6_000,
    min: 100,
    max: 600_000,
    about: "How often a session compares what its clients publish with what each data node holds of it.",
    cost: "A publication that was lost on the way, or one that should be gone, is found so much later.",
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
  "loss-protection-percent": {
    section: "Repair",
    type: "integer",
    unit: "percent",
    default: 50,
    min: 0,
    max: 100,
    about:
      "A service that would lose more than this share with a lost session node is held as it is, until enough others are there; 100 holds none.",
    cost: "Too large, and a partition can empty a list; too small, and the dead stay listed until they are released.",
  },
  "loss-protection-publishers-min": {
    section: "Repair",
    type: "integer",
    unit: "publishers",
    default: 3,
    min: 1,
    max: 1_000_000,
    about: "A loss of fewer publishers than this is held only if it is all that the service has.",
    cost: "Small services are less protected, and their dead go sooner.",
  },
  "loss-protection-max-ms": {
    section: "Repair",
    ...DURATION,
    default: 600_000,
    min: 1_000,
    max: 86_400_000,
    about: "After so long a held service is shown as it is, whether anybody released it or not.",
    cost: "Publishers that died with their session node may stay listed so much longer.",
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
    cost: "Some 100 bytes for each entry of each service that changes and has subscribers.",
  },
  "payload-difference": {
    section: "Repair",
    type: "boolean",
    default: true,
    about:
      "Whether a data node keeps what the publishers of a service publish as differences to one of them. " +
      "Most differ in an address only; it saves about 40 % of a publisher's memory.",
    cost: "About 1 µs of work for each registration.",
  },
} as const satisfies Record<string, KeySpec>;

const OPERATION = {
  "config-values-max": {
    section: "Operation",
    type: "integer",
    unit: "values",
    default: 1_000,
    min: 1,
    max: 1_000_000,
    about: "How many configuration values may be set; a further one is refused.",
    cost: "Each meta node holds all of them in memory, and a new leader reads them before it leads.",
  },
  "config-value-bytes-max": {
    section: "Operation",
    ...BYTES,
    default: 1_024 * 1_024,
    min: 1_024,
    max: 64 * 1_024 * 1_024,
    about: "The largest configuration value; a larger one is refused.",
    cost: "It is pushed whole to each client that watches it.",
  },
  "config-bytes-max": {
    section: "Operation",
    ...BYTES,
    default: 64 * 1_024 * 1_024,
    min: 1_024,
    max: 4 * 1_024 * 1_024 * 1_024,
    about: "How many bytes all configuration values together may have.",
    cost: "As config-values-max.",
  },
  "drain-timeout-ms": {
    section: "Operation",
    ...DURATION,
    default: 30_000,
    min: 0,
    max: 600_000,
    about:
      "How long a data node of a cluster that is told to stop may wait until others lead and follow its slots; " +
      "it ends sooner when nothing has moved for ten seconds, as when all data nodes are stopped together.",
    cost: "A stop may take so much longer; too small, and the slots are led by nobody for a moment.",
  },
  "drain-spread-ms": {
    section: "Operation",
    ...DURATION,
    default: 2_000,
    min: 0,
    max: 60_000,
    about: "Over how long at most a session node of a cluster that is told to stop closes its clients' connections.",
    cost: "A stop takes up to so much longer; too small, and all its clients come to the other nodes at once.",
  },
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
    cost: "At debug a few lines more, for messages of later releases; there are none for registrations and pushes.",
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
export const CONFIG = {
  ...NETWORK,
  ...GATEWAY_KEYS,
  ...CLUSTER,
  ...CLIENTS,
  ...PUSH,
  ...REPAIR,
  ...OPERATION,
} as const;

/** A key as flags and files write it: `http-port`. */
export type ConfigKey = keyof typeof CONFIG;

/** The effective configuration, with one camelCase property for each key: `config.httpPort`. */
export type Config = { readonly [K in ConfigKey as CamelCase<K>]: ValueOf<(typeof CONFIG)[K]> };

/** All keys in the order of the table. */
export const CONFIG_KEYS = Object.keys(CONFIG) as readonly ConfigKey[];

/** The row of a key, with all row types in one. */
export function specOf(key: ConfigKey): KeySpec {
  return CONFIG[key];
}
