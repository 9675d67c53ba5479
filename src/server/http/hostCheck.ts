// DNS rebinding: a page whose name its owner makes to resolve to 127.0.0.1 reads everything that a port on the machine
// of its reader shows, since a browser takes it for the page's own origin. The browser names the page's host, though.
// So a request from this machine must name a host that is this machine's. Where wrong credentials are refused, a caller
// with credentials is no such page; elsewhere a page may send any.

import { isIP } from "node:net";
import { hostname } from "node:os";
import { fail, type RegistryError } from "../../base/errors.ts";
import { parseAddress } from "../../transport/address.ts";
import { isLoopback } from "../config/loopback.ts";
import type { Config } from "../config/table.ts";

type Names = Pick<
  Config,
  "bind" | "adminBind" | "advertiseAddress" | "advertiseNodeAddress" | "metaAddresses" | "hostNames"
>;

/** The names of this machine, and those that operators have given it, in lower case. */
export function hostNamesOf(config: Names): ReadonlySet<string> {
  const { bind, adminBind, advertiseAddress, advertiseNodeAddress, metaAddresses, hostNames } = config;
  const metas = metaAddresses.map((address) => parseAddress(address)?.host ?? address);
  const all = [hostname(), bind, adminBind, advertiseAddress, advertiseNodeAddress, ...metas, ...hostNames];
  return new Set(all.map((name) => name.toLowerCase()).filter((name) => name !== ""));
}

interface Request {
  readonly headers: { readonly host?: string | undefined; readonly authorization?: string | undefined };
  readonly socket: { readonly remoteAddress?: string | undefined; readonly localAddress?: string | undefined };
}

export interface HostRules {
  /** The names that the host may have, in lower case. */
  readonly names: ReadonlySet<string>;
  /** Wrong credentials are refused after this check. */
  readonly areCredentialsChecked: boolean;
}

/** HTTP_BAD_REQUEST for a request from this machine that names a host that may be a stranger's. */
export function foreignHost(
  { headers, socket }: Request,
  { names, areCredentialsChecked }: HostRules,
): RegistryError | undefined {
  const { host, authorization } = headers;
  // A browser always names a host.
  if (host === undefined || !isFromHere(socket)) return undefined;
  if (areCredentialsChecked && authorization !== undefined) return undefined;
  const name = host
    .replace(/:\d*$/, "")
    .replace(/^\[(.*)\]$/, "$1")
    .toLowerCase();
  if (isIP(name) !== 0 || /^(.+\.)?localhost$/.test(name) || names.has(name)) return undefined;
  const expected = "an IP address, localhost, or one of host-names";
  return fail("HTTP_BAD_REQUEST", { host, expected });
}

/** A caller on this machine has a loopback address, or the one at which it has reached the node. */
function isFromHere({ remoteAddress = "", localAddress }: Request["socket"]): boolean {
  return isLoopback(remoteAddress.replace(/^::ffff:/i, "")) || remoteAddress === localAddress;
}
