// IP addresses as people and protocols write them, and as the ids of clients name their hosts: IPv4 dotted, also where
// the socket is an IPv6 one, and IPv6 in brackets, in the one form that the system gives (RFC 5952).

import { fail, type RegistryError } from "../base/errors.ts";

const GROUPS = 8;
const GROUP = /^[0-9a-f]{1,4}$/i;
// No leading zeros: some programs read them as octal numbers.
const IPV4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;
// The zone of a link-local address, as `fe80::1%eth0`.
const ZONE = /^[A-Za-z0-9._-]{1,64}$/;
// The longest address has 45 characters, and its zone comes on top.
const CHARS_MAX = 128;

/**
 * The host of clients at this address (`hostOf` of their ids). Takes IPv4, IPv6 with brackets or without, and IPv4
 * within IPv6. Returns FIELD_INVALID for anything else.
 */
export function readHost(address: string): string | RegistryError {
  const host = address.length > CHARS_MAX ? undefined : (ipv4(address)?.join(".") ?? ipv6(address));
  return host ?? fail("FIELD_INVALID", { field: "address", address, expected: "an IP address" });
}

/**
 * The eight numbers of 16 bits of a host as `readHost` returns it, without a zone; an IPv4 address is one within IPv6.
 * Undefined for any other text.
 */
export function groupsOfHost(host: string): readonly number[] | undefined {
  const [a, b, c, d] = ipv4(host) ?? [];
  if (a !== undefined && b !== undefined && c !== undefined && d !== undefined) {
    return [0, 0, 0, 0, 0, 0xffff, a * 256 + b, c * 256 + d];
  }
  if (!host.startsWith("[") || !host.endsWith("]")) return undefined;
  const [address = ""] = host.slice(1, -1).split("%");
  return groupsOf(address);
}

/** The host with these eight numbers, as `readHost` returns it. */
export function hostOfGroups(groups: readonly number[]): string {
  return isMapped(groups) ? dotted(groups) : `[${shortest(groups)}]`;
}

function ipv4(text: string): number[] | undefined {
  const bytes = IPV4.exec(text)?.slice(1).map(Number);
  return bytes?.every((byte) => byte <= 255) === true ? bytes : undefined;
}

function ipv6(text: string): string | undefined {
  const inner = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  const [address = "", zone, ...more] = inner.split("%");
  if (more.length > 0 || (zone !== undefined && !ZONE.test(zone))) return undefined;
  const groups = groupsOf(address);
  if (groups === undefined) return undefined;
  if (isMapped(groups)) return zone === undefined ? dotted(groups) : undefined;
  return `[${shortest(groups)}${zone === undefined ? "" : `%${zone}`}]`;
}

/** The eight numbers of an IPv6 address. */
function groupsOf(text: string): number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const before = head === "" ? [] : numbersOf(head.split(":"), tail === undefined);
  const after = tail === undefined || tail === "" ? [] : numbersOf(tail.split(":"), true);
  if (before === undefined || after === undefined) return undefined;
  const zeros = GROUPS - before.length - after.length;
  // `::` stands for at least one group.
  if (tail === undefined ? zeros !== 0 : zeros < 1) return undefined;
  return [...before, ...new Array<number>(zeros).fill(0), ...after];
}

/** The numbers of some groups; the last one may be an IPv4 address, which is two, if it ends the whole address. */
function numbersOf(groups: readonly string[], endsAddress: boolean): number[] | undefined {
  const numbers: number[] = [];
  for (const [at, group] of groups.entries()) {
    const [a, b, c, d] = endsAddress && at === groups.length - 1 ? (ipv4(group) ?? []) : [];
    if (a !== undefined && b !== undefined && c !== undefined && d !== undefined) {
      numbers.push(a * 256 + b, c * 256 + d);
    } else if (GROUP.test(group)) numbers.push(Number.parseInt(group, 16));
    else return undefined;
  }
  return numbers;
}

/** It is an IPv4 address as `::ffff:10.0.0.1`. */
function isMapped(groups: readonly number[]): boolean {
  return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
}

function dotted(groups: readonly number[]): string {
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".");
}

/** In hexadecimal without leading zeros, with `::` for the first of the longest runs of zeros, of two or more. */
function shortest(groups: readonly number[]): string {
  let [start, length] = [0, 0];
  for (let at = 0; at < GROUPS; at++) {
    let end = at;
    while (end < GROUPS && groups[end] === 0) end++;
    if (end - at > length) [start, length] = [at, end - at];
  }
  const texts = groups.map((group) => group.toString(16));
  if (length < 2) return texts.join(":");
  return `${texts.slice(0, start).join(":")}::${texts.slice(start + length).join(":")}`;
}
