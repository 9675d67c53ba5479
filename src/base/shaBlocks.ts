const LENGTH_BYTES = 8;

/** The bytes of a block of SHA-1 and SHA-256. */
export const SHA_BLOCK_BYTES = 64;

/** Bytes as SHA-1 and SHA-256 take them: in whole blocks, with a one, zeros, and their number in bits at the end. */
export function shaBlocks(bytes: Uint8Array): DataView {
  const blocks = Math.ceil((bytes.length + 1 + LENGTH_BYTES) / SHA_BLOCK_BYTES);
  const padded = new Uint8Array(blocks * SHA_BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - LENGTH_BYTES, BigInt(bytes.length) * 8n);
  return view;
}
