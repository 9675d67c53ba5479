// Mutual TLS between the nodes of a cluster: one certificate, good for each of its nodes.

import type { TestCertificates } from "../../../src/transport/testing/certificates.ts";

/** The environment of nodes that believe only each other. Their ports for clients stay as they are. */
export function mutualTlsOf(certificates: TestCertificates): Readonly<Record<string, string>> {
  const { cert, key } = certificates.issue({ name: "node", names: "URI:roster://default/*" });
  return {
    ROSTER_TLS_PORTS: "nodes",
    ROSTER_TLS_NODE_CA_FILE: certificates.ca,
    ROSTER_TLS_NODE_CERT_FILE: cert,
    ROSTER_TLS_NODE_KEY_FILE: key,
  };
}
