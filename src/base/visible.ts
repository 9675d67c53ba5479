// Text that strangers chose, as it is shown to people: in logs, in refusals, in answers of HTTP and on a terminal.

// Control characters (C0 and C1: U+009B begins a terminal's command) forge lines and move cursors, format characters
// (Cf: bidi overrides, zero-width ones) show one name as another, line and paragraph separators break lines, and lone
// surrogates have no UTF-8.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Surrogate}]/gu;
// Nearly every text is printable ASCII: it is told in one pass, without the tables of Unicode.
const PLAIN = /^[ -~]*$/;

/**
 * The text with every character that is not seen as itself written as `\u009b`; in a JSON text it stays the same value.
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
