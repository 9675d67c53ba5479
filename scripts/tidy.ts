// House rules that are text, not grammar: what Biome cannot see, or sees only in part. Each rule says what to do
// instead. (Length of functions, number of parameters, clocks and timers outside the ports, `any`, `!` and the like are
// Biome's; see biome.json.)

import { codeOnly, commentsOnly, lineAt, readSources, type SourceFile } from "./sourceText.ts";

const FILE_LINES_MAX = 500;
const LINE_CHARS_MAX = 120;

interface Rule {
  readonly name: string;
  readonly advice: string;
  readonly applies: (path: string) => boolean;
  readonly pattern: RegExp;
  /** The searched part: the code alone, the comments alone, or the whole text with comments and strings. */
  readonly where: "code" | "comments" | "text";
}

const isTest = (path: string): boolean => path.endsWith(".test.ts");
const isUnitTest = (path: string): boolean =>
  isTest(path) && (!path.startsWith("test/") || path.startsWith("test/unit/"));
const isSource = (path: string): boolean => path.startsWith("src/") && path.endsWith(".ts") && !isTest(path);
const isTypeScript = (path: string): boolean => path.endsWith(".ts");
// This file and its test must name what they look for.
const isNotTidy = (path: string): boolean => !/^scripts\/tidy(\.test)?\.ts$/.test(path);

const RULES: readonly Rule[] = [
  {
    name: "loose end",
    advice: "link the issue that will do it, on the same line, or do it now",
    applies: (path) => isTypeScript(path) && isNotTidy(path),
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b(?!.*https?:\/\/)/g,
    where: "text",
  },
  {
    name: "sleep in a unit test",
    advice: "use the virtual clock, or await the event itself; real time belongs to test/",
    applies: isUnitTest,
    pattern: /\bsetTimeout\s*\(|\bsetInterval\s*\(|\bnode:timers\/promises/g,
    where: "code",
  },
  {
    name: "sleep in a unit test",
    advice: "use the virtual clock, or await the event itself; real time belongs to test/",
    applies: (path) => isUnitTest(path) && isNotTidy(path),
    pattern: /from "(?:node:)?timers\/promises"/g,
    where: "text",
  },
  {
    name: "test that does not run",
    advice: "fix it or delete it",
    applies: isTest,
    pattern: /\b(?:test|it|describe|suite|t|context)\.(?:skip|only|todo)\b|\b(?:skip|only|todo): *true\b/g,
    where: "code",
  },
  {
    name: "rejection nobody waits for",
    advice: "await it, or the test ends before it can fail",
    applies: isTest,
    pattern: /^\s*assert\.(?:rejects|doesNotReject)\(/gm,
    where: "code",
  },
  {
    name: "empty catch",
    advice: "handle it, map it to a RegistryError, or do not catch it",
    applies: isTypeScript,
    pattern: /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}|\.catch\(\s*\(\w*\)\s*=>\s*\{\s*\}\s*\)/g,
    where: "code",
  },
  {
    name: "plain Error",
    advice: 'what the world does wrong is fail("CODE", { ... }), what we do wrong is assert',
    applies: isSource,
    pattern: /\bnew (?:Error|TypeError|RangeError)\(/g,
    where: "code",
  },
  {
    name: "comment without its subject",
    advice: 'name the subject instead of "whoever", "nobody", "whom" or a leading "Who" or "What" (STYLE.md)',
    applies: isSource,
    // Only the first word of a sentence has a capital.
    pattern: /\b(?:whoever|nobody|whom)\b|\b(?:Whoever|Nobody|Whom|Who|What)\b/g,
    where: "comments",
  },
  {
    name: "path of one machine",
    advice: "say it relative to the repository, or take it as an argument",
    applies: isNotTidy,
    pattern: /(?<![\w.:/-])\/(?:work|home|root|Users)\/[\w.-]/g,
    where: "text",
  },
];

/** Everything in the tree that goes against the house rules: `path:line: rule: advice`. */
export function tidy(root: string): string[] {
  const code = ["src", "scripts", "test", "bench"].flatMap((folder) => readSources(root, folder, [".ts"]));
  const texts = ["docs", ".ci"].flatMap((folder) => readSources(root, folder, [".md", "run"]));
  return [...code, ...texts].flatMap((file) => [
    ...sizeFaults(file),
    ...RULES.flatMap((rule) => ruleFaults(rule, file)),
  ]);
}

function sizeFaults({ path, text }: SourceFile): string[] {
  if (!isTypeScript(path)) return [];
  const lines = text.split("\n");
  const faults = lines.flatMap((line, at) => {
    if (line.length <= LINE_CHARS_MAX || isUnbreakable(line)) return [];
    return [`${path}:${at + 1}: ${line.length} characters: break the line at ${LINE_CHARS_MAX}`];
  });
  if (lines.length - 1 > FILE_LINES_MAX) {
    faults.push(`${path}: ${lines.length - 1} lines: split the file, ${FILE_LINES_MAX} is the most`);
  }
  return faults;
}

/** A link, or one long text that stands alone: broken up, it could not be found by searching. */
function isUnbreakable(line: string): boolean {
  return /https?:\/\//.test(line) || /^\s*(?:[\w"-]+: )?(["'`]).*\1[,;)]*$/.test(line);
}

function ruleFaults(rule: Rule, { path, text }: SourceFile): string[] {
  if (!rule.applies(path)) return [];
  const searched = partOf(text, rule.where);
  return [...searched.matchAll(rule.pattern)].map((found) => {
    const line = lineAt(searched, found.index + found[0].search(/\S/));
    return `${path}:${line}: ${rule.name}: ${rule.advice}`;
  });
}

function partOf(text: string, where: Rule["where"]): string {
  if (where === "text") return text;
  return where === "code" ? codeOnly(text) : commentsOnly(text);
}

if (import.meta.main) {
  const faults = tidy(new URL("..", import.meta.url).pathname);
  for (const fault of faults) console.error(fault);
  console.log(`tidy: ${faults.length} faults`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}
