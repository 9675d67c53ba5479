// Rights to a znode: lists of them for identities, as ZooKeeper has them.

import { RegistryError } from "../../base/errors.ts";
import { groupsOfHost, readHost } from "../../model/hostAddress.ts";

/** The rights, as bits. */
export const PERMISSION = { read: 1, write: 2, create: 4, delete: 8, admin: 16 } as const;
const ALL_PERMISSIONS = 31;

/** An identity that a connection has proved, or that a list names. */
export interface AuthId {
  readonly scheme: string;
  readonly id: string;
}

/** Rights of one identity. */
export interface Acl extends AuthId {
  readonly permissions: number;
}

/** All rights for everybody. */
export const OPEN_ACL: readonly Acl[] = [{ permissions: ALL_PERMISSIONS, scheme: "world", id: "anyone" }];

/** A list of more entries is refused. */
export const ACL_ENTRIES_MAX = 1_000;

/** The author of a change, or the reader. `super` may do everything. */
export const SUPER_SCHEME = "super";

/** Whether one of the identities has one of the rights. */
export function allows(acl: readonly Acl[], permissions: number, ids: readonly AuthId[]): boolean {
  if (acl === OPEN_ACL || ids.some(({ scheme }) => scheme === SUPER_SCHEME)) return true;
  return acl.some((entry) => (entry.permissions & permissions) !== 0 && ids.some((id) => matches(entry, id)));
}

function matches(entry: Acl, id: AuthId): boolean {
  if (entry.scheme === "world" && entry.id === "anyone") return true;
  if (entry.scheme !== id.scheme) return false;
  if (entry.scheme !== "ip") return entry.id === id.id;
  const [block, host] = [blockOf(entry.id), blockOf(id.id)];
  return block !== undefined && host !== undefined && isWithin(host.groups, block);
}

const DIGEST_ID = /^[^:]*:[A-Za-z0-9+/=]+$/;

/**
 * The list as it is kept: `auth` becomes the identities of the author, and entries that are said twice are kept once.
 * Undefined if it is empty, or names something that is none.
 */
export function keptAcl(acl: readonly Acl[], ids: readonly AuthId[]): readonly Acl[] | undefined {
  if (acl.length === 0 || acl.length > ACL_ENTRIES_MAX) return undefined;
  const kept = new Map<string, Acl>();
  for (const entry of acl) {
    const expanded = entry.scheme === "auth" ? authorsOf(entry, ids) : [entry];
    if (expanded.length === 0 || !expanded.every(isValid)) return undefined;
    for (const each of expanded) kept.set(`${each.permissions} ${each.scheme} ${each.id}`, each);
  }
  const all = [...kept.values()];
  return all.length === 1 && isOpen(all[0]) ? OPEN_ACL : all;
}

/** `ip` says where a connection comes from, and does not authenticate its user. */
function authorsOf({ permissions }: Acl, ids: readonly AuthId[]): Acl[] {
  return ids.filter(({ scheme }) => scheme !== "ip").map((id) => ({ permissions, scheme: id.scheme, id: id.id }));
}

function isValid({ scheme, id }: Acl): boolean {
  switch (scheme) {
    case "world":
      return id === "anyone";
    case "digest":
      return DIGEST_ID.test(id);
    case "ip":
      return blockOf(id) !== undefined;
    case "x509":
    case SUPER_SCHEME:
      return id !== "";
    default:
      return false;
  }
}

function isOpen(entry: Acl | undefined): boolean {
  return entry?.permissions === ALL_PERMISSIONS && entry.scheme === "world";
}

const GROUPS = 8;
const GROUP_BITS = 16;
const IPV4_PREFIX_BITS = 96;

interface Block {
  readonly groups: readonly number[];
  readonly bits: number;
}

/** The address, or block of addresses, of `ip`; bits behind the prefix are allowed, and do not count. */
function blockOf(text: string): Block | undefined {
  const [address = "", length, ...more] = text.split("/");
  const host = readHost(address);
  if (host instanceof RegistryError || more.length > 0) return undefined;
  const groups = groupsOfHost(host);
  const bitsBefore = host.startsWith("[") ? 0 : IPV4_PREFIX_BITS;
  const bitsMax = GROUPS * GROUP_BITS - bitsBefore;
  const bits = length === undefined ? bitsMax : Number(length);
  if (groups === undefined || length === "" || !Number.isInteger(bits) || bits < 0 || bits > bitsMax) return undefined;
  return { groups, bits: bits + bitsBefore };
}

function isWithin(groups: readonly number[], { groups: prefix, bits }: Block): boolean {
  return prefix.every((group, at) => {
    const own = Math.min(GROUP_BITS, Math.max(0, bits - at * GROUP_BITS));
    const mask = (0xffff << (GROUP_BITS - own)) & 0xffff;
    return (group & mask) === ((groups[at] ?? 0) & mask);
  });
}
