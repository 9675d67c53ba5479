// Addresses in the forms that DNS has for them.

import { hostOfGroups } from "../../model/hostAddress.ts";

/** An address as a record has it. */
export interface Address {
  readonly type: "A" | "AAAA";
  /** In network order: 4 or 16. */
  readonly bytes: Uint8Array;
}

/** The address of eight groups (`groupsOfHost`); undefined of none. */
export function addressOf(groups: readonly number[] | undefined): Address | undefined {
  if (groups === undefined) return undefined;
  const bytes = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
  const isIpv4 = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isIpv4 ? { type: "A", bytes: bytes.slice(12) } : { type: "AAAA", bytes };
}

/** The address in hexadecimal, as the names below `addr` have it. */
export function hexOf({ bytes }: Address): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The address of such a name; undefined if it is none. */
export function addressOfHex(text: string): Address | undefined {
  if (!/^(?:[0-9a-f]{8}|[0-9a-f]{32})$/.test(text)) return undefined;
  const bytes = Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
  return { type: bytes.length === 4 ? "A" : "AAAA", bytes };
}

/**
 * The host, without brackets, whose name in the reverse tree this is: `4.3.2.1.in-addr.arpa`, or 32 digits below
 * `ip6.arpa`. Labels in lower case; undefined if they are no whole address.
 */
export function hostOfReverse(labels: readonly string[]): string | undefined {
  const [tree, arpa] = labels.slice(-2);
  const digits = labels.slice(0, -2).reverse();
  if (arpa !== "arpa") return undefined;
  if (tree === "in-addr") {
    const isAddress = digits.length === 4 && digits.every((digit) => /^\d{1,3}$/.test(digit) && Number(digit) < 256);
    return isAddress ? digits.map(Number).join(".") : undefined;
  }
  const isAddress = tree === "ip6" && digits.length === 32 && digits.every((digit) => /^[0-9a-f]$/.test(digit));
  if (!isAddress) return undefined;
  const groups = Array.from({ length: 8 }, (_, at) => Number.parseInt(digits.slice(4 * at, 4 * at + 4).join(""), 16));
  return hostOfGroups(groups).replace(/^\[|\]$/g, "");
}
