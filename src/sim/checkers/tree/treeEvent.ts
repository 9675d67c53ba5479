// The actions of clients of the tree, in their own words: simulated ones, and real processes (test/faults/tree). Times
// are of one clock that never jumps.

interface Row {
  readonly client: string;
  /** When it asked, and when it was answered; without an answer, when it lost the connection. */
  readonly fromMs: number;
  readonly toMs: number;
}

export type TreeEvent =
  /** `lost`: the connection went before the answer; it may have been made. */
  | (Row & {
      readonly kind: "write";
      readonly register: string;
      readonly value: string;
      /** The version that it may replace; -1 for any. */
      readonly expected: number;
      readonly outcome: "done" | "refused" | "lost";
      /** If it is done. */
      readonly version?: number;
    })
  | (Row & {
      readonly kind: "read";
      readonly register: string;
      readonly value: string;
      readonly version: number;
      /** Counts the client's connections. */
      readonly connection: number;
      /** After a `sync` of the same connection, which was asked for at `fromMs`. */
      readonly isSynced: boolean;
    })
  /** A sequential node was made. */
  | (Row & { readonly kind: "created"; readonly sequence: number })
  /** The client held the lock, until it gave it up or lost its connection. */
  | (Row & { readonly kind: "held" });
