// The address that a probe goes to: of a name, the one that was judged. The probe is given that address, so a name that
// stands for another one a moment later changes nothing.

import { lookup } from "node:dns";
import { isIP } from "node:net";

export interface PinnedAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** The reason why there is none. */
export type NoAddress = { readonly reason: "unknown" | "denied"; readonly output: string };

/**
 * Calls `done` once, later. All addresses of a name must be allowed: of one that mixes them, the resolver or the system
 * could choose any.
 */
export function pinAddress(
  host: string,
  allows: (address: string) => boolean,
  done: (found: PinnedAddress | NoAddress) => void,
): void {
  const family = isIP(host);
  if (family === 4 || family === 6) {
    setImmediate(() => done(allows(host) ? { address: host, family } : denied(host, host)));
    return;
  }
  lookup(host, { all: true }, (error, found) => {
    const [first] = found ?? [];
    if (error !== null || first === undefined) {
      return done({ reason: "unknown", output: `${host}: no address (${error?.code ?? "ENOTFOUND"})` });
    }
    const refused = found.find(({ address }) => !allows(address));
    if (refused !== undefined) return done(denied(host, refused.address));
    done({ address: first.address, family: first.family === 6 ? 6 : 4 });
  });
}

function denied(host: string, address: string): NoAddress {
  const which = host === address ? address : `${host} (${address})`;
  return { reason: "denied", output: `${which} is not looked at: see active-check-addresses` };
}
