import { createHmac, randomBytes } from "node:crypto";
import type { Secrecy } from "../base/ports.ts";

const NONCE_BYTES = 32;

/** OpenSSL's. */
export const hostSecrecy: Secrecy = {
  nonce: () => new Uint8Array(randomBytes(NONCE_BYTES)),
  hmac: (key, message) => new Uint8Array(createHmac("sha256", key).update(message).digest()),
};
