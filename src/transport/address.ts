/** `ip:port` as it is shown and compared: IPv4 dotted even if the socket is IPv6, other IPv6 in brackets. */
export function formatAddress(ip: string | undefined, port: number | undefined): string {
  return `${formatHost(ip ?? "unknown")}:${port ?? 0}`;
}

/** An address without its port, in the same form. */
export function formatHost(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped?.[1] !== undefined) return mapped[1];
  return ip.includes(":") ? `[${ip}]` : ip;
}
