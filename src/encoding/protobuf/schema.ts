// Messages as tables: `const RESULT = schema({ success: field(1, BOOL), message: field(2, STRING) })`, whose type is
// `MessageOf<typeof RESULT>`. Absent fields have their default, and defaults are not written. A known field with
// another wire type is skipped like an unknown one; a single nested message that occurs twice is merged.

import type { WireText } from "../../base/text.ts";
import { ProtobufReader, WIRE } from "./reader.ts";
import { ProtobufWriter } from "./writer.ts";

/** A kind of value. */
export interface ValueKind<T> {
  readonly wireType: number;
  /** A default value, not shared if it can change. */
  blank(): T;
  isBlank(value: T): boolean;
  /** Reads a value; a message is read into `before`, which is otherwise ignored. */
  read(reader: ProtobufReader, before: T): T;
  write(writer: ProtobufWriter, number: number, value: T): void;
}

/** A field of a message: reads and writes itself with its number. */
export interface Field<T> {
  readonly number: number;
  readonly wireType: number;
  blank(): T;
  /** Reads one occurrence; `before` is the field's value so far. */
  read(reader: ProtobufReader, before: T): T;
  /** Writes the field, unless it holds its default. */
  write(writer: ProtobufWriter, value: T): void;
}

const NO_BYTES = new Uint8Array(0);
const NO_TEXT: WireText = { utf8: NO_BYTES, units: 0 };

/** A bool; any varint but 0 is true. */
export const BOOL: ValueKind<boolean> = {
  wireType: WIRE.VARINT,
  blank: () => false,
  isBlank: (value) => !value,
  read: (reader) => reader.bool(),
  write: (writer, number, value) => writer.bool(number, value),
};

/** An int32; negative ones take ten bytes. */
export const INT32: ValueKind<number> = {
  wireType: WIRE.VARINT,
  blank: () => 0,
  isBlank: (value) => value === 0,
  read: (reader) => reader.int32(),
  write: (writer, number, value) => writer.int32(number, value),
};

/** An int64, always bigint. */
export const INT64: ValueKind<bigint> = {
  wireType: WIRE.VARINT,
  blank: () => 0n,
  isBlank: (value) => value === 0n,
  read: (reader) => reader.int64(),
  write: (writer, number, value) => writer.int64(number, value),
};

/** Bytes; read as a view of the content. */
export const BYTES: ValueKind<Uint8Array> = {
  wireType: WIRE.BYTES,
  blank: () => NO_BYTES,
  isBlank: (value) => value.length === 0,
  read: (reader) => reader.bytes(),
  write: (writer, number, value) => writer.bytes(number, value),
};

/** A string; bytes that are not UTF-8 are refused. */
export const STRING: ValueKind<string> = {
  wireType: WIRE.BYTES,
  blank: () => "",
  isBlank: (value) => value === "",
  read: (reader) => reader.string(),
  write: (writer, number, value) => writer.string(number, value),
};

/** A string that stays bytes. */
export const TEXT: ValueKind<WireText> = {
  wireType: WIRE.BYTES,
  blank: () => NO_TEXT,
  isBlank: (value) => value.utf8.length === 0,
  read: (reader) => reader.text(),
  write: (writer, number, value) => writer.text(number, value),
};

/** A field that occurs once. */
export function field<T>(number: number, kind: ValueKind<T>): Field<T> {
  return {
    number,
    wireType: kind.wireType,
    blank: kind.blank,
    read: kind.read,
    write: (writer, value) => {
      if (!kind.isBlank(value)) kind.write(writer, number, value);
    },
  };
}

/** A nested message, null if it is absent. */
export function optional<M>(number: number, message: ValueKind<M>): Field<M | null> {
  return {
    number,
    wireType: WIRE.BYTES,
    blank: () => null,
    read: (reader, before) => message.read(reader, before ?? message.blank()),
    write: (writer, value) => {
      if (value !== null) message.write(writer, number, value);
    },
  };
}

/** A message with a single field, which stands for the message. */
export function wrapper<T>(number: number, kind: ValueKind<T>): ValueKind<T> {
  const only = field(number, kind);
  return {
    wireType: WIRE.BYTES,
    blank: kind.blank,
    isBlank: () => false,
    read: (reader, before) => reader.nested(() => readOnly(reader, only, before)),
    write: (writer, outerNumber, value) => writer.nested(outerNumber, () => only.write(writer, value)),
  };
}

function readOnly<T>(reader: ProtobufReader, only: Field<T>, before: T): T {
  let value = before;
  while (reader.nextField()) {
    if (reader.number === only.number && reader.wireType === only.wireType) value = only.read(reader, value);
    else reader.skip();
  }
  return value;
}

/** A field that occurs any number of times, or at most `max` times. */
export function repeated<T>(number: number, kind: ValueKind<T>, max = Number.POSITIVE_INFINITY): Field<readonly T[]> {
  return {
    number,
    wireType: kind.wireType,
    blank: () => [],
    read: (reader, before) => {
      if (before.length === max) throw reader.limit({ elementsMax: max });
      // The list is the one that blank() made for this message; it is not shared yet.
      (before as T[]).push(kind.read(reader, kind.blank()));
      return before;
    },
    write: (writer, values) => {
      for (const value of values) kind.write(writer, number, value);
    },
  };
}

/** As `repeated(number, wrapper(inner, TEXT))`, for long lists. */
export function repeatedTexts(number: number, inner: number): Field<readonly WireText[]> {
  return {
    ...repeated(number, wrapper(inner, TEXT)),
    write: (writer, texts) => writer.wrappedTexts(number, inner, texts),
  };
}

