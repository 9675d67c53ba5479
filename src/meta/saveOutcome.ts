import type { RegistryError } from "../base/errors.ts";
import type { CommitOutcome } from "../records/records.ts";

/** The end of a commit as the role hears of it. `failed`: it was not made, and another try would fail, too. */
export type CommitResult =
  | CommitOutcome
  | { readonly kind: "failed"; readonly error: RegistryError }
  | { readonly kind: "unknown" };

/**
 * The end of a save: the store has it, has refused it, can't have it, or failed and may have it or not. A refusal means
 * that another lease is in force, or that the store holds something else than what was read.
 */
export type SaveOutcome = "saved" | "refused" | "failed" | "unknown";

/** The meaning of a commit's end for the saved state. */
export function saveOutcome({ kind }: CommitResult): SaveOutcome {
  return kind === "committed" ? "saved" : kind;
}
