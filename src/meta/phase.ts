// Where a meta node is between standing by and leading.

/**
 * The node's part in its cluster. It stands by, takes over the lead of a term, for which it has to read the store, or
 * leads. While it leads it may have to read the store again.
 */
export type Phase =
  | { readonly kind: "standsBy" }
  | { readonly kind: "takesOver"; readonly term: number }
  | { readonly kind: "leads"; readonly term: number };

export const STANDS_BY: Phase = { kind: "standsBy" };
