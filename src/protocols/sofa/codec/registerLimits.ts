/**
 * The bounds of one registration. Its decoders stop at these bounds, so that a refused frame costs no more than a legal
 * one. They are not settings: anything beyond them is a mistake or an attack.
 */
export const REGISTER_LIMITS = {
  /** Real publishers have one box, some a dozen; each box costs every push of the service a microsecond. */
  boxesMax: 1_000,
  /** Attributes carry access keys and flags: a handful of short strings. */
  attributesMax: 64,
  /** UTF-16 units of all attributes, keys included. */
  attributeCharsMax: 8_192,
  /**
   * Hessian tokens or protobuf fields. A box takes up to three, the other fields and their class some fifty, and a text
   * of 4 MiB may come in a thousand chunks.
   */
  valuesMax: 8_000,
} as const;
