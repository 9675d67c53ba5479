// Tokens that a node knows without any record. The one of operators at this machine is made anew at each start, and
// kept in the data directory, readable by the node's user only. A program that reads the node's files can do everything
// with the node anyway. The other one is in a file that operators name.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECRET_BYTES, tokenOf } from "../../access/secretForm.ts";
import { fail } from "../../base/errors.ts";
import { hostSecrets } from "../../transport/secrets.ts";

const FILE = "admin-token";

export interface LocalToken {
  readonly token: string;
  /** Removes the file. May be called twice. */
  close(): void;
}

// A short one could be guessed.
const CONFIGURED_TOKEN = /^[\x21-\x7e]{32,1024}$/;

/** The token in admin-token-file; undefined if the setting is empty. Throws CONFIG_INVALID. */
export function readConfiguredToken(file: string): string | undefined {
  if (file === "") return undefined;
  const key = "admin-token-file";
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (error) {
    throw fail("CONFIG_INVALID", { key, value: file, reason: String(error) });
  }
  if (CONFIGURED_TOKEN.test(text)) return text;
  const allowed = "a file with one token of 32 to 1024 printable characters, as `openssl rand -hex 32` makes it";
  throw fail("CONFIG_INVALID", { key, value: file, allowed });
}

/** Makes the token. Throws DATA_DIR_UNUSABLE. */
export function makeLocalToken(dataDir: string): LocalToken {
  const file = join(dataDir, FILE);
  const token = tokenOf(hostSecrets.random(SECRET_BYTES));
  try {
    // A file that is there keeps its mode, so it is made anew.
    rmSync(file, { force: true });
    writeFileSync(file, `${token}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    throw fail("DATA_DIR_UNUSABLE", { file, reason: String(error) });
  }
  return { token, close: () => rmSync(file, { force: true }) };
}
