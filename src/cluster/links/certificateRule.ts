// A certificate on a link names the node that may show it, by an alternative name of its own: a cluster's authority may
// sign other certificates too, and none of them makes a node.

import type { PeerCertificate } from "../../base/ports.ts";
import { type NodeId, nodeNameOf } from "../../model/ids.ts";

/** Stands for every node of the cluster, for one certificate that all of them share. */
const EVERY_NODE = "*";

/** The alternative name of a node's certificate: `roster://shop/data-1`. */
export function certificateNameOf(clusterName: string, node: string): string {
  return `roster://${encodeURIComponent(clusterName)}/${node}`;
}

/** The reason why a certificate does not belong to a node, with the remedy; undefined if it does. */
export function certificateRefusal(
  { names, subject }: Pick<PeerCertificate, "names" | "subject">,
  { clusterName, node }: { readonly clusterName: string; readonly node: NodeId },
): string | undefined {
  const name = nodeNameOf(node);
  const wanted = [name, EVERY_NODE].map((each) => certificateNameOf(clusterName, each));
  if (wanted.some((uri) => names.includes(`URI:${uri}`))) return undefined;
  return (
    `the certificate ${subject} is not that of ${name}: ` +
    `it needs the alternative name URI:${wanted[0]}, or URI:${wanted[1]} for all nodes`
  );
}
