// A node's copy of the identities and policies on its disk, so that a node that is restarted while the store and all
// meta nodes are away still knows who may do what. It has hashes of secrets, and is readable by its user only.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AccessSet } from "../../access/accessSet.ts";
import { type AccessTold, readTold, writeTold } from "../../access/accessTold.ts";
import type { Log } from "../../base/ports.ts";

const FILE = "access.json";

/** The copy; undefined without one, and for one that can't be read. */
export function readAccessFile(dataDir: string, log: Log): AccessTold | undefined {
  const file = join(dataDir, FILE);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing) log.warn("the copy of identities and policies can't be read", { file, reason: String(error) });
    return undefined;
  }
  const told = readTold(text);
  if (told === undefined)
    log.warn("the copy of identities and policies is damaged; a meta node will tell them", { file });
  return told;
}

/** Replaces the copy as a whole. */
export function writeAccessFile(dataDir: string, set: AccessSet, log: Log): void {
  const file = join(dataDir, FILE);
  try {
    writeFileSync(`${file}.new`, writeTold({ epoch: set.epoch, change: set.asChange() }), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  } catch (error) {
    log.warn("the copy of identities and policies can't be written", { file, reason: String(error) });
  }
}
