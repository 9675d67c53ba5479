// The records of the role meta: their keys, and their values as JSON. Values are in ASCII, and 64-bit numbers are
// texts. A stored value is checked when it is read: a damaged store must end in an error that says so, not in a slot
// table with holes.

import { fail, type RegistryError } from "../base/errors.ts";
import { sha256Hex } from "../base/sha256.ts";
import { utf8String } from "../base/text.ts";
import type { ConfigValue, MemberRole } from "../cluster/messages/membership.ts";
import { brandServiceKey, isNodeId, nodeId, type ServiceKey } from "../model/ids.ts";
import type { SlotOwner, SlotTable } from "../model/slot.ts";
import type { StoredRecord } from "../records/records.ts";
import type { BlockedNode } from "./blockedNodes.ts";
import type { SlotPause } from "./slotPause.ts";

/** The prefix of all records of the role meta. */
export const META_PREFIX = "meta/";

/** The cluster's constants, fixed at its first start. */
export interface ClusterConstants {
  readonly name: string;
  readonly slotCount: number;
}

/** How values of one kind are stored. */
export interface RecordCodec<Value> {
  /** The beginning of their keys, or the key of the only one. */
  readonly prefix: string;
  /** The rest of the key. */
  nameOf(value: Value): string;
  /** A value that `JSON.stringify` takes. */
  toJson(value: Value): unknown;
  /** Throws the complaint made by `damaged` if this program does not write such a value. */
  fromJson(json: unknown): Value;
  /** The remedy if a record is damaged. */
  readonly advice: string;
}

const RESTORE = "restore a backup";

export const CLUSTER_RECORD: RecordCodec<ClusterConstants> = {
  prefix: "meta/cluster",
  nameOf: () => "",
  toJson: ({ name, slotCount }) => ({ name, slotCount }),
  fromJson(json) {
    const { name, slotCount } = fieldsOf(json);
    if (typeof slotCount !== "number" || !Number.isSafeInteger(slotCount)) throw new Damage("slotCount is no integer");
    if (slotCount < 1) throw new Damage("slotCount is below 1");
    return { name: textIn({ name }), slotCount };
  },
  advice: RESTORE,
};

export const SLOT_TABLE_RECORD: RecordCodec<SlotTable> = {
  prefix: "meta/slot-table",
  nameOf: () => "",
  toJson: ({ epoch, slots }) => ({
    epoch: String(epoch),
    slots: slots.map(({ leader, leaderEpoch, followers }) => [leader, String(leaderEpoch), followers]),
  }),
  fromJson(json) {
    const { epoch: text, slots } = fieldsOf(json);
    const epoch = versionIn({ epoch: text });
    if (!Array.isArray(slots) || slots.length === 0) throw new Damage("slots is not a list of slots");
    return { epoch, slots: slots.map((slot, number) => readOwner(slot, epoch, `slot ${number}`)) };
  },
  // Running nodes hold the slot table, and a node that starts alone makes another one above it.
  advice: `${RESTORE}; or stop the meta nodes, delete this record and start them: it is created again`,
};

export const CONFIG_RECORDS: RecordCodec<ConfigValue> = {
  prefix: "meta/config/",
  nameOf: ({ serviceKey }) => keyPart(serviceKey),
  toJson: ({ serviceKey, version, data }) => ({ serviceKey, version: String(version), data }),
  fromJson(json) {
    const { serviceKey, version, data } = fieldsOf(json);
    if (data !== null && typeof data !== "string") throw new Damage("data is not text");
    return { serviceKey: brandServiceKey(textIn({ serviceKey })), version: versionIn({ version }), data };
  },
  advice: `${RESTORE}; or stop the meta nodes, delete this record, start them and put the value again`,
};

/** The nodes that an operator has blocked. */
export const BLOCKED_NODE_RECORDS: RecordCodec<BlockedNode> = {
  prefix: "meta/blocked-node/",
  nameOf: ({ node }) => keyPart(node),
  toJson: ({ node }) => ({ node }),
  fromJson: (json) => ({ node: textIn({ node: fieldsOf(json)["node"] }) }),
  advice: `${RESTORE}; or stop the meta nodes, delete this record, start them and block the node again`,
};

/**
 * The hosts and roles of blocked nodes, in records beside the others: PostgreSQL's tables of the release before records
 * take those in their one form only.
 */
export const BLOCKED_PLACE_RECORDS: RecordCodec<BlockedNode> = {
  prefix: "meta/blocked-place/",
  nameOf: ({ node }) => keyPart(node),
  toJson: ({ node, host, roles }) => ({ node, host, roles }),
  fromJson(json) {
    const { node, host, roles } = fieldsOf(json);
    if (!Array.isArray(roles)) throw new Damage("roles is no list");
    return { node: textIn({ node }), host: textIn({ host }), roles: ROLES.filter((role) => roles.includes(role)) };
  },
  advice: `${RESTORE}; or stop the meta nodes, delete this record and start them`,
};

const ROLES: readonly MemberRole[] = ["session", "data"];

/** There is one while operators keep slots from being arranged. */
export const SLOT_PAUSE_RECORD: RecordCodec<SlotPause> = {
  prefix: "meta/slot-pause",
  nameOf: () => "",
  toJson: ({ setBy, reason, sinceMs }) => ({ setBy, reason, sinceMs: String(sinceMs) }),
  fromJson(json) {
    const { setBy, reason, sinceMs } = fieldsOf(json);
    return { setBy: textIn({ setBy }), reason: textIn({ reason }), sinceMs: Number(versionIn({ sinceMs })) };
  },
  advice: `${RESTORE}; or stop the meta nodes, delete this record and start them: slots are arranged again`,
};

