// Proofs: passwords and tokens, made and checked. Cryptography is a port, so nothing here reaches the host.

import type { Secrets } from "../base/ports.ts";
import type { AccessSet } from "./accessSet.ts";
import { type Identity, isOver } from "./identity.ts";
import {
  clientKeySecret,
  isToken,
  PASSWORD_COST,
  readPasswordHash,
  SECRET_BYTES,
  tokenOf,
  tokenSecret,
  writePasswordHash,
} from "./secretForm.ts";

/** A secret that is shown once, and the form in which it is kept. */
export interface NewSecret {
  readonly shown: string;
  readonly secret: string;
}

export function newToken(secrets: Secrets): NewSecret {
  const shown = tokenOf(secrets.random(SECRET_BYTES));
  return { shown, secret: tokenSecret(secrets.sha256(shown)) };
}

export function newClientKey(secrets: Secrets): NewSecret {
  const shown = secrets.random(SECRET_BYTES);
  return { shown, secret: clientKeySecret(shown) };
}

/** The form in which a password is kept. */
export async function hashPassword(password: string, secrets: Secrets): Promise<string> {
  const salt = secrets.random(SECRET_BYTES);
  const cost = { ...PASSWORD_COST, salt, bytes: SECRET_BYTES };
  return writePasswordHash({ ...PASSWORD_COST, salt, hash: await secrets.scrypt(password, cost) });
}

/** The identity that a token proves; undefined for none. */
export function identityOfToken(set: AccessSet, token: string, secrets: Secrets, nowMs: number): Identity | undefined {
  if (!isToken(token)) return undefined;
  const secret = tokenSecret(secrets.sha256(token));
  const identity = set.identityOfToken(secret);
  if (identity === undefined || !secrets.isEqual(identity.secret, secret)) return undefined;
  return set.worthOf(identity, nowMs);
}

/**
 * The user that a name and a password prove; undefined for none. It takes as long for a name that there is not, so the
 * time does not tell which names there are.
 */
export async function identityOfUser(
  set: AccessSet,
  { name, password }: { readonly name: string; readonly password: string },
  secrets: Secrets,
  nowMs: number,
): Promise<Identity | undefined> {
  const identity = set.identity(name);
  const known = readPasswordHash(identity?.secret ?? "");
  const { costLog2, blocks, parallel, salt, hash } = known ?? NO_USER;
  const found = await secrets.scrypt(password, { costLog2, blocks, parallel, salt, bytes: SECRET_BYTES });
  const isProved = secrets.isEqual(found, hash) && known !== undefined;
  return isProved && identity !== undefined && !isOver(identity, nowMs) ? identity : undefined;
}

const ZEROS = "A".repeat(43);
const NO_USER = { ...PASSWORD_COST, salt: ZEROS, hash: ZEROS };
