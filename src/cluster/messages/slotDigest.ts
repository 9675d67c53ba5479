/**
 * A node's content of one slot, for the comparison with another node: a session's publications by their keys and
 * stamps, or the services of a catalogue by their names, versions and sizes.
 */
export interface SlotDigest {
  readonly slot: number;
  /** The number of elements. */
  readonly count: number;
  /** A sum over them: 64 bits without a sign. */
  readonly digest: bigint;
}
