// As much of protobuf as the peers' few messages need.

import { Buffer } from "node:buffer";

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** A field that holds a message, bytes or a text. */
export function bytesField(number: number, value: Uint8Array | string): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + BYTES), varint(bytes.length), bytes]);
}

/** A field that holds a number that is not negative. */
export function numberField(number: number, value: number | bigint): Buffer {
  return Buffer.concat([varint(number * 8 + VARINT), varint(value)]);
}

export function message(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields);
}

/** One field of a message: its number, and its value as a number or as a view of the message. */
export interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Buffer;
}

const NO_BYTES = Buffer.alloc(0);

/** The fields of a message in their order. Numbers beyond 2^53 are not exact. */
export function* fieldsOf(bytes: Buffer): Generator<Field> {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = next();
    const number = Math.floor(tag / 8);
    const kind = tag % 8;
    if (kind === VARINT) {
      yield { number, value: next(), bytes: NO_BYTES };
    } else if (kind === BYTES) {
      const length = next();
      yield { number, value: 0, bytes: bytes.subarray(at, at + length) };
      at += length;
    } else if (kind === FIXED64 || kind === FIXED32) {
      at += kind === FIXED64 ? 8 : 4;
    } else {
      throw new Error(`protobuf field of kind ${kind}`);
    }
  }
}

/** The number in a field of a message, 0 if it is not there. */
export function numberIn(bytes: Buffer, number: number): number {
  for (const field of fieldsOf(bytes)) if (field.number === number) return field.value;
  return 0;
}

/** The bytes in a field of a message, none if it is not there. */
export function bytesIn(bytes: Buffer, number: number): Buffer {
  for (const field of fieldsOf(bytes)) if (field.number === number) return field.bytes;
  return NO_BYTES;
}

function varint(value: number | bigint): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}
