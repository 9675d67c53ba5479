// The host part of this node's own address, as it tells it to the others.

import { fail } from "../base/errors.ts";
import { parseAddress } from "../transport/address.ts";
import { localAddressTo } from "../transport/localAddressTo.ts";
import { isWildcard } from "./config/loopback.ts";
import type { Config } from "./config/table.ts";

type HostKeys = Pick<Config, "advertiseNodeAddress" | "bind" | "metaAddresses">;

/**
 * The configured address; else the one that is listened on; else, if that is every one, the one on the way to the first
 * meta node that has a way. Throws CONFIG_INVALID if none can be found out.
 */
export async function findNodeHost({ advertiseNodeAddress, bind, metaAddresses }: HostKeys): Promise<string> {
  if (advertiseNodeAddress !== "") return advertiseNodeAddress;
  if (!isWildcard(bind)) return bind;
  for (const meta of metaAddresses) {
    const found = await localAddressTo(parseAddress(meta)?.host ?? meta);
    if (found !== undefined) return found;
  }
  throw fail("CONFIG_INVALID", {
    key: "advertise-node-address",
    value: "",
    allowed: "the address at which other nodes reach this one; it can't be determined from this bind",
  });
}
