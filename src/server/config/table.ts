// All configuration keys. The key is the flag (--http-port), the name in the config file (http-port) and, in capitals,
// the environment variable (ROSTER_HTTP_PORT). docs/reference/config.md is generated from this table. The rows of keys
// whose values operators may change while the cluster runs are in model/dynamicKeys.ts.

import { BYTES, type CamelCase, DURATION, type KeySpec, type ValueOf } from "../../base/keySpec.ts";
import { DYNAMIC_KEYS } from "../../model/dynamicKeys.ts";
import { CLUSTER, NETWORK } from "./clusterKeys.ts";
import { GATEWAY_KEYS } from "./gatewayKeys.ts";
import { PERSISTENT } from "./persistentKeys.ts";
import { TLS } from "./tlsKeys.ts";

const CLIENTS = {
  "registration-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 4 * 1_024 * 1_024,
    min: 1_024,
    max: 1_024 * 1_024 * 1_024,
    about: "The most bytes that one publisher may publish, all its boxes together; more is refused.",
    cost: "Each push of a service carries this much more for each such publisher, to every subscriber.",
  },
  "serve-clients": DYNAMIC_KEYS["serve-clients"],
  "client-bytes-max": DYNAMIC_KEYS["client-bytes-max"],
  "memory-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 0,
    isZeroAllowed: true,
    // The process itself takes 128 MiB, and less than 128 MiB for clients is no registry.
    min: 320 * 1_024 * 1_024,
    max: 1_024 * 1_024 * 1_024 * 1_024,
    about:
      "The memory that this process may use. Clients get the rest of it, each address as much as is still free. " +
      "0 is a quarter of the machine's memory, shared by workers. V8's heap limit " +
      "counts too: --max-old-space-size.",
    cost: "This much memory, once clients fill it.",
  },
  "client-connections-max": {
    section: "Clients",
    type: "integer",
    unit: "connections",
    default: 50_000,
    min: 1,
    max: 1_000_000,
    about:
      "The most client connections that the node holds at once; further ones are refused. " +
      "One address (for IPv6 its first 64 bits) never holds more than are still free, so at most half of them.",
    cost: "About 20 KiB each before the first registration, and a file descriptor (ulimit -n).",
  },
  "client-registrations-max": DYNAMIC_KEYS["client-registrations-max"],
  "registrations-per-second-max": DYNAMIC_KEYS["registrations-per-second-max"],
  "client-probe-ms": {
    section: "Clients",
    ...DURATION,
    default: 5_000,
    min: 100,
    max: 600_000,
    about:
      "The time that a client may be silent before a heartbeat asks whether it is there; " +
      "also the interval at which it is asked again. At most a quarter of client-idle-ms.",
    cost: "Small values: a message to each client and its answer in this time, some 20 µs of work.",
  },
  "client-idle-ms": {
    section: "Clients",
    ...DURATION,
    default: 20_000,
    min: 1_000,
    max: 3_600_000,
    about:
      "The time without any input after which a client that answers heartbeats counts as frozen. " +
      "A client survives a pause that is shorter by client-probe-ms.",
    cost: "The addresses of a frozen client stay in the lists this much longer.",
  },
  "client-mute-idle-ms": {
    section: "Clients",
    ...DURATION,
    default: 45_000,
    min: 1_000,
    max: 3_600_000,
    about:
      "As client-idle-ms, for a client that has never answered a heartbeat on its connection; at least client-idle-ms.",
    cost: "The addresses of such a client stay in the lists this much longer when it freezes.",
  },
  "service-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 16 * 1_024 * 1_024,
    min: 64 * 1_024,
    max: 1_024 * 1_024 * 1_024,
    about: "The largest list of one service: some 50,000 ordinary addresses; more is refused.",
    cost: "Each push of such a list takes this many bytes for every subscriber, and time to encode them.",
  },
  "empty-services-max": {
    section: "Clients",
    type: "integer",
    unit: "services",
    default: 100_000,
    min: 0,
    max: 100_000_000,
    about:
      "The number of services without publishers that a data node remembers for their subscribers. " +
      "For a further one, the first publisher shows with the next version scan.",
    cost: "Some 1.5 KB each.",
  },
  "data-bytes-max": DYNAMIC_KEYS["data-bytes-max"],
  "client-return-grace-ms": {
    section: "Clients",
    ...DURATION,
    default: 1_000,
    min: 0,
    max: 60_000,
    about:
      "The time for which the registrations of a closed connection are kept, so that a client may return unnoticed.",
    cost: "The addresses of a killed client stay in the lists this much longer.",
  },
  "client-output-bytes-max": DYNAMIC_KEYS["client-output-bytes-max"],
} as const satisfies Record<string, KeySpec>;

const PUSH = {
  "push-timeout-ms": {
    section: "Push",
    ...DURATION,
    default: 2_000,
    min: 100,
    max: 60_000,
    about:
      "The time that a client has to confirm a push that has left, before it is sent again; longer for large lists.",
    cost: "A lost push is noticed this much later.",
  },
  "push-retries-max": DYNAMIC_KEYS["push-retries-max"],
  "push-window-max-ms": DYNAMIC_KEYS["push-window-max-ms"],
  "push-compress": DYNAMIC_KEYS["push-compress"],
  "push-compress-bytes-min": DYNAMIC_KEYS["push-compress-bytes-min"],
  "push-encodings": DYNAMIC_KEYS["push-encodings"],
} as const satisfies Record<string, KeySpec>;

