// Text chosen by strangers, made safe to show to people: in logs, refusals, HTTP answers and on a terminal.

// Control characters (C0 and C1: U+009B begins a terminal's command) forge lines and move cursors, format characters
// (Cf: bidi overrides, zero-width ones) show one name as another, line and paragraph separators break lines, and lone
// surrogates have no UTF-8.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;
// Nearly every text is printable ASCII. One pass finds that out, without the tables of Unicode.
const PLAIN = /^[ -~]*$/;

/**
 * The text with every invisible or misleading character written as `\u009b`; in a JSON text the value stays the same.
 */
export function visible(text: string): string {
  return PLAIN.test(text) ? text : text.replace(INVISIBLE, escaped);
}

function escaped(character: string): string {
  let escapes = "";
  for (let at = 0; at < character.length; at++) {
    escapes += `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`;
  }
  return escapes;
}
