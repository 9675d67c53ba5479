// The keys of persistent registrations and of their checks.

import type { KeySpec } from "../../base/keySpec.ts";

const SECTION = "Persistent registrations";

export const PERSISTENT = {
  "persistent-registrations-max": {
    section: SECTION,
    type: "integer",
    unit: "registrations",
    default: 100_000,
    min: 1,
    max: 1_000_000,
    about: "The most registrations of the cluster that stay until they are taken back; further ones are refused.",
    cost: "Some 3 KB of memory each in every node with the role session, and a record in the store.",
  },
  "active-checks": {
    section: SECTION,
    type: "boolean",
    default: false,
    about:
      "Whether this node makes the checks that clients define for persistent registrations: connections and requests " +
      "to addresses that clients name. Without it such checks keep their first status.",
    cost: "On: callers who may register can have the nodes of the cluster make requests within the network.",
  },
  "active-check-addresses": {
    section: SECTION,
    type: "list",
    default: [],
    pattern: /^[0-9A-Fa-f:.[\]]+(?:\/\d{1,3})?$/,
    allowed: "IP addresses, and blocks of them as 10.0.0.0/8",
    about:
      "The addresses that checks may go to. Without any: all but those of the node itself (127.0.0.0/8), which are " +
      "allowed only if they are named here. Addresses of the link, of multicast and of a cloud's metadata never are.",
    cost: "Each further block is one that clients can have looked at.",
  },
} as const satisfies Readonly<Record<string, KeySpec>>;
