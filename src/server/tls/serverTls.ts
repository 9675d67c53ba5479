// TLS of a node: which of its ports and links have it, with which credentials, and what is counted and logged of it.

import { fail } from "../../base/errors.ts";
import type { Metrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import { certificateRefusal } from "../../cluster/links/certificateRule.ts";
import type { Dial } from "../../cluster/links/linkDialer.ts";
import type { NodeId } from "../../model/ids.ts";
import { hostClock } from "../../transport/clock.ts";
import { dialTcp } from "../../transport/tcp.ts";
import type { Credentials, TlsStrength } from "../../transport/tls/credentials.ts";
import type { TlsPort } from "../../transport/tls/tlsGate.ts";
import { isStandalone } from "../config/nodeRoles.ts";
import type { Config } from "../config/table.ts";
import type { TlsPortKind } from "../config/tlsKeys.ts";
import { LOOK_MS, WatchedCredentials } from "./watchedCredentials.ts";

export interface ServerTls {
  /** TLS at a port, `name` in metrics; undefined for a port without. */
  port(kind: TlsPortKind, name: string): TlsPort | undefined;
  /** Connects to another node, with TLS where links have it. */
  readonly dial: Dial;
  /** Throws CONFIG_INVALID if the certificate for links is not that of the node, of which it is told once. */
  checkNode(id: NodeId): void;
  /** Reads all files again; returns whether there are any. Those that can't be used leave the old ones in force. */
  reload(): boolean;
  close(): void;
}

interface TlsEnvironment {
  readonly log: Log;
  readonly metrics: Metrics;
}

// The time that a node has to answer a dial before the next try; a handshake takes two more round trips.
const DIAL_MS_MAX = 1_000;
const TLS_DIAL_MS_MAX = 3_000;

/** Reads the configured certificates and follows them. Throws CONFIG_INVALID with the key and the file. */
export function openServerTls(config: Config, environment: TlsEnvironment): ServerTls {
  const server = config.tlsCertFile === "" ? undefined : watched(config, serverFiles(config), "server", environment);
  const hasNodeTls = config.tlsNodeCaFile !== "" && config.tlsPorts.includes("nodes") && !isStandalone(config);
  const node = hasNodeTls ? watched(config, nodeFiles(config), "node", environment) : undefined;
  const all = [server, node].filter((each) => each !== undefined);
  const timer = setInterval(() => {
    for (const credentials of all) credentials.look();
  }, LOOK_MS);
  return {
    port: (kind, name) => {
      const credentials = kind === "nodes" ? node : server;
      if (credentials === undefined || !config.tlsPorts.includes(kind)) return undefined;
      return {
        credentials: () => credentials.current,
        clientAuth: kind === "nodes" ? "require" : config.tlsClientAuth,
        takesPlain: config.tlsPlainPorts.includes(kind),
        ...handshakeCounts(name, environment),
      };
    },
    dial: node === undefined ? plainDial : tlsDial(() => node.current, config.tlsPlainPorts.includes("nodes")),
    checkNode: (id) =>
      node?.require(({ subject, names }) => {
        const { clusterName } = config;
        const reason = certificateRefusal({ subject, names }, { clusterName, node: id });
        if (reason !== undefined) throw fail("CONFIG_INVALID", { ...nodeFiles(config).cert, reason });
      }),
    reload: () => {
      for (const credentials of all) credentials.reload();
      return all.length > 0;
    },
    close: () => clearInterval(timer),
  };
}

const plainDial: Dial = (address, outcome) => dialTcp(address, outcome, { clock: hostClock, timeoutMs: DIAL_MS_MAX });

/**
 * While nodes without TLS are about, a node that could not be reached with TLS is next tried without, and the other way
 * round.
 */
function tlsDial(credentials: () => Credentials, takesPlain: boolean): Dial {
  const plainNext = new Set<string>();
  return (address, outcome) => {
    const isPlain = plainNext.delete(address);
    const failed = (reason: string) => {
      if (takesPlain && !isPlain) plainNext.add(address);
      outcome.failed(reason);
    };
    if (isPlain) return plainDial(address, { ...outcome, failed });
    const options = { clock: hostClock, timeoutMs: TLS_DIAL_MS_MAX, tls: credentials().context };
    return dialTcp(address, { ...outcome, failed }, options);
  };
}

function watched(
  config: Config,
  files: ReturnType<typeof serverFiles>,
  certificate: string,
  { log, metrics }: TlsEnvironment,
): WatchedCredentials {
  return new WatchedCredentials(files, strengthOf(config), { clock: hostClock, log, metrics, certificate });
}

function handshakeCounts(port: string, { log, metrics }: TlsEnvironment) {
  return {
    ended: (outcome: string) => metrics.add("roster_tls_handshakes_total", 1, { port, outcome }),
    underWay: (count: number) => metrics.set("roster_tls_handshakes_open", count, { port }),
    failed: (reason: string, address: string) => log.warn("a TLS handshake failed", { port, address, reason }),
  };
}

function serverFiles({ tlsCertFile, tlsKeyFile, tlsClientCaFile }: Config) {
  return {
    cert: { key: "tls-cert-file", file: tlsCertFile },
    key: { key: "tls-key-file", file: tlsKeyFile },
    ca: tlsClientCaFile === "" ? undefined : { key: "tls-client-ca-file", file: tlsClientCaFile },
  };
}

/** The node's own certificate, or else that of the server. */
function nodeFiles({ tlsCertFile, tlsKeyFile, tlsNodeCertFile, tlsNodeKeyFile, tlsNodeCaFile }: Config) {
  const isOwn = tlsNodeCertFile !== "";
  return {
    cert: isOwn ? { key: "tls-node-cert-file", file: tlsNodeCertFile } : { key: "tls-cert-file", file: tlsCertFile },
    key: isOwn ? { key: "tls-node-key-file", file: tlsNodeKeyFile } : { key: "tls-key-file", file: tlsKeyFile },
    ca: { key: "tls-node-ca-file", file: tlsNodeCaFile },
  };
}

function strengthOf({ tlsMinVersion, tlsCiphers }: Config): TlsStrength {
  return { minVersion: `TLSv${tlsMinVersion}`, ciphers: tlsCiphers };
}