/** Everything that the store holds for the role meta. */
export interface MetaState {
  readonly cluster: ClusterConstants | undefined;
  readonly slotTable: SlotTable | undefined;
  /** Removed values are kept, as null with their version: versions must keep growing if the value is set again. */
  readonly configs: ReadonlyMap<ServiceKey, ConfigValue>;
  /** Names of nodes that an operator has blocked. */
  readonly blockedNodes: ReadonlySet<string>;
  readonly blockedPlaces: readonly BlockedNode[];
  readonly slotPause: SlotPause | undefined;
}

/** The key of a value. */
export function keyOf<Value>(codec: RecordCodec<Value>, value: Value): string {
  return codec.prefix + codec.nameOf(value);
}

/** The bytes of a value. */
export function encodeRecord<Value>(codec: RecordCodec<Value>, value: Value): Uint8Array {
  return ENCODER.encode(asciiJson(codec.toJson(value)));
}

/** The value of a record. Throws STORE_DAMAGED, with the key and the remedy. */
export function decodeRecord<Value>(codec: RecordCodec<Value>, { key, value }: StoredRecord): Value {
  try {
    const text = utf8String(value, 0, value.length);
    if (text === undefined) throw new Damage("it is not text");
    const found = codec.fromJson(parse(text));
    if (keyOf(codec, found) !== key) throw new Damage(`its key should be ${keyOf(codec, found)}`);
    return found;
  } catch (error) {
    if (!(error instanceof Damage)) throw error;
    throw damagedRecord(key, error.message, codec.advice);
  }
}

/** The records of one kind among those of the role meta, in their order. */
export function recordsOf(
  { prefix }: { readonly prefix: string },
  records: readonly StoredRecord[],
): readonly StoredRecord[] {
  return records.filter(({ key }) => (prefix.endsWith("/") ? key.startsWith(prefix) : key === prefix));
}

/** Everything among the records of the role meta. Throws STORE_DAMAGED for the first one that is. */
export function metaStateOf(records: readonly StoredRecord[]): MetaState {
  const all = <Value>(codec: RecordCodec<Value>) =>
    recordsOf(codec, records).map((record) => decodeRecord(codec, record));
  const [cluster] = all(CLUSTER_RECORD);
  const [slotTable] = all(SLOT_TABLE_RECORD);
  checkSlotCount(slotTable, cluster);
  return {
    cluster,
    slotTable,
    configs: new Map(all(CONFIG_RECORDS).map((config) => [config.serviceKey, config])),
    blockedPlaces: all(BLOCKED_PLACE_RECORDS),
    blockedNodes: new Set(all(BLOCKED_NODE_RECORDS).map(({ node }) => node)),
    slotPause: all(SLOT_PAUSE_RECORD)[0],
  };
}

/** Every slot of the cluster has its owner. A table without a cluster is older than the cluster's record. */
function checkSlotCount(table: SlotTable | undefined, cluster: ClusterConstants | undefined): void {
  if (table === undefined || cluster === undefined || table.slots.length === cluster.slotCount) return;
  const reason = `${table.slots.length} slots of ${cluster.slotCount}`;
  throw damagedRecord(SLOT_TABLE_RECORD.prefix, reason, SLOT_TABLE_RECORD.advice);
}

function damagedRecord(record: string, reason: string, advice: string): RegistryError {
  return fail("STORE_DAMAGED", { record, reason, advice });
}

// A name in ASCII, with its quotes, so that it has neither NUL nor lone surrogates. One that would make a key too long
// is replaced by its digest.
const NAME_CHARS_MAX = 1_000;

export function keyPart(name: string): string {
  const text = asciiJson(name);
  return text.length <= NAME_CHARS_MAX ? text : `sha256:${sha256Hex(ENCODER.encode(text))}`;
}

const ENCODER = new TextEncoder();

/**
 * JSON with everything beyond ASCII by its number: exact for every JavaScript string, in a database of any encoding.
 */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Thrown for a value that this program does not write. */
export class Damage extends Error {}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Damage("it is not JSON", { cause: error });
  }
}

export function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Damage("it is not an object");
  return json as Readonly<Record<string, unknown>>;
}

/** The only field of `field`, which names it in the complaint. */
export function textIn(field: Readonly<Record<string, unknown>>): string {
  for (const [name, value] of Object.entries(field)) {
    if (typeof value === "string") return value;
    throw new Damage(`${name} is not text`);
  }
  throw new Damage("it has no fields");
}

const VERSION_MAX = 2n ** 63n - 1n;

export function versionIn(field: Readonly<Record<string, unknown>>): bigint {
  const text = textIn(field);
  const version = /^\d{1,19}$/.test(text) ? BigInt(text) : -1n;
  if (version >= 0n && version <= VERSION_MAX) return version;
  throw new Damage(`${Object.keys(field).join()} is not a number from 0 to ${VERSION_MAX}`);
}

function readOwner(slot: unknown, tableEpoch: bigint, where: string): SlotOwner {
  const [leader, leaderEpoch, followers]: readonly unknown[] = Array.isArray(slot) ? slot : [];
  if (!isId(leader) || typeof leaderEpoch !== "string" || !/^\d{1,19}$/.test(leaderEpoch)) {
    throw new Damage(`${where} has no leader`);
  }
  if (!Array.isArray(followers) || !followers.every(isId)) throw new Damage(`${where} has no followers`);
  const owner = { leader: nodeId(leader), leaderEpoch: BigInt(leaderEpoch), followers: followers.map(nodeId) };
  if (owner.leaderEpoch > tableEpoch) throw new Damage(`${where} has a leader from after the table`);
  if (new Set([leader, ...owner.followers]).size <= owner.followers.length) {
    throw new Damage(`${where} has a node twice`);
  }
  return owner;
}

function isId(id: unknown): id is string {
  return typeof id === "string" && isNodeId(id);
}
