// Shapes for the contents of SOFA messages, and the table of a protocol's classes.

import type { ByteReader } from "../../base/bytes.ts";
import { hessianError } from "./errors.ts";
import type { HessianReader, Read, Shape, ShapedClass } from "./reader.ts";
import type { ClassTable, HessianDialect } from "./tokenReader.ts";
import type { WrittenClass } from "./writer.ts";

/** Reads one field's value into the object under construction. */
export type ReadField<T> = (target: T, reader: HessianReader) => void;

/** The shape of a class. */
export interface ObjectShape<T> extends Shape<T> {
  readonly begins: "object";
  readonly className: string;
  /** The reading of instances that have these fields in this order. */
  compile(fieldNames: readonly string[]): Read<T>;
}

/** The parts of an object shape. */
export interface ObjectParts<T> {
  readonly className: string;
  /** An object with every field at its default, which absent fields keep. */
  readonly blank: () => T;
  readonly fields: { readonly [name: string]: ReadField<T> };
}

/** The shape of a class, by its fields' names. */
export function objectShape<T>(parts: ObjectParts<T>): ObjectShape<T> {
  // A Map, because the looked-up names come from the wire: `__proto__` must find nothing.
  const known = new Map(Object.entries(parts.fields));
  return classShape(parts.className, (fieldNames) => {
    const readings = fieldNames.map((name) => known.get(name) ?? skipField);
    return (reader) => {
      const target = parts.blank();
      for (let at = 0; at < readings.length; at++) (readings[at] as ReadField<T>)(target, reader);
      return target;
    };
  });
}

/** The shape of a class with one relevant field, which stands for the object; null if that field is absent. */
export function wrapperShape<T>(className: string, fieldName: string, read: Read<T | null>): ObjectShape<T | null> {
  return classShape(className, (fieldNames) => {
    if (fieldNames.length === 1 && fieldNames[0] === fieldName) return read;
    return (reader) => {
      let wrapped: T | null = null;
      for (const name of fieldNames) {
        if (name === fieldName) wrapped = read(reader);
        else reader.skip();
      }
      return wrapped;
    };
  });
}

function classShape<T>(className: string, compile: ObjectShape<T>["compile"]): ObjectShape<T> {
  // The reader has checked that the instance's class was compiled from this very shape, so it returns a T.
  return { begins: "object", className, compile, content: (reader) => reader.instance() as T };
}

function skipField(_target: unknown, reader: HessianReader): void {
  reader.skip();
}

/** The shape of a list of at most `max` elements. */
export function listShape<T>(element: Read<T>, max?: number): Shape<readonly T[]> {
  return { begins: "list", content: (reader) => reader.elements(element, max) };
}

/** The bounds of a map of strings: its entries, including replaced ones, and the UTF-16 units of keys and values. */
export interface StringMapLimits {
  readonly entriesMax: number;
  readonly unitsMax: number;
}

/** As `mapShape` of strings, for a map that is kept: it is refused as soon as it exceeds its limits. */
export function stringMapShape({ entriesMax, unitsMax }: StringMapLimits): Shape<ReadonlyMap<string, string>> {
  return {
    begins: "map",
    content: (reader) => {
      const map = new Map<string, string>();
      let entries = 0;
      let unitsLeft = unitsMax;
      reader.entries(() => {
        if (++entries > entriesMax) throw reader.limit({ entriesMax });
        const key = reader.shortString(unitsLeft);
        if (key === null) throw reader.wrong("a key is null");
        unitsLeft -= key.length;
        const value = reader.shortString(unitsLeft);
        if (value === null) return;
        unitsLeft -= value.length;
        map.set(key, value);
      });
      return map;
    },
  };
}

/**
 * The shape of a map with string keys. Of equal keys the last counts; entries with a null value are left out, as Java's
 * `get` can't tell them from absent ones.
 */
export function mapShape<V>(value: Read<V | null>): Shape<ReadonlyMap<string, V>> {
  return {
    begins: "map",
    content: (reader) => {
      const map = new Map<string, V>();
      reader.entries(() => {
        const key = reader.string();
        if (key === null) throw reader.wrong("a key is null");
        const read = value(reader);
        if (read !== null) map.set(key, read);
      });
      return map;
    },
  };
}

/**
 * The classes of a protocol. Definitions from its usual peers are recognised by their bytes, three times faster than by
 * reading their names; any other definition of the same classes is compiled when it arrives.
 */
export class ShapeTable implements ClassTable<ShapedClass> {
  readonly #shapes = new Map<string, ObjectShape<unknown> | undefined>();
  readonly #known = { draft: new Map<number, Recognised[]>(), final: new Map<number, Recognised[]>() };

  constructor(shapes: readonly ObjectShape<unknown>[], skipped: readonly string[], usual: readonly WrittenClass[]) {
    for (const shape of shapes) this.#shapes.set(shape.className, shape);
    for (const className of skipped) this.#shapes.set(className, undefined);
    for (const definition of usual) {
      this.#recognise("draft", definition);
      this.#recognise("final", definition);
    }
  }

  define(className: string, fieldNames: readonly string[]): ShapedClass {
    if (!this.#shapes.has(className)) throw hessianError("HESSIAN_CLASS_UNKNOWN", { className });
    const shape = this.#shapes.get(className);
    return { className, fieldNames, shape, readInstance: shape === undefined ? refuse : shape.compile(fieldNames) };
  }

  matched(input: ByteReader, dialect: HessianDialect): ShapedClass | undefined {
    for (const { bytes, definition } of this.#known[dialect].get(bucketOf(input.bytes, input.offset)) ?? []) {
      if (!startsWith(input, bytes)) continue;
      input.offset += bytes.length;
      return definition;
    }
    return undefined;
  }

  #recognise(dialect: HessianDialect, known: WrittenClass): void {
    const bytes = known.encoded[dialect].subarray(1);
    const bucket = bucketOf(bytes, 0);
    const others = this.#known[dialect].get(bucket) ?? [];
    this.#known[dialect].set(bucket, [
      ...others,
      { bytes, definition: this.define(known.className, known.fieldNames) },
    ]);
  }
}

interface Recognised {
  readonly bytes: Uint8Array;
  readonly definition: ShapedClass;
}

// The first two bytes hold the length of the class name, which tells most classes apart.
function bucketOf(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function startsWith(input: ByteReader, prefix: Uint8Array): boolean {
  if (input.remaining < prefix.length) return false;
  const { bytes, offset } = input;
  for (let at = 0; at < prefix.length; at++) if (bytes[offset + at] !== prefix[at]) return false;
  return true;
}

function refuse(reader: HessianReader): never {
  throw reader.wrong("an object of this class can only be skipped");
}
