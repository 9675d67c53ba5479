// Addresses that only this machine reaches, and addresses that are all of them.

import { BlockList, isIPv4, isIPv6 } from "node:net";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** Whether the address is no address but all of them. */
export function isWildcard(address: string): boolean {
  return /^(0\.0\.0\.0|\[?(::|0:0:0:0:0:0:0:0)\]?)$/.test(address);
}

/**
 * Whether only this machine reaches the address. A name other than localhost counts as beyond: its resolution may
 * change after the check.
 */
export function isLoopback(address: string): boolean {
  if (address.toLowerCase() === "localhost") return true;
  // [::1] is how URLs write it, and ::1%lo names the interface; neither changes who can reach it.
  const bare = address.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  if (isIPv4(bare)) return loopback.check(bare, "ipv4");
  return isIPv6(bare) && loopback.check(bare, "ipv6");
}
