// TLS of a node: which of its ports have it, with which credentials, and what is counted and logged of it.

import type { Metrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import { hostClock } from "../../transport/clock.ts";
import type { TlsStrength } from "../../transport/tls/credentials.ts";
import type { TlsPort } from "../../transport/tls/tlsGate.ts";
import type { Config } from "../config/table.ts";
import type { TlsPortKind } from "../config/tlsKeys.ts";
import { LOOK_MS, WatchedCredentials } from "./watchedCredentials.ts";

export interface ServerTls {
  /** TLS at a port, `name` in metrics; undefined for a port without. */
  port(kind: TlsPortKind, name: string): TlsPort | undefined;
  /** Reads all files again; returns whether there are any. Those that can't be used leave the old ones in force. */
  reload(): boolean;
  close(): void;
}

/** Reads the configured certificates and follows them. Throws CONFIG_INVALID with the key and the file. */
export function openServerTls(
  config: Config,
  { log, metrics }: { readonly log: Log; readonly metrics: Metrics },
): ServerTls {
  const environment = { clock: hostClock, log, metrics };
  const server =
    config.tlsCertFile === ""
      ? undefined
      : new WatchedCredentials(serverFiles(config), strengthOf(config), { ...environment, certificate: "server" });
  const all = server === undefined ? [] : [server];
  const timer = setInterval(() => {
    for (const credentials of all) credentials.look();
  }, LOOK_MS);
  return {
    port: (kind, name) => {
      if (server === undefined || !config.tlsPorts.includes(kind)) return undefined;
      const counts = {
        ended: (outcome: string) => metrics.add("roster_tls_handshakes_total", 1, { port: name, outcome }),
        underWay: (count: number) => metrics.set("roster_tls_handshakes_open", count, { port: name }),
        failed: (reason: string, address: string) =>
          log.warn("a TLS handshake failed", { port: name, address, reason }),
      };
      const takesPlain = config.tlsPlainPorts.includes(kind);
      return { credentials: () => server.current, clientAuth: config.tlsClientAuth, takesPlain, ...counts };
    },
    reload: () => {
      for (const credentials of all) credentials.reload();
      return all.length > 0;
    },
    close: () => clearInterval(timer),
  };
}

function serverFiles({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Config) {
  return {
    cert: { key: "tls-cert-file", file: tlsCertFile },
    key: { key: "tls-key-file", file: tlsKeyFile },
    ca: tlsClientCaFile === "" ? undefined : { key: "tls-client-ca-file", file: tlsClientCaFile },
  };
}

function strengthOf({ tlsMinVersion, tlsCiphers }: Config): TlsStrength {
  return { minVersion: `TLSv${tlsMinVersion}`, ciphers: tlsCiphers };
}
