// The order of keys, and ranges of them. Keys are ordered by their bytes of UTF-8, which is the order of code points.
// JavaScript compares UTF-16 units, which differs only between surrogates and the units above them.

import type { KeyRange } from "./records.ts";

/** The keys that begin with `prefix`; all keys for an empty one. */
export function keysWith(prefix: string): KeyRange {
  return { from: prefix, to: endOf(prefix) };
}

/** The one key. */
export function keyAlone(key: string): KeyRange {
  return { from: key, to: keyAfter(key) };
}

/** The place right after a key, as the beginning of the next page. No key contains NUL. */
export function keyAfter(key: string): string {
  return `${key}\0`;
}

/** Negative if `a` comes first, 0 if they are the same. */
export function compareKeys(a: string, b: string): number {
  const units = Math.min(a.length, b.length);
  for (let at = 0; at < units; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Whether the key is in the range. */
export function isIn({ from, to }: KeyRange, key: string): boolean {
  return compareKeys(from, key) <= 0 && (to === "" || compareKeys(key, to) < 0);
}

const SURROGATES_BEGIN = 0xd800;
const SURROGATES_END = 0xe000;
const CODE_POINT_MAX = 0x10ffff;

// Units above the surrogates take their place, and these come last.
function rank(unit: number): number {
  if (unit < SURROGATES_BEGIN) return unit;
  return unit < SURROGATES_END ? unit + 0x2000 : unit - 0x800;
}

// The first text that is above all texts with this beginning: its last character that has a next one, made that one.
function endOf(prefix: string): string {
  const characters = [...prefix];
  for (let last = characters.pop(); last !== undefined; last = characters.pop()) {
    const code = last.codePointAt(0) ?? 0;
    if (code === CODE_POINT_MAX) continue;
    const next = code + 1 === SURROGATES_BEGIN ? SURROGATES_END : code + 1;
    return characters.join("") + String.fromCodePoint(next);
  }
  return "";
}
