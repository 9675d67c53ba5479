/** `ip:port` in its shown and compared form: IPv4 dotted even if the socket is IPv6, other IPv6 in brackets. */
export function formatAddress(ip: string | undefined, port: number | undefined): string {
  return `${formatHost(ip ?? "unknown")}:${port ?? 0}`;
}

/** An address without its port, in the same form. */
export function formatHost(ip: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip);
  if (mapped?.[1] !== undefined) return mapped[1];
  return ip.includes(":") ? `[${ip}]` : ip;
}

/** The two parts of `host:port`, an IPv6 host in brackets; undefined for other text. A port of 0 is not allowed. */
export function parseAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = parts?.[1] ?? parts?.[2];
  const port = Number(parts?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}

/** `host:port`, with brackets around an IPv6 host that has none. */
export function joinAddress(host: string, port: number): string {
  return `${host.startsWith("[") ? host : formatHost(host)}:${port}`;
}
