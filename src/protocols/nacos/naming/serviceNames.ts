// The names of the services of a group.

import type { RegistryError } from "../../../base/errors.ts";
import { isInScope, nameOf } from "../../../model/catalogue.ts";
import type { CatalogueScope, ServiceKey } from "../../../model/ids.ts";
import { ANY_NAME } from "../../../model/namePattern.ts";
import type { CatalogueAnswer } from "../../../registry/catalogue.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { NamingRecords } from "./namingRecords.ts";

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
  readonly #records: Pick<NamingRecords, "services">;

  constructor(registry: Pick<Registry, "step">, records: Pick<NamingRecords, "services">) {
    this.#registry = registry;
    this.#records = records;
  }

  /** Not within a step of the registry. */
  ask({ scope, sees, nowMs }: AskedNames, named: Named): void {
    const asker = {
      answer: (answer: CatalogueAnswer) => {
        if (answer.kind === "failed") return named(undefined, answer.error);
        const made = [...this.#records.services()].filter(({ serviceKey }) => isInScope(serviceKey, scope));
        const seen = [...answer.entries, ...made].filter(({ serviceKey }) => sees(serviceKey));
        named([...new Set(seen.map(({ serviceKey }) => nameOf(serviceKey)))].sort(), undefined);
      },
      changed: () => undefined,
    };
    const asked = { asker, scope, pattern: ANY_NAME, entriesMax: ENTRIES_MAX, isStanding: false } as const;
    this.#registry.step({ kind: "askedCatalogue", ...asked, untilMs: nowMs + NAMES_MS }, nowMs);
  }
}
