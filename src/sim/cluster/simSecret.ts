import { hmacSha256 } from "../../base/hmacSha256.ts";
import type { ClusterSecret } from "../../cluster/links/clusterSecret.ts";

/** The secret of worlds that have one. */
export const WORLD_SECRET = "what every node of this world knows";

/** Nonces are counted: each is new, which is all that the simulation needs, and a seed gives the same run again. */
export function simSecret(secret: string): ClusterSecret {
  let nonces = 0;
  const nonce = () => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setUint32(0, ++nonces);
    return bytes;
  };
  const hmac = (key: string, message: Uint8Array) => hmacSha256(new TextEncoder().encode(key), message);
  return { secrets: [secret], isOptional: false, secrecy: { nonce, hmac } };
}
