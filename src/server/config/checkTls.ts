// Combinations of the keys for TLS that make no sense. Each would leave something open that its author meant to close.

import { fail } from "../../base/errors.ts";
import { isStandalone } from "./nodeRoles.ts";
import type { Config, ConfigKey } from "./table.ts";

/** Throws CONFIG_INVALID, with the remedy, for keys that don't go together. Files are not looked at. */
export function checkTls(config: Config): void {
  const { tlsCertFile, tlsKeyFile, tlsClientAuth, tlsClientCaFile, tlsPorts, tlsPlainPorts } = config;
  if (tlsCertFile !== "" && tlsKeyFile === "") throw refused("tls-key-file", "", "the private key of tls-cert-file");
  checkNodeTls(config);
  if (tlsCertFile === "") {
    const set = [
      tlsKeyFile !== "" && "tls-key-file",
      tlsClientCaFile !== "" && "tls-client-ca-file",
      tlsClientAuth !== "none" && "tls-client-auth",
    ].find((key) => key !== false);
    if (set !== undefined) throw refused("tls-cert-file", "", `the certificate of the server, since ${set} is set`);
  }
  if (tlsClientAuth !== "none" && tlsClientCaFile === "") {
    const allowed = `the authorities of clients' certificates, since tls-client-auth is ${tlsClientAuth}`;
    throw refused("tls-client-ca-file", "", allowed);
  }
  if (tlsClientAuth === "none" && tlsClientCaFile !== "") {
    throw refused("tls-client-auth", "none", "request or require, since tls-client-ca-file is set");
  }
  const plain = tlsPlainPorts.find((kind) => !tlsPorts.includes(kind));
  if (plain !== undefined) throw refused("tls-plain-ports", plain, "kinds of ports that are in tls-ports too");
}

function checkNodeTls(config: Config): void {
  const { tlsCertFile, tlsPorts, tlsNodeCaFile, tlsNodeCertFile, tlsNodeKeyFile } = config;
  if (tlsNodeCertFile !== "" && tlsNodeKeyFile === "") {
    throw refused("tls-node-key-file", "", "the private key of tls-node-cert-file");
  }
  if (tlsNodeCertFile === "" && tlsNodeKeyFile !== "") {
    throw refused("tls-node-cert-file", "", "the certificate of tls-node-key-file");
  }
  if (tlsNodeCaFile !== "" && tlsNodeCertFile === "" && tlsCertFile === "") {
    throw refused("tls-node-cert-file", "", "the certificate of this node, since tls-node-ca-file is set");
  }
  const isOpen = tlsNodeCaFile === "" && tlsPorts.includes("nodes");
  if (!isOpen || isStandalone(config)) return;
  if (tlsNodeCertFile !== "" || tlsCertFile !== "") {
    const allowed =
      "the authorities that sign the nodes' certificates; or tls-ports without nodes, for links without TLS";
    throw refused("tls-node-ca-file", "", allowed);
  }
}

function refused(key: ConfigKey, value: string, allowed: string): Error {
  return fail("CONFIG_INVALID", { key, value, allowed });
}
