// A planted bug, and the way in which it must be found.

/** A change of one file, relative to the repository: `find` must occur exactly once in it. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

interface Bug extends Edit {
  readonly name: string;
}

/** A bug that seeds find. */
interface BySeed extends Bug {
  /** The rules by which it may be found: whichever is broken first in the seed that breaks it. */
  readonly rules: readonly string[];
  /**
   * Where to begin, for a bug that shows in few seeds only; 1 unless said otherwise. It saves time and nothing else:
   * the seed that finds it is one that CI runs, and all up to CI's last one are tried.
   */
  readonly firstSeed?: number;
  /** Needs several sessions and data nodes to show. */
  readonly isCluster?: boolean;
  /** Shows in tight worlds. */
  readonly isTight?: boolean;
  /** Shows in worlds with clients of the ordered tree. */
  readonly isTree?: boolean;
}

/** A bug that this scenario finds, by its expectations or by a rule: few seeds, or none, draw what it needs. */
export interface ByScenario extends Bug {
  readonly scenario: string;
}

/** One planted bug. */
export type Plant = BySeed | ByScenario;
