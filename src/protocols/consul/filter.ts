// `filter=`: expressions of go-bexpr over the rows of an answer, as Consul 1.22 takes them: ==, !=, in, not in,
// contains, not contains, is empty, is not empty, matches, not matches, and, or, not, parentheses. A selector names a
// field by its path, with dots or `["key"]`; a list of rows within it is met by any of them.

import { consulRefusal } from "./errors.ts";
import { Pattern } from "./pattern.ts";

export type Predicate = (row: unknown) => boolean;

type Operator = "==" | "!=" | "contains" | "not contains" | "empty" | "not empty" | "matches" | "not matches";

const TEXT_CHARS_MAX = 4_096;
const DEPTH_MAX = 64;

/** The predicate of an expression. Throws a ConsulError with status 500, as Consul answers bad filters. */
export function parseFilter(text: string): Predicate {
  if (text.length > TEXT_CHARS_MAX) throw bad(`an expression has ${TEXT_CHARS_MAX} characters at most`);
  const parser = new Parser(tokensOf(text));
  const predicate = parser.either(0);
  parser.end();
  return predicate;
}

function bad(reason: string): Error {
  return consulRefusal(500, `Failed to create boolean expression evaluator: ${reason}`);
}

interface Token {
  readonly kind: "word" | "text" | "sign";
  readonly text: string;
  readonly at: number;
}

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|(==|!=|[()[\]])|([^\s()[\]"`=!]+))/gy;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  let at = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [, quoted, sign, word] = match;
    if (quoted !== undefined) tokens.push({ kind: "text", text: unquoted(quoted), at });
    else if (sign !== undefined) tokens.push({ kind: "sign", text: sign, at });
    else tokens.push({ kind: "word", text: word ?? "", at });
    at = TOKEN.lastIndex;
  }
  if (text.slice(at).trim() !== "") throw bad(`unexpected ${JSON.stringify(text.slice(at, at + 20))} at ${at}`);
  return tokens;
}

