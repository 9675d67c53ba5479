// Which addresses this node may look at for clients. A check is a request that a client has the node make, so it could
// be aimed at what only the node reaches: itself, its link, a cloud's metadata. Names are judged by the addresses that
// they stand for, and the probe goes to the address that was judged.

import { RegistryError } from "../base/errors.ts";
import type { Probe } from "../base/probes.ts";
import { AddressBlocks } from "../model/addressBlock.ts";
import { readHost } from "../model/hostAddress.ts";

/** Never, whatever the configuration says: no service is there. */
const NEVER = new AddressBlocks([
  ...["0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"],
  ...["[::]/128", "[fe80::]/10", "[fec0::]/10", "[ff00::]/8"],
  // Metadata of Alibaba, Oracle, Azure and Amazon beyond those of the link.
  ...["100.100.100.200/32", "192.0.0.0/24", "168.63.129.16/32", "[fd00:ec2::]/32"],
  // Addresses of IPv4 within others: they would go around the rest of this list.
  ...["[::]/96", "[64:ff9b::]/96", "[64:ff9b:1::]/48", "[2002::]/16", "[2001::]/32"],
]);

/** Only where the configuration names them. */
const LOOPBACK = new AddressBlocks(["127.0.0.0/8", "[::1]/128"]);

export interface ProbeRulesOptions {
  readonly activeChecks: boolean;
  /** Blocks and addresses, as `readAddressOrBlock` returns them; none: all but the node's own. */
  readonly activeCheckAddresses: readonly string[];
}

/** The reason for a denial. */
export type Denial = "off" | "address";

export class ProbeRules {
  readonly #isOn: boolean;
  readonly #hosts: ReadonlySet<string>;
  readonly #blocks: AddressBlocks;
  readonly #isOpen: boolean;

  constructor({ activeChecks, activeCheckAddresses }: ProbeRulesOptions) {
    this.#isOn = activeChecks;
    this.#hosts = new Set(activeCheckAddresses);
    this.#blocks = new AddressBlocks(activeCheckAddresses);
    this.#isOpen = activeCheckAddresses.length === 0;
  }

  /** Whether a probe may go to this IP address, in any of its written forms. */
  allows(address: string): boolean {
    const host = readHost(address);
    if (!this.#isOn || host instanceof RegistryError || host.includes("%")) return false;
    const isLoopback = LOOPBACK.has(host);
    if (!isLoopback && NEVER.has(host)) return false;
    return this.#hosts.has(host) || this.#blocks.has(host) || (this.#isOpen && !isLoopback);
  }

  /** The reason why a probe is not made, without looking names up. */
  denial({ host }: Probe): Denial | undefined {
    if (!this.#isOn) return "off";
    const isName = readHost(host) instanceof RegistryError;
    return isName || this.allows(host) ? undefined : "address";
  }
}
