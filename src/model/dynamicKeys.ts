// The keys of the configuration whose values operators may change for the whole cluster while it runs (`roster set`):
// a part of the table in server/config/table.ts. The code that uses such a value reads it from the options whenever it
// needs it, and never keeps a copy.

import { fail, type RegistryError } from "../base/errors.ts";
import { BYTES, type CamelCase, DURATION, type KeySpec, type PathKey, type ValueOf } from "../base/keySpec.ts";
import { describeAllowed, parseSetting } from "../base/parseSetting.ts";

export const DYNAMIC_KEYS = {
  "serve-clients": {
    section: "Clients",
    type: "boolean",
    default: true,
    about: "Takes clients. A session that does not ends the connections of those that it has.",
    cost: "Without it clients go to other sessions, or are without any: what they publish is then in no list.",
  },
  "client-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 64 * 1_024 * 1_024,
    min: 1_024 * 1_024,
    max: 1_024 * 1_024 * 1_024 * 1_024,
    about:
      "The most memory that one client may make this process hold: connection, frames, registrations, subscriptions.",
    cost: "One client can fill this much more of the memory of all; some 30,000 publishers of 300 bytes take 64 MiB.",
  },
  "client-registrations-max": {
    section: "Clients",
    type: "integer",
    unit: "registrations",
    default: 100_000,
    min: 1,
    max: 10_000_000,
    about: "The most publishers and subscribers together that one client may hold.",
    cost: "One client can fill this much more of the memory of all, at some 400 bytes each.",
  },
  "registrations-per-second-max": {
    section: "Clients",
    type: "integer",
    unit: "registrations",
    default: 100_000,
    min: 1,
    max: 10_000_000,
    about: "The most registrations that a session takes in a second; refused clients try again.",
    cost: "A storm of registrations may hold up all pushes for as long as it takes to process them.",
  },
  "data-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 1_024 * 1_024 * 1_024,
    min: 16 * 1_024 * 1_024,
    max: 64 * 1_024 * 1_024 * 1_024,
    about:
      "Above this many bytes of publishers, copies included, a data node has new ones refused; a million take 0.2 GB.",
    cost: "This much memory, once clients fill it.",
  },
  "client-output-bytes-max": {
    section: "Clients",
    ...BYTES,
    default: 64 * 1_024 * 1_024,
    min: 1_024 * 1_024,
    max: 4 * 1_024 * 1_024 * 1_024,
    about:
      "The most bytes that may wait for a client, beyond the list under way to it, before its connection is closed.",
    cost: "This much memory for each client that stopped reading.",
  },
  "push-retries-max": {
    section: "Push",
    type: "integer",
    unit: "retries",
    default: 3,
    min: 0,
    max: 10,
    about:
      "The number of times that an unconfirmed push is sent again before each pause is twice the last, up to a minute.",
    cost: "More work on clients that do not answer anyway.",
  },
  "push-window-max-ms": {
    section: "Push",
    ...DURATION,
    default: 1_000,
    min: 0,
    max: 60_000,
    about: "The longest time for which changes of a busy service are gathered before they are pushed; 0 never gathers.",
    cost: "Fewer pushes under load, each up to this much later. The first change after quiet never waits.",
  },
  "push-compress": {
    section: "Push",
    type: "boolean",
    default: true,
    about: "Compresses large lists for clients that can read them.",
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
  "push-encodings": {
    section: "Push",
    type: "list",
    default: ["zstd", "gzip"],
    oneOf: ["zstd", "gzip"],
    about: "The compressions that may be used; a client gets the first one that it names of these.",
    cost: "Without zstd, clients that know it get gzip, which takes more than twice as long to make.",
  },
  "digest-interval-ms": {
    section: "Repair",
    ...DURATION,
    default: 6_000,
    min: 100,
    max: 600_000,
    about: "The interval at which a session compares its clients' publications with those at each data node.",
    cost: "A publication that was lost on the way, or one that should be gone, is found this much later.",
  },
  "session-lease-ms": {
    section: "Repair",
    ...DURATION,
    default: 30_000,
    min: 1_000,
    max: 3_600_000,
    about:
      "The time for which the publications of a lost session node are " +
      "kept, so that its clients can come back elsewhere.",
    cost: "Addresses that died together with their session node stay in the lists this much longer.",
  },
  "loss-protection-percent": {
    section: "Repair",
    type: "integer",
    unit: "percent",
    default: 50,
    min: 0,
    max: 100,
    about:
      "A service that would lose more than this share with a lost session node is held as it is, until enough " +
      "others are there; 100 holds none.",
    cost: "Too large, and a partition can empty a list; too small, and the dead stay listed until they are released.",
  },
  "loss-protection-publishers-min": {
    section: "Repair",
    type: "integer",
    unit: "publishers",
    default: 3,
    min: 1,
    max: 1_000_000,
    about: "A loss of fewer publishers than this is held only if the service has no others.",
    cost: "Small services are less protected, and their dead go sooner.",
  },
  "loss-protection-max-ms": {
    section: "Repair",
    ...DURATION,
    default: 600_000,
    min: 1_000,
    max: 86_400_000,
    about: "The time after which a held service is shown as it is, even if no operator released it.",
    cost: "Publishers that died with their session node may stay listed this much longer.",
  },
} as const satisfies Record<string, Exclude<KeySpec, PathKey>>;

export type DynamicKey = keyof typeof DYNAMIC_KEYS;

/** The values of these keys, with one camelCase property for each. */
export type DynamicValues = {
  readonly [K in DynamicKey as CamelCase<K>]: ValueOf<(typeof DYNAMIC_KEYS)[K]>;
};

/** All of them, in the order of the table. */
export const DYNAMIC_KEY_NAMES = Object.keys(DYNAMIC_KEYS) as readonly DynamicKey[];

export function isDynamicKey(name: string): name is DynamicKey {
  return Object.hasOwn(DYNAMIC_KEYS, name);
}

/** The reason why a setting can't have this value while the cluster runs. */
export function settingRefusal(name: string, value: string): RegistryError | undefined {
  if (!isDynamicKey(name)) {
    return fail("FIELD_INVALID", { field: "setting", value: name, expected: `one of ${DYNAMIC_KEY_NAMES.join(", ")}` });
  }
  if (parseSetting(DYNAMIC_KEYS[name], value) !== undefined) return undefined;
  return fail("FIELD_INVALID", { field: name, value, expected: describeAllowed(DYNAMIC_KEYS[name]) });
}
