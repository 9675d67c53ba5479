// JSON values as YAML 1.2 text: block mappings and sequences, each text plain where nothing else could be read into it,
// else in double quotes, which are JSON's. Answers need no more of YAML, and a library for all of it has 700 kB.

import type { Json } from "../admin/schema.ts";
import { visible } from "../base/visible.ts";

// Not one of the indicators in front, no `: ` or ` #` inside, no blank at an end.
const PLAIN = /^[A-Za-z_/.][\w/.@+-]*(?: [\w/.@+-]+)*$/;
// Words and numbers that some reader takes for something else than a text.
const TAKEN = /^(?:true|false|yes|no|on|off|y|n|null|\.inf|\.nan|\.?\d.*|0[xo].*|[.~]+)$/i;

/** The value as a YAML document, without a line end. */
export function yamlOf(value: Json): string {
  return linesOf(value).join("\n");
}

function linesOf(value: Json): string[] {
  if (Array.isArray(value)) {
    if (value.length === 0) return ["[]"];
    return value.flatMap((each: Json) => indented("- ", linesOf(each)));
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    return entries.length === 0 ? ["{}"] : entries.flatMap(entryLines);
  }
  return [scalar(value as string | number | boolean | null)];
}

function entryLines([name, value]: readonly [string, Json]): string[] {
  const lines = linesOf(value);
  const isBlock = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  return isBlock ? [`${scalar(name)}:`, ...lines.map((line) => `  ${line}`)] : [`${scalar(name)}: ${lines[0] ?? ""}`];
}

function indented(mark: string, lines: readonly string[]): string[] {
  return lines.map((line, at) => (at === 0 ? mark : " ".repeat(mark.length)) + line);
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value !== "string") return JSON.stringify(value);
  return PLAIN.test(value) && !TAKEN.test(value) ? value : visible(JSON.stringify(value));
}
