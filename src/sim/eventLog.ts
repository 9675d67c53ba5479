// All facts of a run, and a hash over them: two runs of one seed must have the same hash. Lines are written only on
// demand: most runs are well and are never read.

import type { ServiceKey } from "../model/ids.ts";
import { describe, servicesOf } from "./describe.ts";
import type { Fact } from "./facts.ts";

export interface LoggedFact {
  readonly atMs: number;
  readonly fact: Fact;
}

// FNV-1a.
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

export class EventLog {
  readonly #facts: LoggedFact[] = [];

  /** All facts, oldest first. */
  get facts(): readonly LoggedFact[] {
    return this.#facts;
  }

  get size(): number {
    return this.#facts.length;
  }

  /** The hash of all facts so far. */
  get hash(): string {
    let hash = HASH_START;
    for (const { atMs, fact } of this.#facts) {
      const text = `${atMs} ${fact.kind}: ${describe(fact)}`;
      for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), HASH_PRIME);
    }
    return (hash >>> 0).toString(16).padStart(8, "0");
  }

  add(fact: Fact, atMs: number): void {
    this.#facts.push({ atMs, fact });
  }

  /** The last lines about the service, or about any service, oldest first. */
  last(count: number, service: ServiceKey | undefined): string[] {
    const lines: string[] = [];
    for (let at = this.#facts.length - 1; at >= 0 && lines.length < count; at--) {
      const logged = this.#facts[at];
      if (logged === undefined) break;
      const { fact, atMs } = logged;
      const services = servicesOf(fact);
      if (service !== undefined && services !== undefined && !services.includes(service)) continue;
      if (services?.length === 0 && service === undefined) continue;
      lines.push(`${String(atMs).padStart(7)} ms  ${fact.kind}: ${describe(fact)}`);
    }
    return lines.reverse();
  }
}
