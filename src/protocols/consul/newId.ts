import type { Secrets } from "../../base/ports.ts";
import { fromBase64 } from "./base64.ts";

const BYTES = 15;

/** A random id in the form of a UUID of version 4. */
export function newId({ random }: Pick<Secrets, "random">): string {
  // Fifteen bytes are twenty letters without padding; the version takes the place of half a byte.
  const bytes = fromBase64(random(BYTES).replaceAll("-", "+").replaceAll("_", "/")) ?? new Uint8Array(BYTES);
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{3})(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
}