const REPAIR = {
  "version-scan-interval-ms": {
    section: "Repair",
    ...DURATION,
    default: 5_000,
    min: 100,
    max: 600_000,
    about: "The interval at which the versions of all subscribed services are compared, which repairs lost notices.",
    cost: "A subscriber that missed a change waits this much longer for it.",
  },
  "digest-interval-ms": DYNAMIC_KEYS["digest-interval-ms"],
  "restart-hold-ms": {
    section: "Repair",
    ...DURATION,
    default: 15_000,
    min: 0,
    max: 600_000,
    about: "The longest time for which a service is held after a restart while its publishers are not all back.",
    cost: "Subscribers keep the list from before the restart this much longer; too small shows them a short one.",
  },
  "session-lease-ms": DYNAMIC_KEYS["session-lease-ms"],
  "loss-protection-percent": DYNAMIC_KEYS["loss-protection-percent"],
  "loss-protection-publishers-min": DYNAMIC_KEYS["loss-protection-publishers-min"],
  "loss-protection-max-ms": DYNAMIC_KEYS["loss-protection-max-ms"],
  "tombstone-ms": {
    section: "Repair",
    ...DURATION,
    default: 180_000,
    min: 10_000,
    max: 3_600_000,
    about: "The time for which a removed registration is remembered, so that no late message brings it back.",
    cost: "Some 100 bytes for each removal within that time.",
  },
  "operator-log-entries": {
    section: "Repair",
    type: "integer",
    unit: "changes",
    default: 30,
    min: 0,
    max: 1_000,
    about:
      "The number of a service's last changes that are kept, to answer with a difference instead of the whole list.",
    cost: "Some 100 bytes for each entry of each service that changes and has subscribers.",
  },
  "payload-difference": {
    section: "Repair",
    type: "boolean",
    default: true,
    about:
      "Whether a data node keeps the payloads of a service as differences from one of them. " +
      "Most differ only in an address; this saves about 40 % of a publisher's memory.",
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
    about: "The most configuration values that may be set; a further one is refused.",
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
    about: "The most bytes of all configuration values together.",
    cost: "As config-values-max.",
  },
  "audit-entries-max": {
    section: "Operation",
    type: "integer",
    unit: "entries",
    default: 10_000,
    min: 100,
    max: 1_000_000,
    about: "The most changes of operators, and as many refused operations, that the audit trail keeps.",
    cost: "Up to 7 KB of the store for each entry; every ten minutes a meta node reads all of them.",
  },
  "audit-age-max-ms": {
    section: "Operation",
    ...DURATION,
    default: 7_776_000_000,
    min: 60_000,
    max: 315_360_000_000,
    about: "The time for which the audit trail keeps an entry; 90 days by default.",
    cost: "As audit-entries-max.",
  },
  "drain-timeout-ms": {
    section: "Operation",
    ...DURATION,
    default: 30_000,
    min: 0,
    max: 600_000,
    about:
      "The time that a data node of a cluster that is told to stop may wait until others lead and follow its " +
      "slots. It ends sooner when nothing has moved for ten seconds, as when all data nodes are stopped together.",
    cost: "A stop may take this much longer; too small, and the slots have no leader for a moment.",
  },
  "drain-spread-ms": {
    section: "Operation",
    ...DURATION,
    default: 2_000,
    min: 0,
    max: 60_000,
    about:
      "The longest time over which a session node of a cluster that is told to stop closes its clients' connections.",
    cost: "A stop takes up to this much longer; too small, and all its clients come to the other nodes at once.",
  },
  "shutdown-timeout-ms": {
    section: "Operation",
    ...DURATION,
    default: 3_000,
    min: 100,
    max: 60_000,
    about: "The time that an orderly stop may take before the process ends regardless.",
    cost: "A stop that hangs takes this much longer; too small may cut clients off without a goodbye.",
  },
  "log-level": {
    section: "Operation",
    type: "string",
    default: "info",
    oneOf: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
    about: "The least important log lines that are still written.",
    cost:
      "At debug also registrations, versions and pushes: all while they are few, samples when they are many, " +
      "never more than 86 MiB a day; and 2 µs of work for each.",
  },
  "log-format": {
    section: "Operation",
    type: "string",
    default: "json",
    oneOf: ["json", "text"],
    about: "One JSON object a line for machines, or one readable line for people.",
    cost: "Text lines are not made to be parsed.",
  },
  metrics: {
    section: "Operation",
    type: "boolean",
    default: true,
    about: "Whether the process counts what /metrics shows; without it the path answers 404.",
    cost: "Less than a hundredth of the work for registrations and pushes.",
  },
  "trace-one-in": {
    section: "Operation",
    type: "integer",
    unit: "services",
    default: 0,
    min: 1,
    isZeroAllowed: true,
    max: 1_000_000_000,
    about:
      "Of one in this many services, others every ten seconds, publications, versions and pushes become spans of " +
      "OpenTelemetry; 1 traces everything, 0 nothing. The SDK comes with node --import.",
    cost: "Small values other than 0: some 20 µs of work for each span, and what the SDK sends.",
  },
} as const satisfies Record<string, KeySpec>;

/** All keys, in the order in which help and reference page list them. */
export const CONFIG = {
  ...NETWORK,
  ...GATEWAY_KEYS,
  ...CLUSTER,
  ...TLS,
  ...CLIENTS,
  ...PERSISTENT,
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
