// The question of a gateway about its clients: may this one, with this proof or none, do that with this service?

import type { ServiceAction } from "../../access/policy.ts";
import type { ServiceKey } from "../../model/ids.ts";

/** A signature as a client's protocol carries it. */
export interface ClientProof {
  /** The name of the client key. */
  readonly accessKey: string;
  /** The hash of the signature; empty for HmacSHA256. */
  readonly algorithm: string;
  /** When it was signed: milliseconds since 1970, as a text. */
  readonly timestamp: string;
  /** In base64. */
  readonly signature: string;
  /** The text that was signed. */
  readonly text: string;
}

export interface AskedClient {
  /** The host that the client comes from. */
  readonly from: string;
  readonly action: ServiceAction;
  readonly serviceKey: ServiceKey;
  /** Undefined: the client gives none. */
  readonly proof: ClientProof | undefined;
}

export interface ClientAccess {
  /** Throws CREDENTIALS_REFUSED, CREDENTIALS_NEEDED or PERMISSION_NEEDED. Takes microseconds. */
  check(asked: AskedClient): void;
}
