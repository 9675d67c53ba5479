// The encoding of pushes for one subscriber: the form in which it registered, the compressions that it understands, and
// whether it takes all data centers in one message. The session only compares variants, so each is a word.

import type { WireForm } from "./codec/messages.ts";

/** The compressions that SOFARegistry's clients know. */
export const PUSH_COMPRESSIONS = ["zstd", "gzip"] as const;
export type PushCompression = (typeof PUSH_COMPRESSIONS)[number];
export type PushEncoding = "plain" | PushCompression;

export interface Variant {
  readonly form: WireForm;
  /** The compressions that the client understands, the best first. Which of them is used is a setting. */
  readonly compressions: readonly PushCompression[];
  readonly isMulti: boolean;
}

/** The word for a variant. */
export function variantWord({ form, compressions, isMulti }: Variant): string {
  return `${form} ${compressions.join() || "plain"}${isMulti ? " multi" : ""}`;
}

// There are thirty words in all; each push reads one.
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
  const [form, names = "", multi] = word.split(" ");
  return { form: form as WireForm, compressions: names.split(",").filter(isCompression), isMulti: multi === "multi" };
}

/**
 * The compressions of a subscriber's comma-separated wishes that we have, in their order. Only the protobuf form can
 * carry one; the real server never compresses for Hessian clients either.
 */
export function wishedCompressions(form: WireForm, acceptEncoding: string | null): readonly PushCompression[] {
  if (form !== "protobuf" || acceptEncoding === null) return [];
  const wishes = acceptEncoding.split(",").map((wish) => wish.trim().toLowerCase());
  return [...new Set(wishes.filter(isCompression))];
}

/** The settings that decide about compressions. */
export interface CompressionSettings {
  readonly pushCompress: boolean;
  /** Those that may be used. */
  readonly pushEncodings: readonly PushCompression[];
}

/** The encoding for a subscriber under the present settings. */
export function chooseEncoding(
  { compressions }: Pick<Variant, "compressions">,
  { pushCompress, pushEncodings }: CompressionSettings,
): PushEncoding {
  if (!pushCompress) return "plain";
  return compressions.find((compression) => pushEncodings.includes(compression)) ?? "plain";
}

function isCompression(name: string): name is PushCompression {
  return PUSH_COMPRESSIONS.some((compression) => compression === name);
}
