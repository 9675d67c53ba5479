// Questions about lists, for queries and for the first answer to a subscriber.

import type { RegistryError } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { NO_VERSION } from "../../../model/version.ts";
import type { QueryAnswer, Registry, ServiceView } from "../../../registry/registry.ts";

/** Called once, within a step of the registry. The view is valid during the call. */
export type Listed = (view: ServiceView | undefined, error: RegistryError | undefined) => void;

// Clients wait three seconds for an answer.
const LIST_MS = 2_000;

/** Asks for the newest list of a service. Not within a step of the registry. */
export function askList(
  registry: Pick<Registry, "step">,
  { serviceKey, nowMs }: { readonly serviceKey: ServiceKey; readonly nowMs: number },
  listed: Listed,
): void {
  const asker = {
    answer: (answer: QueryAnswer) => {
      if (answer.kind === "list") listed(answer.view, undefined);
      else listed(undefined, answer.error);
    },
  };
  registry.step({ kind: "asked", asker, serviceKey, since: NO_VERSION, untilMs: nowMs + LIST_MS }, nowMs);
}
