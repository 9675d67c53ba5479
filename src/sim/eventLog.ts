// Everything that was seen in a run, one line each, and a hash over all of it: two runs of one seed must have the same.

import type { DataInfoId } from "../model/ids.ts";
import { describe, type Fact, servicesOf } from "./facts.ts";

interface LoggedFact {
  readonly atMs: number;
  readonly fact: Fact;
  readonly text: string;
}

// FNV-1a.
const HASH_START = 0x811c9dc5;
const HASH_PRIME = 0x01000193;

export class EventLog {
  readonly #facts: LoggedFact[] = [];
  #hash = HASH_START;

  get size(): number {
    return this.#facts.length;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, "0");
  }

  add(fact: Fact, atMs: number): void {
    const text = `${fact.kind}: ${describe(fact)}`;
    this.#facts.push({ atMs, fact, text });
    this.#mix(`${atMs} ${text}`);
  }

  /** The last lines that touch the service, or any service, oldest first. */
  last(count: number, service: DataInfoId | undefined): string[] {
    const lines: string[] = [];
    for (let at = this.#facts.length - 1; at >= 0 && lines.length < count; at--) {
      const logged = this.#facts[at];
      if (logged === undefined) break;
      const services = servicesOf(logged.fact);
      if (service !== undefined && services !== undefined && !services.includes(service)) continue;
      if (services?.length === 0 && service === undefined) continue;
      lines.push(`${String(logged.atMs).padStart(7)} ms  ${logged.text}`);
    }
    return lines.reverse();
  }

  #mix(text: string): void {
    let hash = this.#hash;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), HASH_PRIME);
    this.#hash = hash;
  }
}
