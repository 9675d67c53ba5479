// Who counts as one address. Whoever has an IPv6 network has 2^64 addresses of it, so the network counts as one.

const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** The address of `ip:port`, as Connection.remoteAddress has it, without its port; of IPv6 the network of 64 bits. */
export function addressGroup(remoteAddress: string): string {
  const at = remoteAddress.lastIndexOf(":");
  const host = at < 0 ? remoteAddress : remoteAddress.slice(0, at);
  if (!host.startsWith("[")) return host;
  const [head = "", tail] = host.slice(1, -1).split("%", 1).join("").toLowerCase().split("::", 2);
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = tail === undefined ? 0 : Math.max(0, GROUPS - before.length - after.length);
  const groups = [...before, ...new Array<string>(zeros).fill("0"), ...after];
  return `[${groups.slice(0, NETWORK_GROUPS).join(":")}::]/64`;
}
