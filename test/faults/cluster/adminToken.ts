// The token with which the suite reads from the nodes' ports for operators: it asks from another host than the nodes',
// where nothing is read without one.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FOLDER = mkdtempSync(join(tmpdir(), "roster-faults-token-"));
process.once("exit", () => rmSync(FOLDER, { recursive: true, force: true }));

export const ADMIN_TOKEN = randomBytes(32).toString("hex");

/** The file with the token, for all nodes. */
export const ADMIN_TOKEN_FILE = join(FOLDER, "admin-token");

writeFileSync(ADMIN_TOKEN_FILE, ADMIN_TOKEN, { mode: 0o600 });
