/** A pause of the arrangement of slots: they stay where they are, except those of nodes that are gone or leave. */
export interface SlotPause {
  /** The operator who set it, in words. */
  readonly setBy: string;
  /** Empty if none was given. */
  readonly reason: string;
  readonly sinceMs: number;
}
