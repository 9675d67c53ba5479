// Safe by default: listening beyond loopback without encryption and credentials must be requested by name.

import { BlockList, isIPv4, isIPv6 } from "node:net";
import { fail } from "../../base/errors.ts";
import { parseAddress } from "../../transport/address.ts";
import type { Config } from "./table.ts";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/**
 * Throws BIND_REFUSED if the server would listen beyond loopback, or talk to other nodes there, although `insecure` is
 * not set.
 */
export function checkBind(config: Pick<Config, "bind" | "adminBind" | "insecure" | "metaAddresses">): void {
  if (config.insecure) return;
  const allowed = "127.0.0.1, ::1 or localhost, or any address with --insecure";
  if (!isLoopback(config.bind)) throw fail("BIND_REFUSED", { bind: config.bind, allowed });
  if (!isLoopback(config.adminBind)) throw fail("BIND_REFUSED", { "admin-bind": config.adminBind, allowed });
  const far = config.metaAddresses.find((address) => !isLoopback(parseAddress(address)?.host ?? address));
  if (far !== undefined) throw fail("BIND_REFUSED", { "meta-addresses": far, allowed });
}

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
