import { hmacSha256 } from "../../../base/hmacSha256.ts";
import type { Secrecy } from "../../../base/ports.ts";
import type { ClusterSecret } from "../clusterSecret.ts";

let nonces = 0;

/** Nonces that are counted: they are new, which is all that a test needs. */
const secrecy: Secrecy = {
  nonce: () => {
    const nonce = new Uint8Array(32);
    new DataView(nonce.buffer).setUint32(0, ++nonces);
    return nonce;
  },
  hmac: (key, message) => hmacSha256(new TextEncoder().encode(key), message),
};

export function secretOf(secrets: readonly string[], { isOptional = false } = {}): ClusterSecret {
  return { secrets, isOptional, secrecy };
}
