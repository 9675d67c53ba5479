// The keys for TLS; part of the table in table.ts.

import type { KeySpec } from "../../base/keySpec.ts";

/** The kinds of ports: those of protocols, those of HTTP, that of operators, and that of links between nodes. */
export const TLS_PORT_KINDS = ["clients", "http", "admin", "nodes"] as const;

export type TlsPortKind = (typeof TLS_PORT_KINDS)[number];

// Forward secrecy and authenticated encryption only; a Java 8 client has several of them.
const CIPHERS = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

const FILE = { section: "TLS", type: "path", default: "", isEmptyAllowed: true } as const;
const RELOAD = "It is read again when it changes, and at SIGHUP.";

export const TLS = {
  "tls-cert-file": {
    ...FILE,
    about:
      "The server's certificate, PEM, followed by those between it and its authority; empty means no TLS for " +
      `clients, HTTP and operators. ${RELOAD}`,
    cost: "A handshake for each connection, about 1 ms of work, and encryption of all that is sent.",
  },
  "tls-key-file": {
    ...FILE,
    about: `The private key of tls-cert-file, PEM, without a passphrase. ${RELOAD}`,
    cost: "Nothing; a program that can read the file can pretend to be this server.",
  },
  "tls-client-auth": {
    section: "TLS",
    type: "string",
    default: "none",
    oneOf: ["none", "request", "require"],
    about:
      "Whether clients, callers by HTTP and operators show a certificate: never, if they have one, or always. " +
      "One that tls-client-ca-file does not trust is refused in either case.",
    cost: "With require, health checks and scrapers need a certificate too.",
  },
  "tls-client-ca-file": {
    ...FILE,
    about: `The authorities, PEM, that sign the certificates of clients and operators. ${RELOAD}`,
    cost: "Nothing; name no public authority, since anyone can get a certificate of one.",
  },
  "tls-ports": {
    section: "TLS",
    type: "list",
    default: TLS_PORT_KINDS,
    oneOf: TLS_PORT_KINDS,
    about:
      "The kinds of ports with TLS, if it has certificates: of protocols (clients), of HTTP (http-port, " +
      "meta-http-port, data-http-port), admin-port (admin), and node-port with the links to other nodes (nodes).",
    cost: "A kind that is left out is readable on the network.",
  },
  "tls-plain-ports": {
    section: "TLS",
    type: "list",
    default: [],
    oneOf: TLS_PORT_KINDS,
    about:
      "The kinds of ports that take connections without TLS too, told apart by their first byte: for a migration, " +
      "and for clients that can't do TLS everywhere.",
    cost: "Such connections are readable on the network, and a client can be led to make one.",
  },
  "tls-node-ca-file": {
    ...FILE,
    about:
      "The authorities, PEM, that sign the certificates of this cluster's nodes; links between nodes then have TLS, " +
      `and each side shows a certificate of its own. ${RELOAD}`,
    cost: "Nothing; an authority that signs for others too is safe, since a node's certificate has to name the node.",
  },
  "tls-node-cert-file": {
    ...FILE,
    about:
      "The certificate of this node for its links, PEM, with the alternative name URI:roster://CLUSTER/NODE, or " +
      `URI:roster://CLUSTER/* for all nodes; empty means tls-cert-file. ${RELOAD}`,
    cost: "Nothing.",
  },
  "tls-node-key-file": {
    ...FILE,
    about: `The private key of tls-node-cert-file, PEM, without a passphrase. ${RELOAD}`,
    cost: "Nothing; a program that can read the file can pretend to be this node.",
  },
  "tls-min-version": {
    section: "TLS",
    type: "string",
    default: "1.2",
    oneOf: ["1.2", "1.3"],
    about: "The oldest version of TLS that is spoken.",
    cost: "With 1.3, clients on Java 8 before update 261 can't connect.",
  },
  "tls-ciphers": {
    section: "TLS",
    type: "string",
    default: CIPHERS,
    pattern: /^[A-Z0-9_-]{1,64}(:[A-Z0-9_-]{1,64}){0,63}$/,
    allowed: "names of OpenSSL, separated by colons",
    about: "The ciphers, the preferred one first; those that begin with TLS_ are of TLS 1.3.",
    cost: "An old cipher can be broken; a client that has none of them can't connect.",
  },
} as const satisfies Record<string, KeySpec>;
