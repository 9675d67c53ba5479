// The contents of pushed lists: one subscriber keeps its frames whole, and each different one is decoded once, on
// demand. The others are known by their fingerprints.

import { Buffer } from "node:buffer";
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { BoltDecoder } from "../../../src/encoding/bolt/decoder.ts";
import type { BoltFrame } from "../../../src/encoding/bolt/frame.ts";
import { decodeMessage, decodeReceivedDataBody, wireForm } from "../../../src/protocols/sofa/codec/codec.ts";
import type { Box, ReceivedData } from "../../../src/protocols/sofa/codec/messages.ts";

const FRAME_BYTES_MAX = 64 * 1024 * 1024;

/** A list as it was pushed. */
export interface PushedList {
  readonly dataId: string;
  readonly version: bigint;
  /** The payloads of all instances. */
  readonly texts: readonly string[];
  /** Bytes of the payloads and what they are packed in, before any compression. */
  readonly bytesPlain: number;
}

/** Decodes a pushed frame. Throws if it holds anything else. */
export function pushedList(bytes: Buffer): PushedList {
  const frame = oneFrame(bytes);
  const message = decodeMessage(wireForm(frame), frame.className, frame.content);
  if (message.kind !== "receivedData") throw new Error(`a push of ${message.kind}`);
  const texts = [...boxesByZone(message).values()].flat().map((box) => Buffer.from(box?.utf8 ?? []).toString("latin1"));
  const bytesPlain = message.compressed?.originBodySize ?? frame.content.length;
  return { dataId: message.dataId, version: message.version, texts, bytesPlain };
}

/** How many instances each pushed list holds, by fingerprint. */
export class PushedLists {
  readonly #known = new Map<number, Buffer | number>();

  /** Keeps a frame that has this fingerprint, unless one is known. */
  keep(fingerprint: number, frame: Buffer): void {
    if (!this.#known.has(fingerprint)) this.#known.set(fingerprint, frame);
  }

  /** Undefined if no such list was kept. */
  instances(fingerprint: number): number | undefined {
    const known = this.#known.get(fingerprint);
    if (known === undefined || typeof known === "number") return known;
    const instances = pushedList(known).texts.length;
    this.#known.set(fingerprint, instances);
    return instances;
  }
}

function boxesByZone({ compressed, data }: ReceivedData): ReadonlyMap<string, readonly Box[]> {
  if (compressed === null) return data ?? new Map();
  const { encoding, body } = compressed;
  return decodeReceivedDataBody(encoding === "zstd" ? zstdDecompressSync(body) : gunzipSync(body));
}

function oneFrame(bytes: Buffer): BoltFrame {
  const frames: BoltFrame[] = [];
  new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX }).push(bytes, (frame) => frames.push(frame));
  const [frame] = frames;
  if (frame === undefined) throw new Error("half a push");
  return frame;
}
