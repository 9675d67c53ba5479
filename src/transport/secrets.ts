import { createHash, createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import type { Secrets } from "../base/ports.ts";

/** Cryptography by Node. */
export const hostSecrets: Secrets = {
  random: (bytes) => randomBytes(bytes).toString("base64url"),
  sha256: (text) => createHash("sha256").update(text).digest("base64url"),
  hmacSha256: (key, text) => createHmac("sha256", key).update(text).digest("base64"),
  scrypt: (password, { costLog2, blocks, parallel, salt, bytes }) =>
    new Promise((resolve, reject) => {
      const N = 2 ** costLog2;
      // The most that it may take: twice what these costs need.
      const options = { N, r: blocks, p: parallel, maxmem: 256 * N * blocks * parallel };
      scrypt(password.normalize("NFC"), Buffer.from(salt, "base64url"), bytes, options, (error, hash) =>
        error === null ? resolve(hash.toString("base64url")) : reject(error),
      );
    }),
  isEqual(a, b) {
    // Of equal length whatever the texts are.
    const [one, other] = [a, b].map((text) => createHash("sha256").update(text).digest());
    return one !== undefined && other !== undefined && timingSafeEqual(one, other);
  },
};
