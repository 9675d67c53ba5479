import { fail } from "../base/errors.ts";

/** Reads the value of a flag. Throws FIELD_INVALID. */
export function readWholeNumber(field: string, text: string, { min, max }: { min: number; max: number }): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw fail("FIELD_INVALID", { field, value: text, expected: `a whole number, ${min} to ${max}` });
}
