// Fields common to several of the protocol's Hessian classes.

import type { HessianReader, Read, Shape } from "../../../encoding/hessian/reader.ts";
import { listShape, mapShape, type ReadField, stringMapShape, wrapperShape } from "../../../encoding/hessian/shape.ts";
import { DATA_BOX, SCOPE_ENUM_CLASS } from "./hessianClasses.ts";
import { ABSENT_LIST, type BaseRegister, type Box, type Result } from "./messages.ts";
import { REGISTER_LIMITS } from "./registerLimits.ts";

/** A message while its fields are filled in. */
export type Filling<T> = { -readonly [Key in keyof T]: T[Key] };

/** ScopeEnum, as its constant's name. */
export const scopeEnum = wrapperShape<string>(SCOPE_ENUM_CLASS, "name", (reader) => reader.string());
/** A DataBox, as its text; a box without data reads as null. */
export const dataBox = wrapperShape<NonNullable<Box>>(DATA_BOX.className, "data", (reader) => reader.text());

/** The boxes of one zone. */
const boxes = listShape<Box>((reader) => reader.value(dataBox));
/** A publisher's boxes. */
export const publishedBoxes = listShape<Box>((reader) => reader.value(dataBox), REGISTER_LIMITS.boxesMax);
/** Boxes by zone. */
export const boxesByZone = mapShape((reader) => reader.value(boxes));
/** Numbers of addresses by zone. */
export const counts = mapShape((reader) => reader.int());
/** A registration's attributes. */
export const attributes = stringMapShape({
  entriesMax: REGISTER_LIMITS.attributesMax,
  unitsMax: REGISTER_LIMITS.attributeCharsMax,
});
/** A list of strings, without nulls. */
export const strings = listShape(required);

function required(reader: HessianReader): string {
  const value = reader.string();
  if (value === null) throw reader.wrong("a null among strings");
  return value;
}

/** A list that may be null. */
export function orEmpty<T>(reader: HessianReader, shape: Shape<readonly T[]>): readonly T[] {
  return reader.value(shape) ?? ABSENT_LIST;
}

/** A scope, sent as a string or as an enum constant. */
export const readScope: Read<string | null> = (reader) => reader.stringOrEnum(scopeEnum);

type Named = Filling<Pick<BaseRegister, "dataId" | "group" | "instanceId" | "version">>;

/** Fields that name the service or key of a message. */
export const NAMED: { readonly [name: string]: ReadField<Named> } = {
  dataId: (target, reader) => {
    target.dataId = reader.string() ?? "";
  },
  group: (target, reader) => {
    target.group = reader.string() ?? "";
  },
  instanceId: (target, reader) => {
    target.instanceId = reader.string();
  },
  version: (target, reader) => {
    target.version = reader.long() ?? 0n;
  },
};

/** The first fields of every answer. */
export const ANSWER: { readonly [name: string]: ReadField<Filling<Pick<Result, "success" | "message">>> } = {
  success: (target, reader) => {
    target.success = reader.boolean();
  },
  message: (target, reader) => {
    target.message = reader.string();
  },
};
