// How clients prove who they are: `digest`, with a user and a password. Any password proves an identity, that of its
// digest; rights are given to digests.

import { base64 } from "../../base/base64.ts";
import { sha1 } from "../../base/sha1.ts";
import { type AuthId, SUPER_SCHEME } from "../../records/tree/acl.ts";

const DECODER = new TextDecoder("utf-8");

/** Credentials as text. */
export function textOf(credentials: Uint8Array): string {
  return DECODER.decode(credentials);
}

/** The identity of `user:password`, as ZooKeeper's DigestAuthenticationProvider makes it. */
export function digestOf(credentials: Uint8Array): string {
  const [user = ""] = textOf(credentials).split(":", 1);
  return `${user}:${base64(sha1(credentials))}`;
}

/** The identities that an auth request proves; undefined: it names a scheme that is not served. */
export function provedBy(scheme: string, credentials: Uint8Array, superDigest: string): readonly AuthId[] | undefined {
  // Clients name their address by it, and it proves nothing.
  if (scheme === "ip") return [];
  if (scheme !== "digest") return undefined;
  const id = digestOf(credentials);
  const proved = { scheme, id };
  return superDigest !== "" && superDigest === id ? [proved, { scheme: SUPER_SCHEME, id: "" }] : [proved];
}

/** The identities of a connection before it proves any. */
export function idsOf(host: string, subject: string | undefined): AuthId[] {
  const from = { scheme: "ip", id: host };
  return subject === undefined ? [from] : [from, { scheme: "x509", id: subject }];
}
