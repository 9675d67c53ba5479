// Cryptography of simulated nodes: real hashes, and secrets that are counted, so that a seed gives the same run again.

import { base64 } from "../../base/base64.ts";
import { fail } from "../../base/errors.ts";
import { hmacSha256 } from "../../base/hmacSha256.ts";
import type { Secrets } from "../../base/ports.ts";
import { sha256Hex } from "../../base/sha256.ts";

/** No password is checked: that takes a tenth of a second on a real machine, and nothing in a simulated one. */
export function simSecrets(): Secrets {
  let made = 0;
  return {
    random(bytes) {
      const counted = new Uint8Array(bytes);
      new DataView(counted.buffer).setUint32(0, ++made);
      return base64url(counted);
    },
    sha256: (text) => base64url(bytesOf(sha256Hex(utf8(text)))),
    hmacSha256: (key, text) => base64(hmacSha256(utf8(key), utf8(text))),
    scrypt: () => Promise.reject(fail("CREDENTIALS_REFUSED", { kind: "user" })),
    isEqual: (a, b) => a === b,
  };
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from({ length: hex.length / 2 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}

function base64url(bytes: Uint8Array): string {
  return base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
