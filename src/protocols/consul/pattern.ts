// The patterns of `matches`, tested in a time that grows with the pattern and the text only. JavaScript's own regular
// expressions try one way after another: `(a|a)*b` takes hours on a line of forty letters, and can't be stopped. Here
// all ways are followed at once, character by character, as in the expressions of Go (Thompson's construction). Single
// characters and classes are tested by JavaScript's expressions, which can't be slow about one character.

/** One step of a program. Numbers are distances to other steps. */
type Step =
  | { readonly kind: "char"; readonly test: (char: string) => boolean }
  | { readonly kind: "place"; readonly test: (chars: readonly string[], at: number) => boolean }
  | { readonly kind: "either"; readonly to: readonly [number, number] }
  | { readonly kind: "jump"; readonly to: number };

type Program = readonly Step[];

// Each character of a text takes as many steps at the most: 512 of them take some milliseconds.
const STEPS_MAX = 512;
const DEPTH_MAX = 32;

export class Pattern {
  readonly #program: Program;

  /** Throws a SyntaxError for a text that is no pattern, or one that is too large. */
  constructor(text: string) {
    this.#program = new PatternReader(text).whole();
  }

  /** Whether the pattern matches a part of the text. */
  test(text: string): boolean {
    const chars = [...text];
    const program = this.#program;
    const seenAt = new Int32Array(program.length).fill(-1);
    let active: readonly number[] = [];
    for (let at = 0; ; at++) {
      // A match may begin anywhere.
      const open = [...active, 0];
      const waiting: number[] = [];
      for (let place = open.pop(); place !== undefined; place = open.pop()) {
        const step = program[place];
        if (step === undefined) return true;
        if (seenAt[place] === at) continue;
        seenAt[place] = at;
        if (step.kind === "char") waiting.push(place);
        else open.push(...nextOf(step, place, chars, at));
      }
      const char = chars[at];
      if (char === undefined) return false;
      active = waiting.filter((place) => isMet(program[place], char)).map((place) => place + 1);
    }
  }
}

function nextOf(step: Step, place: number, chars: readonly string[], at: number): readonly number[] {
  switch (step.kind) {
    case "either":
      return step.to.map((distance) => place + distance);
    case "jump":
      return [place + step.to];
    default:
      return step.kind === "place" && step.test(chars, at) ? [place + 1] : [];
  }
}

function isMet(step: Step | undefined, char: string): boolean {
  return step?.kind === "char" && step.test(char);
}

const GROUP = /\((?:\?:|\?P?<\w+>|(?!\?))/y;
const CLASS = /\[\^?(?:[^\]\\]|\\.)+\]/sy;
const ESCAPE = /\\(?:[pP]\{[^}]*\}|x[\da-fA-F]{2}|u\{[^}]*\}|u[\da-fA-F]{4}|.)/sy;
const REPEAT = /(?:([*+?])|\{(\d{1,4})(,)?(\d{1,4})?\})\??/y;

class PatternReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Program {
    const program = this.#either(0);
    if (this.#at < this.#text.length) throw new SyntaxError("a parenthesis too many");
    return program;
  }

  #either(depth: number): Program {
    if (depth > DEPTH_MAX) throw new SyntaxError(`more than ${DEPTH_MAX} groups within each other`);
    const first = this.#all(depth);
    if (this.#take("|") === undefined) return first;
    const others = this.#either(depth);
    const jump: Step = { kind: "jump", to: others.length + 1 };
    return bounded([{ kind: "either", to: [1, first.length + 2] }, ...first, jump, ...others]);
  }

  #all(depth: number): Program {
    const steps: Step[] = [];
    while (this.#at < this.#text.length && !"|)".includes(this.#text[this.#at] ?? "")) {
      steps.push(...this.#repeated(this.#one(depth)));
      bounded(steps);
    }
    return steps;
  }

  #repeated(part: Program): Program {
    const found = this.#match(REPEAT);
    if (found === undefined) return part;
    const [, sign, least, comma, most] = found;
    const min = sign === undefined ? Number(least) : Number(sign === "+");
    const limit = comma === undefined ? min : Number.POSITIVE_INFINITY;
    const ofCount = most === undefined ? limit : Number(most);
    const max = sign === undefined ? ofCount : ({ "*": Infinity, "+": Infinity, "?": 1 }[sign] ?? 1);
    if (max < min || this.#match(REPEAT) !== undefined) throw new SyntaxError("a repetition that is none");
    return times(part, min, max);
  }

  #one(depth: number): Program {
    if (this.#match(GROUP) !== undefined) {
      const inner = this.#either(depth + 1);
      if (this.#take(")") === undefined) throw new SyntaxError("a parenthesis that is not closed");
      return inner;
    }
    const text = (this.#match(CLASS) ?? this.#match(ESCAPE))?.[0] ?? this.#char();
    switch (text) {
      case "^":
        return [{ kind: "place", test: (_chars, at) => at === 0 }];
      case "$":
        return [{ kind: "place", test: (chars, at) => at === chars.length }];
      case "\\b":
        return [{ kind: "place", test: isAtWord }];
      case "\\B":
        return [{ kind: "place", test: (chars, at) => !isAtWord(chars, at) }];
      default:
        return [{ kind: "char", test: testOf(text) }];
    }
  }

  /** A character that stands for itself, or for one of those with a meaning of their own. */
  #char(): string {
    const char = String.fromCodePoint(this.#text.codePointAt(this.#at) ?? 0);
    if ("*+?{([\\".includes(char)) throw new SyntaxError(`${char} at ${this.#at} has nothing before or after it`);
    this.#at += char.length;
    return char;
  }

  #take(char: string): string | undefined {
    if (this.#text[this.#at] !== char) return undefined;
    this.#at++;
    return char;
  }

  #match(form: RegExp): RegExpExecArray | undefined {
    form.lastIndex = this.#at;
    const found = form.exec(this.#text) ?? undefined;
    if (found !== undefined) this.#at = form.lastIndex;
    return found;
  }
}

/** The test of one character by a class, an escape, a dot or a character. Throws a SyntaxError. */
function testOf(text: string): (char: string) => boolean {
  if (text.length > 1 || text === ".") {
    const form = new RegExp(`^${text}$`, "u");
    return (char) => form.test(char);
  }
  return (char) => char === text;
}

function isAtWord(chars: readonly string[], at: number): boolean {
  const isWord = (char: string | undefined) => char !== undefined && /^\w$/.test(char);
  return isWord(chars[at - 1]) !== isWord(chars[at]);
}

function times(part: Program, min: number, max: number): Program {
  const isEndless = max === Number.POSITIVE_INFINITY;
  const copies = isEndless ? min + 1 : max;
  if (copies * (part.length + 2) > STEPS_MAX) throw tooLarge();
  const steps: Step[] = [];
  for (let at = 0; at < min; at++) steps.push(...part);
  if (isEndless) {
    return [...steps, { kind: "either", to: [1, part.length + 2] }, ...part, { kind: "jump", to: -part.length - 1 }];
  }
  for (let at = min; at < max; at++) steps.push({ kind: "either", to: [1, part.length + 1] }, ...part);
  return steps;
}

function bounded(program: Program): Program {
  if (program.length > STEPS_MAX) throw tooLarge();
  return program;
}

function tooLarge(): SyntaxError {
  return new SyntaxError(`more than ${STEPS_MAX} steps`);
}
