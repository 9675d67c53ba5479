import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseEncoding, readVariant, type Variant, variantWord, wishedCompressions } from "./variant.ts";

test("a variant is read as it was written, each time", () => {
  const variants: Variant[] = (["hessian-draft", "hessian-final", "protobuf"] as const).flatMap((form) =>
    ([[], ["gzip"], ["zstd"], ["gzip", "zstd"], ["zstd", "gzip"]] as const).flatMap((compressions) =>
      [true, false].map((isMulti) => ({ form, compressions, isMulti })),
    ),
  );
  for (const round of [1, 2]) {
    for (const variant of variants) assert.deepEqual(readVariant(variantWord(variant)), variant, `${round}`);
  }
  assert.equal(new Set(variants.map(variantWord)).size, variants.length);
});

test("only the protobuf form is compressed, by the wishes that we have", () => {
  for (const [wishes, compressions] of [
    [null, []],
    ["", []],
    ["br,lz4", []],
    ["br, Zstd ,gzip,zstd", ["zstd", "gzip"]],
    ["GZIP", ["gzip"]],
  ] as const) {
    assert.deepEqual(wishedCompressions("protobuf", wishes), compressions);
    assert.deepEqual(wishedCompressions("hessian-draft", wishes), []);
  }
});

test("the first wish that the settings of the moment allow is used", () => {
  for (const [compressions, pushEncodings, encoding] of [
    [["zstd", "gzip"], ["gzip", "zstd"], "zstd"],
    [["zstd", "gzip"], ["gzip"], "gzip"],
    [["zstd"], ["gzip"], "plain"],
    [["gzip"], [], "plain"],
    [[], ["gzip"], "plain"],
  ] as const) {
    assert.equal(chooseEncoding({ compressions }, { pushCompress: true, pushEncodings }), encoding);
    assert.equal(chooseEncoding({ compressions }, { pushCompress: false, pushEncodings }), "plain");
  }
});

test("a word is read once, and each push has the same variant", () => {
  const word = variantWord({ form: "protobuf", compressions: ["zstd"], isMulti: true });
  assert.equal(readVariant(word), readVariant(word));
});
