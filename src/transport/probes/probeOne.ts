import type { Cancel } from "../../base/ports.ts";
import type { Probe, ProbeOutcome } from "../../base/probes.ts";
import type { PinnedAddress } from "./pinnedAddress.ts";

/** How one kind of probe is made: returns what ends it. `done` may be called more than once; the first call counts. */
export type ProbeOne<P extends Probe> = (
  probe: P,
  at: PinnedAddress,
  options: { readonly timeoutMs: number; readonly done: (outcome: ProbeOutcome) => void },
) => Cancel;

/** The words for a failed connection: the code of the system, and nothing that the other side has sent. */
export function failureOf(what: string, error: NodeJS.ErrnoException): ProbeOutcome {
  return { result: "critical", output: `${what}: ${error.code ?? "failed"}` };
}
