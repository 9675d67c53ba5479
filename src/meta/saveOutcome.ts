/** The end of a save: the store has it, has refused it, or failed and may have it or not. */
export type SaveOutcome = "saved" | "refused" | "unknown";

/** The outcome by a store's answer; undefined if it failed. */
export function saveOutcome(answer: boolean | undefined): SaveOutcome {
  if (answer === undefined) return "unknown";
  return answer ? "saved" : "refused";
}
