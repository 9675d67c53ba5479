import { readFileSync } from "node:fs";
import { type ErrorDetails, fail } from "../base/errors.ts";
import type { ClusterSecret } from "../cluster/links/clusterSecret.ts";
import { hostSecrecy } from "../transport/secrecy.ts";
import type { Config } from "./config/table.ts";

// Two while a secret is exchanged; each takes a sum for each greeting.
const SECRETS_MAX = 4;
const SECRET_CHARS_MIN = 32;
const SECRET_CHARS_MAX = 512;

/** The configured secret; undefined for none. Throws CONFIG_INVALID, which never holds the secret. */
export function readClusterSecret({
  clusterSecret,
  clusterSecretFile,
  clusterSecretOptional,
}: Pick<Config, "clusterSecret" | "clusterSecretFile" | "clusterSecretOptional">): ClusterSecret | undefined {
  if (clusterSecret !== "" && clusterSecretFile !== "") {
    throw invalid("cluster-secret", { allowed: "nothing, since cluster-secret-file is set" });
  }
  const secrets = clusterSecretFile === "" ? [clusterSecret] : linesOf(clusterSecretFile);
  if (secrets[0] === "") {
    if (!clusterSecretOptional) return undefined;
    throw invalid("cluster-secret-optional", { value: true, allowed: "false, since there is no secret" });
  }
  return { secrets, isOptional: clusterSecretOptional, secrecy: hostSecrecy };
}

function linesOf(file: string): string[] {
  const lines = contentOf(file)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (lines.length === 0 || lines.length > SECRETS_MAX) {
    throw invalid("cluster-secret-file", { file, lines: lines.length, allowed: `1 to ${SECRETS_MAX} lines` });
  }
  for (const [at, line] of lines.entries()) {
    if (line.length >= SECRET_CHARS_MIN && line.length <= SECRET_CHARS_MAX) continue;
    const allowed = `${SECRET_CHARS_MIN} to ${SECRET_CHARS_MAX} characters, as openssl rand -hex 32 makes them`;
    throw invalid("cluster-secret-file", { file, line: at + 1, characters: line.length, allowed });
  }
  return lines;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw invalid("cluster-secret-file", { file, reason: error instanceof Error ? error.message : String(error) });
  }
}

function invalid(key: string, details: ErrorDetails): Error {
  return fail("CONFIG_INVALID", { key, ...details });
}
