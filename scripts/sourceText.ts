// Source files as the checks see them. They look for words in code, so comments and the insides of strings must be out
// of the way; everything keeps its place, so that line numbers stay true. This is no parser: it knows where comments,
// strings, templates and regular expressions begin and end, which formatted code makes plain enough.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";

/** One file of the repository. Paths are relative to its root, with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const FOLDERS_SKIPPED = new Set(["node_modules", "dist", "target", ".git", "testdata"]);

/** All files under `root/folder` whose name ends in one of `endings`; none if there is no such folder. */
export function readSources(root: string, folder: string, endings: readonly string[]): SourceFile[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  const paths = entries
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep))
    .filter((parts) => !parts.some((part) => FOLDERS_SKIPPED.has(part)));
  return paths.map((parts) => ({ path: parts.join("/"), text: readFileSync(join(root, ...parts), "utf8") }));
}

/** The line, counted from 1, that the character at `offset` stands in. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}

const BEFORE_REGEX = String.raw`(?:^|[(,=:[!&|?{};+*%<>~^]|=>|\breturn|\btypeof|\bcase)`;
const REGEX_BODY = String.raw`(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])`;

// Alternatives in the order in which they are tried at each place. A slash begins a regular expression only where a
// value may stand: after an operator or an opening bracket, or after a word such as `return`.
const TOKEN = new RegExp(
  [
    String.raw`(?<comment>\/\/[^\n]*|\/\*[\s\S]*?\*\/)`,
    String.raw`(?<string>"(?:\\[\s\S]|[^"\\\n])*"|'(?:\\[\s\S]|[^'\\\n])*')`,
    String.raw`(?<regex>(?<=${BEFORE_REGEX}\s*)\/(?![*/])${REGEX_BODY}+\/[a-z]*)`,
    "(?<template>`)",
  ].join("|"),
  "g",
);

/** The text with comments blanked out; strings stay. */
export function withoutComments(text: string): string {
  return mask(text, ["comment"]);
}

/** The text with comments and the insides of strings, templates and regular expressions blanked out. */
export function codeOnly(text: string): string {
  return mask(text, ["comment", "string", "regex", "template"]);
}

/** The comments alone; everything else is blanked out. */
export function commentsOnly(text: string): string {
  const code = withoutComments(text);
  let comments = "";
  for (let at = 0; at < text.length; at++) {
    const unit = text.charAt(at);
    comments += unit === "\n" || unit !== code.charAt(at) ? unit : " ";
  }
  return comments;
}

type Kind = "comment" | "string" | "regex" | "template";

function mask(text: string, kinds: readonly Kind[]): string {
  const parts: string[] = [];
  let at = 0;
  TOKEN.lastIndex = 0;
  for (let found = TOKEN.exec(text); found !== null; found = TOKEN.exec(text)) {
    const kind = kindOf(found);
    const end = kind === "template" ? templateEnd(text, found.index) : TOKEN.lastIndex;
    const token = text.slice(found.index, end);
    parts.push(text.slice(at, found.index), kinds.includes(kind) ? blank(token, kind) : token);
    at = end;
    TOKEN.lastIndex = end;
  }
  return parts.join("") + text.slice(at);
}

function kindOf(found: RegExpExecArray): Kind {
  const { comment, string, regex } = found.groups ?? {};
  if (comment !== undefined) return "comment";
  if (string !== undefined) return "string";
  return regex === undefined ? "template" : "regex";
}

/** Keeps the quotes, so that a blanked string is still one, and the line breaks. */
function blank(token: string, kind: Kind): string {
  if (kind === "comment") return token.replace(/[^\n]/g, " ");
  return token.slice(0, 1) + token.slice(1, -1).replace(/[^\n]/g, " ") + token.slice(-1);
}

/** The end of the template that begins at `start`. The content of its `${}` is part of it. */
function templateEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "`") return at + 1;
    else if (text.startsWith("${", at)) at = placeholderEnd(text, at + 2);
  }
  return text.length;
}

function placeholderEnd(text: string, start: number): number {
  let depth = 1;
  for (let at = start; at < text.length; at++) {
    const sign = text[at];
    if (sign === "`") at = templateEnd(text, at) - 1;
    else if (sign === '"' || sign === "'") at = Math.max(text.indexOf(sign, at + 1), at);
    else if (sign === "{") depth++;
    else if (sign === "}" && --depth === 0) return at;
  }
  return text.length;
}