/** A map<string, V>. Of equal keys the last counts. */
export function mapOf<V>(number: number, kind: ValueKind<V>): Field<ReadonlyMap<string, V>> {
  return {
    number,
    wireType: WIRE.BYTES,
    blank: () => new Map<string, V>(),
    read: (reader, before) => {
      const [key, value] = reader.nested(() => readEntry(reader, kind));
      // As above: the map belongs to this message alone.
      (before as Map<string, V>).set(key, value);
      return before;
    },
    write: (writer, map) => {
      for (const [key, value] of map) {
        writer.nested(number, () => {
          writer.string(ENTRY_KEY, key);
          kind.write(writer, ENTRY_VALUE, value);
        });
      }
    },
  };
}

/** The bounds of a map of strings: its entries, and the UTF-16 units of keys and values. */
export interface StringMapLimits {
  readonly entriesMax: number;
  readonly unitsMax: number;
}

// UTF-8 takes at most three bytes for a unit; the rest is for tags and lengths.
const UNIT_BYTES_MAX = 3;
const ENTRY_BYTES = 16;

/** As `mapOf` strings, for a map that is kept: it is refused as soon as it exceeds its limits. */
export function stringMapOf(
  number: number,
  { entriesMax, unitsMax }: StringMapLimits,
): Field<ReadonlyMap<string, string>> {
  return {
    ...mapOf(number, STRING),
    read: (reader, before) => {
      const bytesMax = unitsMax * UNIT_BYTES_MAX + ENTRY_BYTES;
      const [key, value] = reader.nested(() => readEntry(reader, STRING), bytesMax);
      // As above: the map belongs to this message alone.
      const map = (before as Map<string, string>).set(key, value);
      if (map.size > entriesMax) throw reader.limit({ entriesMax });
      let units = 0;
      for (const [each, text] of map) units += each.length + text.length;
      if (units > unitsMax) throw reader.limit({ unitsMax });
      return before;
    },
  };
}

// A map's entries are messages of two fields.
const ENTRY_KEY = 1;
const ENTRY_VALUE = 2;

function readEntry<V>(reader: ProtobufReader, kind: ValueKind<V>): readonly [string, V] {
  let key = "";
  let value = kind.blank();
  while (reader.nextField()) {
    if (reader.number === ENTRY_KEY && reader.wireType === WIRE.BYTES) key = reader.string();
    else if (reader.number === ENTRY_VALUE && reader.wireType === kind.wireType) value = kind.read(reader, value);
    else reader.skip();
  }
  return [key, value];
}

type Fields = Readonly<Record<string, Field<unknown>>>;

/** The message that a table of fields describes. */
type MessageWith<F extends Fields> = { readonly [Name in keyof F]: F[Name] extends Field<infer T> ? T : never };

/** The message of a schema. */
export type MessageOf<S> = S extends Schema<infer M> ? M : never;

/** A message described by its fields. It is a kind of value itself, so that messages nest. */
export class Schema<M> implements ValueKind<M> {
  readonly wireType = WIRE.BYTES;
  readonly #fields: readonly (readonly [string, Field<unknown>])[];
  readonly #byNumber: ReadonlyMap<number, readonly [string, Field<unknown>]>;

  constructor(fields: Fields) {
    this.#fields = Object.entries(fields);
    this.#byNumber = new Map(this.#fields.map((entry) => [entry[1].number, entry]));
  }

  blank(): M {
    const message: Record<string, unknown> = {};
    for (const [name, field] of this.#fields) message[name] = field.blank();
    // Each field of the table returns its own type of blank, and M is made of these.
    return message as M;
  }

  isBlank(): boolean {
    return false;
  }

  read(reader: ProtobufReader, before: M): M {
    return reader.nested(() => this.readFields(reader, before));
  }

  write(writer: ProtobufWriter, number: number, message: M): void {
    writer.nested(number, () => this.writeFields(writer, message));
  }

  /** Reads fields into the message until it ends. */
  readFields(reader: ProtobufReader, before: M): M {
    const message = before as Record<string, unknown>;
    while (reader.nextField()) {
      const known = this.#byNumber.get(reader.number);
      if (known === undefined || known[1].wireType !== reader.wireType) reader.skip();
      else message[known[0]] = known[1].read(reader, message[known[0]]);
    }
    return before;
  }

  writeFields(writer: ProtobufWriter, message: M): void {
    const values = message as Record<string, unknown>;
    for (const [name, field] of this.#fields) field.write(writer, values[name]);
  }
}

/** Makes a schema of a table of fields. */
export function schema<const F extends Fields>(fields: F): Schema<MessageWith<F>> {
  return new Schema(fields);
}

/** Decodes a content of at most `fieldsMax` fields. Throws PROTOBUF_MALFORMED or PROTOBUF_LIMIT. */
export function decodeProtobuf<M>(schema: Schema<M>, content: Uint8Array, fieldsMax?: number): M {
  return schema.readFields(new ProtobufReader(content, fieldsMax), schema.blank());
}

/** Encodes a message into fresh memory; `bytesExpected` saves the writer from growing. */
export function encodeProtobuf<M>(schema: Schema<M>, message: M, bytesExpected?: number): Uint8Array {
  const writer = new ProtobufWriter(bytesExpected);
  schema.writeFields(writer, message);
  return writer.done();
}
