import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseEncoding, readVariant, type Variant, variantWord } from "./variant.ts";

test("a variant is read as it was written, each time", () => {
  const variants: Variant[] = (["hessian-draft", "hessian-final", "protobuf"] as const).flatMap((form) =>
    (["plain", "gzip", "zstd"] as const).flatMap((encoding) =>
      [true, false].map((isMulti) => ({ form, encoding, isMulti })),
    ),
  );
  for (const round of [1, 2]) {
    for (const variant of variants) assert.deepEqual(readVariant(variantWord(variant)), variant, `${round}`);
  }
  assert.equal(new Set(variants.map(variantWord)).size, variants.length);
});

test("only the protobuf form is compressed, by the first wish that we have", () => {
  for (const [wishes, encoding] of [
    [null, "plain"],
    ["", "plain"],
    ["br,lz4", "plain"],
    ["br, Zstd ,gzip", "zstd"],
    ["GZIP", "gzip"],
  ] as const) {
    assert.equal(chooseEncoding("protobuf", wishes), encoding);
    assert.equal(chooseEncoding("hessian-draft", wishes), "plain");
  }
});

test("a word is read once, and each push has the same variant", () => {
  const word = variantWord({ form: "protobuf", encoding: "zstd", isMulti: true });
  assert.equal(readVariant(word), readVariant(word));
});
