import { type ByteReader, ByteWriter } from "../../base/bytes.ts";

/** Bytes whose first chunk's head has been read. */
export interface ByteChunks {
  readonly input: ByteReader;
  /** Bytes of the current chunk. */
  readonly int: number;
  readonly isLastChunk: boolean;
  nextChunk(of: "bytes"): void;
}

/** All the bytes: a view of the input if they are one chunk. */
export function readBytes(chunks: ByteChunks): Uint8Array {
  const first = chunks.input.view(chunks.int);
  if (chunks.isLastChunk) return first;
  const joined = new ByteWriter(Math.max(1, first.length * 2));
  joined.bytes(first);
  while (!chunks.isLastChunk) {
    chunks.nextChunk("bytes");
    joined.bytes(chunks.input.view(chunks.int));
  }
  return joined.done();
}

/** Skips all the bytes. */
export function skipBytes(chunks: ByteChunks): void {
  chunks.input.view(chunks.int);
  while (!chunks.isLastChunk) {
    chunks.nextChunk("bytes");
    chunks.input.view(chunks.int);
  }
}
