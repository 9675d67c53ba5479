// The layout of a record in its cell. Words of four bytes, by their number:
//
//   0  length in units, padding behind the body, form of the registId, marks, level
//   1  number of the service        2  next record of the service        3  the one before
//   4  version (8 bytes)            6  registeredMs (8 bytes)
//   8  number of the owner          9  number of the profile
//  10  body: the number of the base if the payload is a difference; the length of the registId unless it is a UUID; the
//      registId; the payload up to the end
//
// A body that is too long for a cell lies in an array of its own; the cell then holds only its number.

import type { KeyForm } from "./registKey.ts";
import { UNIT_BYTES, UNITS_MASK } from "./slabs.ts";

/** The number of the service, in the second word of a record. */
export const SERVICE_WORD = 1;
/** The next record of the same service. */
export const NEXT_WORD = 2;
/** The record before this one of the same service. */
export const BEFORE_WORD = 3;
/** Of 8 bytes. */
export const VERSION_LONG = 2;
/** The time of the registration, in milliseconds: a double at 24 bytes. */
export const TIME_DOUBLE = 3;
/** The number of the owner in the table of owners. */
export const OWNER_WORD = 8;
/** The number of the profile in the table of profiles. */
export const PROFILE_WORD = 9;
/** The first word of the body: the number of a base, or of a large body. */
export const BODY_WORD = 10;
const BODY_BYTE = BODY_WORD * 4;
/** The bytes of a number at the beginning of a body. */
export const NUMBER_BYTES = 4;

/** The longest cell: at most this much is lost at the end of a slab, and moving one takes microseconds. */
export const BODY_BYTES_MAX = 16 * 1024;

// The head word, above the 16 bits of the length. The two highest bits mark a free cell, or a base.
const PADDING_SHIFT = 16;
const FORM_SHIFT = 19;
const IS_DIFFERENCE = 1 << 21;
const IS_LARGE = 1 << 22;
const LEVEL_SHIFT = 23;
const LEVEL_MASK = 0x7f;

/** The content of a record's first word, apart from its length. */
export interface RecordShape {
  readonly form: KeyForm;
  readonly isDifference: boolean;
  readonly isLarge: boolean;
  /** The publication's share of its service's list (model/listBytes.ts). */
  readonly level: number;
}

/** The units of a cell for a body of this many bytes. */
export function unitsFor(bodyBytes: number): number {
  return Math.ceil((BODY_BYTE + bodyBytes) / UNIT_BYTES);
}

/** The first word of a record: its size and its marks. */
export function headOf(units: number, bodyBytes: number, shape: RecordShape): number {
  const padding = units * UNIT_BYTES - BODY_BYTE - bodyBytes;
  const marks = (shape.isDifference ? IS_DIFFERENCE : 0) | (shape.isLarge ? IS_LARGE : 0);
  return units | (padding << PADDING_SHIFT) | (shape.form << FORM_SHIFT) | marks | (shape.level << LEVEL_SHIFT);
}

/** The level of the publication's share of its service's list (model/listBytes.ts). */
export function levelOf(head: number): number {
  return (head >>> LEVEL_SHIFT) & LEVEL_MASK;
}

/** The size of a record in units of 8 bytes. */
export function unitsOf(head: number): number {
  return head & UNITS_MASK;
}

/** The form in which the registId is kept. */
export function formOf(head: number): KeyForm {
  return ((head >>> FORM_SHIFT) & 3) as KeyForm;
}

/** Whether the body is a difference to that of another record. */
export function isDifference(head: number): boolean {
  return (head & IS_DIFFERENCE) !== 0;
}

/** Whether the body lies in an array of its own. */
export function isLarge(head: number): boolean {
  return (head & IS_LARGE) !== 0;
}

/** The offset of the body in its slab, in bytes, for the record at `unit`. */
export function bodyStart(unit: number): number {
  return unit * UNIT_BYTES + BODY_BYTE;
}

/** The offset of the end of the body in its slab, in bytes. */
export function bodyEnd(unit: number, head: number): number {
  return (unit + unitsOf(head)) * UNIT_BYTES - ((head >>> PADDING_SHIFT) & 7);
}
