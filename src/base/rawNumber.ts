// Whole numbers of 64 bits in JSON. JavaScript's own numbers are exact up to 2^53 only.

declare global {
  interface JSON {
    /** A text that `stringify` writes as it is. */
    rawJSON(text: string): object;
  }
}

/** A number, by its digits, as `JSON.stringify` writes it. */
export function rawNumber(digits: string): object {
  return JSON.rawJSON(digits);
}
