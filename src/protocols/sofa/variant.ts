// The encoding of pushes for one subscriber: the form in which it registered, the compression that it understands, and
// whether it takes all data centers in one message. The session only compares variants, so each is a word.

import type { WireForm } from "./codec/messages.ts";

export type PushEncoding = "plain" | "gzip" | "zstd";

export interface Variant {
  readonly form: WireForm;
  readonly encoding: PushEncoding;
  readonly isMulti: boolean;
}

/** The word for a variant. */
export function variantWord({ form, encoding, isMulti }: Variant): string {
  return `${form} ${encoding}${isMulti ? " multi" : ""}`;
}

// There are eighteen words in all; each push reads one.
const read = new Map<string, Variant>();

/** The variant of a word that `variantWord` made. */
export function readVariant(word: string): Variant {
  const known = read.get(word);
  if (known !== undefined) return known;
  const variant = parse(word);
  read.set(word, variant);
  return variant;
}

function parse(word: string): Variant {
  const [form, encoding, multi] = word.split(" ");
  return { form: form as WireForm, encoding: encoding as PushEncoding, isMulti: multi === "multi" };
}

/**
 * The compression for a subscriber: the first of its comma-separated wishes that we have. Only the protobuf form can
 * carry it; the real server never compresses for Hessian clients either.
 */
export function chooseEncoding(form: WireForm, acceptEncoding: string | null): PushEncoding {
  if (form !== "protobuf" || acceptEncoding === null) return "plain";
  for (const wish of acceptEncoding.split(",")) {
    const name = wish.trim().toLowerCase();
    if (name === "gzip" || name === "zstd") return name;
  }
  return "plain";
}
