import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyedHash } from "./keyedHash.ts";
import { hashOfKey, RegistKey, textOfKey, UUID, u32At } from "./registKey.ts";

const UUID_TEXT = "01234567-89ab-cdef-0123-456789abcdef";

/** A key that has read this registId, of this service. */
function keyOf(text: string, service = 1): RegistKey {
  const key = new RegistKey(new KeyedHash({ next: () => 0.5 }));
  key.read(text, service);
  return key;
}

const backOf = ({ form, bytes, length }: RegistKey): string => textOfKey(form, bytes, 0, length);

test("every registId comes back as it was", () => {
  const long = "é".repeat(10_000);
  for (const text of ["", "r1", UUID_TEXT, "\u007f", "\u0080", "ä", "lone \ud800", "nul \0", long, "x".repeat(5_000)]) {
    assert.equal(backOf(keyOf(text)), text);
  }
});

test("a UUID in its usual form takes sixteen bytes, ASCII one a character, anything else two", () => {
  assert.deepEqual([keyOf(UUID_TEXT).form, keyOf(UUID_TEXT).length], [UUID, 16]);
  for (const text of [
    UUID_TEXT.toUpperCase(),
    UUID_TEXT.replace("-", "x"),
    UUID_TEXT.replace("a", "g"),
    UUID_TEXT.replace("b", "-"),
    `${UUID_TEXT.slice(0, 13)}x${UUID_TEXT.slice(14)}`,
    `${UUID_TEXT.slice(0, 18)}x${UUID_TEXT.slice(19)}`,
    `${UUID_TEXT.slice(0, 23)}x${UUID_TEXT.slice(24)}`,
    `${UUID_TEXT.slice(0, -1)}:`,
  ]) {
    assert.notEqual(keyOf(text).form, UUID, text);
    assert.deepEqual([keyOf(text).length, backOf(keyOf(text))], [36, text]);
  }
  assert.equal(keyOf(UUID_TEXT.replace("a", "ä")).length, 72);
  assert.equal(keyOf("ab").length, 2);
});

test("a key that is read again holds what was read last", () => {
  const key = keyOf("a long registId, longer than the next one");
  const hash = key.hash;
  key.read("r1", 1);
  assert.equal(backOf(key), "r1");
  key.read("r1", 2);
  assert.notEqual(key.hash, keyOf("r1", 1).hash, "of another service");
  key.read("a long registId, longer than the next one", 1);
  assert.equal(key.hash, hash);
});

test("the hash of a stored key is that of the key, wherever it lies", () => {
  const keyed = new KeyedHash({ next: () => 0.5 });
  for (const text of ["", "r", "r1234", UUID_TEXT, "äöü"]) {
    const { form, bytes, length, hash } = keyOf(text, 7);
    const stored = new Uint8Array(length + 5);
    stored.set(bytes.subarray(0, length), 3);
    assert.equal(hashOfKey(keyed, { service: 7, form, bytes: stored, start: 3, length }), hash, text);
  }
});

test("keys that differ in one byte, in length or in form have other hashes", () => {
  const hashes = ["", "\0", "\0\0", "\0\0\0\0", "a", "b", "aaaaa", "aaaab", "baaaa", "\u00e4", UUID_TEXT].map(
    (text) => keyOf(text).hash,
  );
  assert.equal(new Set(hashes).size, hashes.length);
});

test("four bytes are a number, the lowest first", () => {
  assert.equal(u32At(Uint8Array.of(9, 1, 2, 3, 0xff), 1), 0xff030201);
});
