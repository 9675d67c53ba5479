// Registrations that stay, without keepers: a change is made at once, and a check has the status reported last.

import { fail } from "../../../base/errors.ts";
import type { CheckState } from "../../../model/check.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type {
  KeptRegistration,
  PersistentAnswer,
  PersistentKey,
  PersistentRegistration,
  PersistentRegistrations,
  PutRequest,
  RemoveRequest,
  ReportRequest,
} from "../../../registry/persistent.ts";

const NOW_MS = 1_700_000_000_000;

export class PersistentInMemory implements PersistentRegistrations {
  isKnown = true;
  /** The changes that were made, in order: `put orders consul:n1/orders`. */
  readonly changes: string[] = [];
  readonly #kept = new Map<string, KeptRegistration>();
  readonly #listeners = new Set<(key: PersistentKey) => void>();
  #revision = 0n;

  find(key: PersistentKey): KeptRegistration | undefined {
    return this.#kept.get(nameOf(key));
  }

  *list(serviceKey?: ServiceKey): Iterable<KeptRegistration> {
    for (const kept of this.#kept.values()) {
      if (serviceKey === undefined || kept.registration.serviceKey === serviceKey) yield kept;
    }
  }

  put({ registration, ifRevision, done }: PutRequest): void {
    const known = this.find(registration);
    if (ifRevision !== undefined && ifRevision !== (known?.revision ?? 0n)) {
      return answer(done, { kind: "failed", error: fail("VERSION_CONFLICT", {}) });
    }
    const states = registration.checks.map((check): CheckState => {
      const before = known?.checks.find((state) => state.check.id === check.id);
      return before === undefined
        ? { check, status: check.initial, output: "", sinceMs: NOW_MS }
        : { ...before, check };
    });
    this.#change("put", keptOf(registration, states, ++this.#revision));
    answer(done, { kind: "done", revision: this.#revision, isHeard: true });
  }

  remove({ key, done }: RemoveRequest): void {
    const known = this.find(key);
    if (known === undefined) return answer(done, { kind: "unknown" });
    this.#kept.delete(nameOf(key));
    this.#tell("remove", key);
    answer(done, { kind: "done", revision: ++this.#revision, isHeard: true });
  }

  report({ key, check: id, result, done }: ReportRequest): void {
    const known = this.find(key);
    if (known === undefined) return answer(done, { kind: "unknown" });
    const states = known.checks.map((state) => (state.check.id === id ? { ...state, ...result } : state));
    this.#change("report", keptOf(known.registration, states, known.revision));
    answer(done, { kind: "done", revision: known.revision, isHeard: true });
  }

  onChange(listener: (key: PersistentKey) => void) {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  readonly checkRefusal = () => undefined;

  #change(what: string, kept: KeptRegistration): void {
    this.#kept.set(nameOf(kept.registration), kept);
    this.#tell(what, kept.registration);
  }

  #tell(what: string, key: PersistentKey): void {
    this.changes.push(`${what} ${key.registId}`);
    for (const listener of this.#listeners) listener(key);
  }
}

function keptOf(
  registration: PersistentRegistration,
  checks: readonly CheckState[],
  revision: bigint,
): KeptRegistration {
  const isHealthy = checks.every(({ status }) => status !== "critical");
  return { registration, checks, revision, isHealthy, keeper: undefined };
}

function nameOf({ serviceKey, registId }: PersistentKey): string {
  return `${serviceKey} ${registId}`;
}

/** Not before the call that asked has returned. */
function answer(done: (answer: PersistentAnswer) => void, given: PersistentAnswer): void {
  queueMicrotask(() => done(given));
}
