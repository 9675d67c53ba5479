// The unit that counts as one address. An IPv6 network has 2^64 addresses, so the whole network counts as one.

const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** The address of `ip:port`, as in Connection.remoteAddress, without its port; for IPv6 the 64-bit network. */
export function addressGroup(remoteAddress: string): string {
  const at = remoteAddress.lastIndexOf(":");
  return hostGroup(at < 0 ? remoteAddress : remoteAddress.slice(0, at));
}

/** The same of a host without a port, as in HttpExchange.remoteAddress; a group is its own group. */
export function hostGroup(host: string): string {
  if (!host.startsWith("[") || !host.endsWith("]")) return host;
  const [head = "", tail] = host.slice(1, -1).split("%", 1).join("").toLowerCase().split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...new Array<string>(zeros).fill("0"), ...after];
  return `[${groups.slice(0, NETWORK_GROUPS).join(":")}::]/64`;
}