function unquoted(text: string): string {
  if (text.startsWith("`")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    throw bad(`the string ${text.slice(0, 100)} has an escape that is none`);
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  end(): void {
    const left = this.#tokens[this.#at];
    if (left !== undefined) throw bad(`unexpected ${JSON.stringify(left.text)} at ${left.at}`);
  }

  either(depth: number): Predicate {
    const parts = [this.#all(depth)];
    while (this.#takes("or")) parts.push(this.#all(depth));
    return (row) => parts.some((part) => part(row));
  }

  #all(depth: number): Predicate {
    const parts = [this.#one(depth)];
    while (this.#takes("and")) parts.push(this.#one(depth));
    return (row) => parts.every((part) => part(row));
  }

  #one(depth: number): Predicate {
    if (depth > DEPTH_MAX) throw bad(`more than ${DEPTH_MAX} parentheses within each other`);
    if (this.#takes("not")) {
      const inner = this.#one(depth + 1);
      return (row) => !inner(row);
    }
    if (this.#takes("(")) {
      const inner = this.either(depth + 1);
      this.#expect(")");
      return inner;
    }
    return this.#comparison();
  }

  #comparison(): Predicate {
    const first = this.#next("a selector or a value");
    // `value in selector` turns the two around.
    if (first.kind === "text" || this.#isBefore("in")) {
      const isNot = this.#takes("not");
      this.#expect("in");
      const path = this.#path(this.#next("a selector"));
      return tested(path, isNot ? "not contains" : "contains", first.text);
    }
    const path = this.#path(first);
    if (this.#takes("is")) {
      const isNot = this.#takes("not");
      this.#expect("empty");
      return tested(path, isNot ? "not empty" : "empty", "");
    }
    const isNot = this.#takes("not");
    const sign = this.#next("an operator").text;
    const operator = isNot ? `not ${sign}` : sign;
    if (!isOperator(operator)) throw bad(`unknown operator ${JSON.stringify(operator)}`);
    return tested(path, operator, this.#next("a value").text);
  }

  /** `value in …` and `value not in …`, unless the word is a selector. */
  #isBefore(word: string): boolean {
    const [next, after] = [this.#tokens[this.#at]?.text, this.#tokens[this.#at + 1]?.text];
    return next === word || (next === "not" && after === word);
  }

  #path(first: Token): readonly string[] {
    if (first.kind !== "word") throw bad(`expected a selector, not ${JSON.stringify(first.text)}`);
    const path = first.text.split(".");
    while (this.#takes("[")) {
      path.push(this.#next("a key").text);
      this.#expect("]");
      const more = this.#tokens[this.#at];
      if (more?.kind === "word" && more.text.startsWith(".")) {
        this.#at++;
        path.push(...more.text.slice(1).split("."));
      }
    }
    if (path.includes("")) throw bad(`the selector ${JSON.stringify(first.text)} has an empty part`);
    return path;
  }

  #takes(text: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.kind === "text" || token.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#takes(text))
      throw bad(`expected ${JSON.stringify(text)} before ${JSON.stringify(this.#tokens[this.#at]?.text ?? "the end")}`);
  }

  #next(expected: string): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined || (token.kind === "sign" && !isOperator(token.text))) throw bad(`expected ${expected}`);
    this.#at++;
    return token;
  }
}

const OPERATORS: ReadonlySet<string> = new Set(["==", "!=", "contains", "not contains", "matches", "not matches"]);

function isOperator(text: string): text is Operator {
  return OPERATORS.has(text);
}

function tested(path: readonly string[], operator: Operator, value: string): Predicate {
  const pattern = operator.endsWith("matches") ? patternOf(value) : undefined;
  const test = (found: unknown): boolean => {
    switch (operator) {
      case "==":
        return isSame(found, value);
      case "!=":
        return !isSame(found, value);
      case "contains":
        return hasIn(found, value);
      case "not contains":
        return !hasIn(found, value);
      case "empty":
        return isEmpty(found);
      case "not empty":
        return !isEmpty(found);
      case "matches":
        return typeof found === "string" && pattern?.test(found) === true;
      case "not matches":
        return !(typeof found === "string" && pattern?.test(found) === true);
    }
  };
  return (row) => foundAt(row, path, 0, test);
}

/** Whether the test holds for what stands at the path; for a list on the way, for any of its rows. */
function foundAt(value: unknown, path: readonly string[], at: number, test: (found: unknown) => boolean): boolean {
  const name = path[at];
  if (name === undefined) return test(value);
  if (Array.isArray(value)) return value.some((row) => foundAt(row, path, at, test));
  if (typeof value !== "object" || value === null) return test(undefined);
  const entry = Object.entries(value).find(([key]) => key === name);
  if (entry !== undefined) return foundAt(entry[1], path, at + 1, test);
  // The keys of maps (Meta, TaggedAddresses) are any; those of rows are known.
  if (at > 0) return test(undefined);
  throw bad(`Selector ${JSON.stringify(path.join("."))} is not valid`);
}

function isSame(found: unknown, value: string): boolean {
  if (typeof found === "number") return found === Number(value);
  if (typeof found === "boolean") return String(found) === value.toLowerCase();
  return typeof found === "string" && found === value;
}

function hasIn(found: unknown, value: string): boolean {
  if (Array.isArray(found)) return found.some((item) => isSame(item, value));
  if (typeof found === "string") return found.includes(value);
  return typeof found === "object" && found !== null && Object.hasOwn(found, value);
}

function isEmpty(found: unknown): boolean {
  if (found === undefined || found === null || found === "") return true;
  if (Array.isArray(found)) return found.length === 0;
  return typeof found === "object" && Object.keys(found).length === 0;
}

function patternOf(text: string): Pattern {
  try {
    return new Pattern(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw bad(`failed to compile the pattern ${JSON.stringify(text.slice(0, 100))}: ${error.message.slice(0, 200)}`);
  }
}
