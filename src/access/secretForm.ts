// Secrets as they are kept. A password is easy to guess, so its hash is made slow (scrypt, with a salt and its costs
// before it). A token has 256 random bits, which can't be guessed, so one round of SHA-256 is enough, and it is found
// by it. The secret of a client key is needed as it is, to check what clients sign with it: it is kept in clear.

import type { IdentityKind } from "./principal.ts";

// 32 MiB and some 80 ms of work for each guess.
const COST_LOG2 = 15;
const BLOCKS = 8;
const PARALLEL = 1;
/** The bytes of salts, hashes and tokens. */
export const SECRET_BYTES = 32;

/** A password's hash with the costs that it was made with. */
export interface PasswordHash {
  readonly costLog2: number;
  readonly blocks: number;
  readonly parallel: number;
  /** In base64url, as all of these. */
  readonly salt: string;
  readonly hash: string;
}

export const PASSWORD_COST = { costLog2: COST_LOG2, blocks: BLOCKS, parallel: PARALLEL } as const;

const BYTES_32 = "[A-Za-z0-9_-]{43}";
// Higher costs than these would be an attack on the node that checks them.
const SCRYPT = new RegExp(`^scrypt:(1[0-7]):([1-9]|1[0-6]):([1-4]):(${BYTES_32}):(${BYTES_32})$`);
const SHA256 = new RegExp(`^sha256:(${BYTES_32})$`);
const CLEAR = new RegExp(`^key:(${BYTES_32})$`);
/** A token as its owner has it. A fixed beginning lets scanners of source code find one that was left there. */
const TOKEN = new RegExp(`^roster_${BYTES_32}$`);

/** The kind of identity that a secret is for; undefined for any other text. */
export function secretKindOf(secret: string): IdentityKind | undefined {
  if (SCRYPT.test(secret)) return "user";
  if (SHA256.test(secret)) return "token";
  return CLEAR.test(secret) ? "clientKey" : undefined;
}

export function writePasswordHash({ costLog2, blocks, parallel, salt, hash }: PasswordHash): string {
  return `scrypt:${costLog2}:${blocks}:${parallel}:${salt}:${hash}`;
}

/** Undefined for any other text. */
export function readPasswordHash(secret: string): PasswordHash | undefined {
  const [, costLog2, blocks, parallel, salt = "", hash = ""] = SCRYPT.exec(secret) ?? [];
  if (costLog2 === undefined) return undefined;
  return { costLog2: Number(costLog2), blocks: Number(blocks), parallel: Number(parallel), salt, hash };
}

/** The secret of a token, from its digest in base64url. */
export function tokenSecret(digest: string): string {
  return `sha256:${digest}`;
}

/** A token in the form that its owner has it, from random bytes in base64url. */
export function tokenOf(random: string): string {
  return `roster_${random}`;
}

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** The secret of a client key, from random bytes in base64url. */
export function clientKeySecret(random: string): string {
  return `key:${random}`;
}

/** The text that clients sign with; undefined for another kind of secret. */
export function clientKeyOf(secret: string): string | undefined {
  return CLEAR.exec(secret)?.[1];
}
