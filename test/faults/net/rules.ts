// The faults of the network, as packet filter rules. Every fault is made where packets arrive: a sender whose own
// kernel drops them is told so (EPERM), which no network does.

/** Something that happens to packets on their way from one host to another. */
export type NetworkFault =
  /** They vanish, without an answer: a cut cable, a firewall that forgot the connection. */
  | { readonly kind: "drop"; readonly from: string; readonly to: string }
  /** So many of a hundred vanish, of all that arrive at the host. */
  | { readonly kind: "loss"; readonly to: string; readonly percent: number }
  /** Every packet of a connection is answered with a reset, so that both ends lose it. */
  | { readonly kind: "reset"; readonly to: string; readonly port: number };

/** Names of hosts to their addresses. */
export type HostAddresses = ReadonlyMap<string, string>;

// Before connection tracking and everything else that could let a packet through.
const PRIORITY = -300;

/** A complete ruleset for one host, for `nft -f`: it replaces whatever the suite set there before. */
export function rulesetOf(host: string, faults: readonly NetworkFault[], addresses: HostAddresses): string {
  const rules = faults.filter(({ to }) => to === host).map((fault) => `    ${ruleOf(fault, addresses)}`);
  return [
    "table inet faults",
    "delete table inet faults",
    "table inet faults {",
    "  chain input {",
    `    type filter hook input priority ${PRIORITY}; policy accept;`,
    '    iif "lo" accept',
    ...rules,
    "  }",
    "}",
    "",
  ].join("\n");
}

function ruleOf(fault: NetworkFault, addresses: HostAddresses): string {
  switch (fault.kind) {
    case "drop":
      return `ip saddr ${addresses.get(fault.from) ?? fault.from} drop`;
    case "loss":
      return `numgen random mod 100 < ${fault.percent} drop`;
    case "reset":
      return `tcp dport ${fault.port} reject with tcp reset`;
  }
}
