import { readFileSync } from "node:fs";

/** The version of this program. */
export function packageVersion(): string {
  // As src/server/packageVersion.ts and as dist/server/packageVersion.js, the file stands two folders below
  // package.json.
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
