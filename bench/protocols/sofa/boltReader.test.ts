import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { encodeRequest, encodeResponse } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import { BoltReader, SUBSCRIBER_PREFIX } from "./boltReader.ts";

interface Saw {
  readonly id: number;
  readonly fingerprint: number;
  readonly whole: string | undefined;
}

function push(id: number, { size, registId, version }: { size: number; registId: string; version: string }): Buffer {
  const content = Buffer.from(`${version}${"x".repeat(size)}${registId}`);
  return Buffer.from(encodeRequest(BOLT_V1, { id, timeoutMs: 1_000, codec: 1, className: "Push", content }));
}

function readAll(stream: Buffer, chunkBytes: number, keepsWhole = false): Saw[] {
  const saw: Saw[] = [];
  const reader = new BoltReader(
    (frame) =>
      saw.push({ id: frame.id, fingerprint: frame.fingerprint(), whole: frame.whole?.subarray(-4).toString() }),
    { keepsWhole },
  );
  // One buffer for all reads, as a socket has it.
  const buffer = Buffer.alloc(chunkBytes);
  for (let at = 0; at < stream.length; at += chunkBytes) {
    const length = stream.copy(buffer, 0, at, Math.min(stream.length, at + chunkBytes));
    reader.read(buffer.subarray(0, length));
  }
  return saw;
}

const registId = (number: number): string => SUBSCRIBER_PREFIX + String(number).padStart(12, "0");

test("a push has one fingerprint for all receivers and for every way in which it is cut", () => {
  for (const size of [0, 900, 1_500, 5_000, 200_000]) {
    const prints = new Set<number>();
    for (const [number, chunkBytes] of [1, 2, 3, 21, 22, 23, 511, 1_000, 65_536, 1_000_000].entries()) {
      if (size > 10_000 && chunkBytes < 20) continue;
      const one = push(number, { size, registId: registId(number), version: "1" });
      const answer = Buffer.from(
        encodeResponse(BOLT_V1, { id: 7, status: 0, codec: 1, className: "Ok", content: Buffer.from("yes") }),
      );
      const saw = readAll(Buffer.concat([answer, one, answer, one]), chunkBytes);
      assert.deepEqual(
        saw.map(({ id }) => id),
        [7, number, 7, number],
      );
      for (const at of [1, 3]) prints.add(saw[at]?.fingerprint ?? 0);
    }
    assert.equal(prints.size, 1, `a push of ${size} bytes`);
  }
});

test("another version, another length, another fingerprint", () => {
  const prints = [
    { size: 5_000, version: "1" },
    { size: 5_000, version: "2" },
    { size: 5_001, version: "1" },
  ].map((kind) => readAll(push(1, { ...kind, registId: registId(1) }), 64)[0]?.fingerprint);
  assert.equal(new Set(prints).size, 3);
});

test("a reader that keeps whole frames has all of each", () => {
  const frames = [10, 70_000].map((size) => push(1, { size, registId: registId(size % 7), version: "1" }));
  for (const chunkBytes of [1_000, 1_000_000]) {
    const tails = readAll(Buffer.concat(frames), chunkBytes, true).map(({ whole }) => whole);
    assert.deepEqual(
      tails,
      [registId(3), registId(0)].map((id) => id.slice(-4)),
    );
  }
});
