// Breaks comments that run past the line width, which Biome leaves alone. Only a paragraph that has such a line is set
// anew; tables, lists and everything that fits stay as they were written.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSources } from "./sourceText.ts";

const LINE_CHARS_MAX = 120;

/** The text with its overlong comments broken. */
export function wrapComments(text: string): string {
  const lines = text.split("\n").flatMap(openDocComment);
  const wrapped: string[] = [];
  for (let at = 0; at < lines.length; ) {
    const end = paragraphEnd(lines, at);
    wrapped.push(...wrapParagraph(lines.slice(at, end)));
    at = end;
  }
  return wrapped.join("\n");
}

/** A one-line doc comment that is too long becomes one of several lines. */
function openDocComment(line: string): string[] {
  const [, indent, content] = /^(\s*)\/\*\* (.*) \*\/$/.exec(line) ?? [];
  if (content === undefined || line.length <= LINE_CHARS_MAX) return [line];
  return [`${indent}/**`, `${indent} * ${content}`, `${indent} */`];
}

// A comment line: its indent with the comment sign, and plain prose behind it. A list item, a table row or an indented
// line begins with something else than a word and is no prose.
const PROSE = /^(\s*(?:\/\/|\*) )([\w"'`(].*)$/;

/** The end of the run of prose lines with one comment sign that begins at `start`; at least one line. */
function paragraphEnd(lines: readonly string[], start: number): number {
  const sign = PROSE.exec(lines[start] ?? "")?.[1];
  let end = start + 1;
  while (sign !== undefined && PROSE.exec(lines[end] ?? "")?.[1] === sign) end++;
  return end;
}

function wrapParagraph(lines: readonly string[]): readonly string[] {
  const sign = PROSE.exec(lines[0] ?? "")?.[1];
  if (sign === undefined || lines.every((line) => line.length <= LINE_CHARS_MAX)) return lines;
  const words = lines.flatMap((line) => line.slice(sign.length).trim().split(/\s+/));
  const wrapped: string[] = [];
  let line = sign.trimEnd();
  for (const word of words) {
    const isFull = line.length + 1 + word.length > LINE_CHARS_MAX && line.length > sign.length;
    if (isFull) wrapped.push(line);
    line = isFull ? sign + word : `${line} ${word}`;
  }
  return [...wrapped, line];
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  for (const { path, text } of ["src", "scripts", "test", "bench"].flatMap((folder) =>
    readSources(root, folder, [".ts"]),
  )) {
    const wrapped = wrapComments(text);
    if (wrapped !== text && readFileSync(join(root, path), "utf8") === text) writeFileSync(join(root, path), wrapped);
  }
}
