// The newest revision that this process has seen. A database that fails over to a copy may have lost the last commits,
// although they were acknowledged. Nothing of such a copy is used until the process asks for the lead: then the lead is
// given anew, so that a leader loads everything again, and the revision continues above everything seen. Without that a
// revision could be given twice, and a condition be met by a change that it does not mean.

import { fail, type RegistryError } from "../base/errors.ts";

export class Witness {
  #seen = 0n;

  /** The newest revision that was seen. Answers may overtake each other: keep the one from before a question. */
  get revision(): bigint {
    return this.#seen;
  }

  /**
   * The store has answered with its newest revision. Throws STORE_UNAVAILABLE if it is a copy that is behind what was
   * seen before the question.
   */
  check(revision: bigint, seenBefore: bigint): void {
    if (revision < seenBefore) throw this.refusal(revision);
    this.note(revision);
  }

  /** This revision was acknowledged. */
  note(revision: bigint): void {
    if (revision > this.#seen) this.#seen = revision;
  }

  /** The error for a store at this revision. */
  refusal(revision: bigint): RegistryError {
    return fail("STORE_UNAVAILABLE", {
      reason: "the store has lost changes that it had acknowledged, as after a fail-over to a copy that lagged behind",
      revision,
      seen: this.#seen,
    });
  }
}
