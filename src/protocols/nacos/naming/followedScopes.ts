// The names of the services of a scope, as they come and go: the catalogue tells one question for each scope, however
// many clients watch it.

import type { RegistryError } from "../../../base/errors.ts";
import type { CatalogueEntry } from "../../../model/catalogue.ts";
import type { CatalogueScope, ServiceKey } from "../../../model/ids.ts";
import { ANY_NAME } from "../../../model/namePattern.ts";
import type { CatalogueAnswer, CatalogueAsker } from "../../../registry/catalogue.ts";
import type { Registry } from "../../../registry/registry.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly nowMs: () => number;
  readonly later: (run: () => void) => void;
}

/** The side that is told. Calls come within a step of the registry. */
export interface ScopeListener {
  /** Called once: `services` are those that there are. */
  known(services: ReadonlySet<ServiceKey>): void;
  /** Called once in place of `known`. */
  failed(error: RegistryError): void;
  /** A service has come, or is gone. */
  changed(serviceKey: ServiceKey, isThere: boolean): void;
}

interface Followed {
  readonly asker: CatalogueAsker;
  readonly listeners: Set<ScopeListener>;
  readonly services: Set<ServiceKey>;
  isKnown: boolean;
}

// As many as a session holds.
const ENTRIES_MAX = 250_000;
// Clients wait three seconds for an answer.
const ANSWER_MS = 2_000;

export class FollowedScopes {
  readonly #parts: Parts;
  readonly #scopes = new Map<CatalogueScope, Followed>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Tells a listener of a scope until `unfollow`. Not within a step of the registry. */
  follow(scope: CatalogueScope, listener: ScopeListener): void {
    const known = this.#scopes.get(scope);
    known?.listeners.add(listener);
    if (known === undefined) return this.#begin(scope, listener);
    if (known.isKnown) listener.known(known.services);
  }

  unfollow(scope: CatalogueScope, listener: ScopeListener): void {
    const followed = this.#scopes.get(scope);
    if (followed?.listeners.delete(listener) !== true || followed.listeners.size > 0) return;
    this.#scopes.delete(scope);
    const { registry, later, nowMs } = this.#parts;
    later(() => registry.step({ kind: "gaveUpCatalogue", asker: followed.asker }, nowMs()));
  }

  #begin(scope: CatalogueScope, listener: ScopeListener): void {
    const asker: CatalogueAsker = {
      answer: (answer) => this.#answered(scope, followed, answer),
      changed: (entries) => {
        for (const entry of entries) change(followed, entry);
      },
    };
    const followed: Followed = { asker, listeners: new Set([listener]), services: new Set(), isKnown: false };
    this.#scopes.set(scope, followed);
    const { registry, nowMs } = this.#parts;
    const asked = { asker, scope, pattern: ANY_NAME, entriesMax: ENTRIES_MAX, isStanding: true } as const;
    registry.step({ kind: "askedCatalogue", ...asked, untilMs: nowMs() + ANSWER_MS }, nowMs());
  }

  #answered(scope: CatalogueScope, followed: Followed, answer: CatalogueAnswer): void {
    if (answer.kind === "failed") {
      if (this.#scopes.get(scope) === followed) this.#scopes.delete(scope);
      for (const listener of followed.listeners) listener.failed(answer.error);
      return;
    }
    for (const { serviceKey } of answer.entries) followed.services.add(serviceKey);
    followed.isKnown = true;
    for (const listener of followed.listeners) listener.known(followed.services);
  }
}

function change({ services, listeners }: Followed, { serviceKey, size }: CatalogueEntry): void {
  const isThere = size > 0;
  if (services.has(serviceKey) === isThere) return;
  if (isThere) services.add(serviceKey);
  else services.delete(serviceKey);
  for (const listener of listeners) listener.changed(serviceKey, isThere);
}
