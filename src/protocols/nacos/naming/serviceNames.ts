// The names of the services of a group.

import type { RegistryError } from "../../../base/errors.ts";
import { nameOf } from "../../../model/catalogue.ts";
import type { CatalogueScope, ServiceKey } from "../../../model/ids.ts";
import { ANY_NAME } from "../../../model/namePattern.ts";
import type { CatalogueAnswer } from "../../../registry/catalogue.ts";
import type { Registry } from "../../../registry/registry.ts";

/** In alphabetical order; undefined with the reason. Called within a step of the registry. */
export type Named = (names: readonly string[] | undefined, error: RegistryError | undefined) => void;

export interface AskedNames {
  readonly scope: CatalogueScope;
  /** Whether a name may be shown. */
  readonly sees: (serviceKey: ServiceKey) => boolean;
  readonly nowMs: number;
}

// Clients wait three seconds.
const NAMES_MS = 2_000;
// As many as a session holds.
const ENTRIES_MAX = 250_000;

export class ServiceNames {
  readonly #registry: Pick<Registry, "step">;

  constructor(registry: Pick<Registry, "step">) {
    this.#registry = registry;
  }

  /** Not within a step of the registry. */
  ask({ scope, sees, nowMs }: AskedNames, named: Named): void {
    const asker = {
      answer: (answer: CatalogueAnswer) => {
        if (answer.kind === "failed") return named(undefined, answer.error);
        const seen = answer.entries.filter(({ serviceKey }) => sees(serviceKey));
        named(seen.map(({ serviceKey }) => nameOf(serviceKey)).sort(), undefined);
      },
      changed: () => undefined,
    };
    const asked = { asker, scope, pattern: ANY_NAME, entriesMax: ENTRIES_MAX, isStanding: false } as const;
    this.#registry.step({ kind: "askedCatalogue", ...asked, untilMs: nowMs + NAMES_MS }, nowMs);
  }
}
