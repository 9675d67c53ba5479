// Blocks of IP addresses in CIDR notation: `10.0.0.0/8`, `2001:db8::/32`. A set of blocks is asked for one address in
// a time that depends on the number of different lengths of prefixes, and not on the number of blocks.

import { fail, RegistryError } from "../base/errors.ts";
import { groupsOfHost, hostOfGroups, readHost } from "./hostAddress.ts";

const BITS = 128;
const BITS_PER_GROUP = 16;
// An IPv4 address is one of IPv6 that begins with these.
const IPV4_PREFIX_BITS = 96;
const PREFIX = /^(0|[1-9]\d{0,2})$/;

interface Block {
  readonly groups: readonly number[];
  /** The length of the prefix, of 128. */
  readonly bits: number;
}

/**
 * One form for each address and each block: a host as `readHost` returns it, or the first address of the block, a slash
 * and the length of its prefix. Returns FIELD_INVALID for anything else, also for a block with bits behind its prefix.
 */
export function readAddressOrBlock(text: string): string | RegistryError {
  const [address = "", length, ...more] = text.split("/");
  const host = readHost(address);
  if (length === undefined || host instanceof RegistryError)
    return host instanceof RegistryError ? invalid(text) : host;
  const groups = groupsOfHost(host);
  const isIpv4 = !host.startsWith("[");
  const bitsMax = isIpv4 ? BITS - IPV4_PREFIX_BITS : BITS;
  if (more.length > 0 || groups === undefined || host.includes("%") || !PREFIX.test(length)) return invalid(text);
  const ownBits = Number(length);
  if (ownBits > bitsMax) return invalid(text);
  const masked = maskedBy(groups, isIpv4 ? ownBits + IPV4_PREFIX_BITS : ownBits);
  if (groups.some((group, at) => group !== masked[at])) {
    const expected = `the first address of the block: ${hostOfGroups(masked)}/${length}`;
    return fail("FIELD_INVALID", { field: "address", address: text, expected });
  }
  return `${host}/${ownBits}`;
}

/** Whether a text of `readAddressOrBlock` is a block. */
export function isBlock(text: string): boolean {
  return text.includes("/");
}

/** Some blocks, as `readAddressOrBlock` returns them; a text that is no block is left out. */
export class AddressBlocks {
  /** The prefixes, by their length. */
  readonly #prefixes = new Map<number, Set<string>>();

  constructor(blocks: Iterable<string>) {
    for (const text of blocks) {
      const block = blockOf(text);
      if (block === undefined) continue;
      const ofLength = this.#prefixes.get(block.bits) ?? new Set();
      this.#prefixes.set(block.bits, ofLength.add(maskedBy(block.groups, block.bits).join()));
    }
  }

  /** Whether one of the blocks has this host (`hostOf` of a client's id). */
  has(host: string): boolean {
    const groups = groupsOfHost(host);
    return groups !== undefined && this.#hasPrefixOf(groups, BITS);
  }

  /** Whether one of the blocks has this host, or the whole of this block, as `readAddressOrBlock` returns them. */
  contains(text: string): boolean {
    if (!isBlock(text)) return this.has(text);
    const block = blockOf(text);
    return block !== undefined && this.#hasPrefixOf(block.groups, block.bits);
  }

  #hasPrefixOf(groups: readonly number[], bitsMax: number): boolean {
    for (const [bits, prefixes] of this.#prefixes) {
      if (bits <= bitsMax && prefixes.has(maskedBy(groups, bits).join())) return true;
    }
    return false;
  }
}

function blockOf(text: string): Block | undefined {
  const [host = "", length] = text.split("/");
  const groups = groupsOfHost(host);
  if (groups === undefined || length === undefined || !PREFIX.test(length)) return undefined;
  return { groups, bits: Number(length) + (host.startsWith("[") ? 0 : IPV4_PREFIX_BITS) };
}

function maskedBy(groups: readonly number[], bits: number): number[] {
  return groups.map((group, at) => {
    const kept = Math.min(Math.max(bits - at * BITS_PER_GROUP, 0), BITS_PER_GROUP);
    return group & (0xffff << (BITS_PER_GROUP - kept)) & 0xffff;
  });
}

function invalid(address: string): RegistryError {
  const expected = "an IP address, or a block of them as 10.0.0.0/8";
  return fail("FIELD_INVALID", { field: "address", address, expected });
}
