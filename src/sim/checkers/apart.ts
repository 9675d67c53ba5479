// The times at which machines could not hear each other: a way between them was blocked, one of them stood still, or
// all messages were slow. Each of these explains failures of the machines concerned, and of no others.

import type { Fact } from "../facts.ts";
import type { Way } from "../network/machineNetwork.ts";

/** An open end is Infinity. */
export interface Span {
  readonly fromMs: number;
  untilMs: number;
  /** Within this after its end all delayed messages have arrived. */
  readonly settleMs: number;
}

interface Trouble {
  readonly key: string;
  readonly span: Span;
  readonly concerns: (machines: ReadonlySet<string>) => boolean;
}

// A dead link is closed after five seconds of silence, made again within a second, and used within another.
export const RELINK_MS = 7_000;

const SLOWED = "slowed";

export class Apart {
  readonly #troubles: Trouble[] = [];
  readonly #open = new Map<string, Trouble>();

  /** Something is wrong between machines, or with one. */
  get isAny(): boolean {
    return this.#open.size > 0;
  }

  see(fact: Fact, nowMs: number): void {
    switch (fact.kind) {
      case "cut": {
        const { ways } = fact;
        return this.#mark(`cut ${fact.id}`, (machines) => ways.some((way) => isWithin(way, machines)), {
          ...{ is: fact.isCut, nowMs },
        });
      }
      case "paused": {
        const { machine } = fact;
        return this.#mark(pauseOf(machine), (machines) => machines.has(machine), { is: fact.isPaused, nowMs });
      }
      case "slowed":
        return this.#mark(SLOWED, () => true, { is: fact.isSlowed, nowMs });
      default:
    }
  }

  /**
   * The times in which one of the machines stood still, or a way between two of them was blocked; by their beginning.
   */
  spans(machines: Iterable<string>): Span[] {
    const all = new Set(machines);
    return this.#troubles.filter(({ concerns }) => concerns(all)).map(({ span }) => span);
  }

  /** The times in which the machine stood still, by their beginning. */
  pauses(machine: string): Span[] {
    return this.#troubles.filter(({ key }) => key === pauseOf(machine)).map(({ span }) => span);
  }

  /** The times in which all messages were slow, by their beginning. */
  slow(): Span[] {
    return this.#troubles.filter(({ key }) => key === SLOWED).map(({ span }) => span);
  }

  #mark(key: string, concerns: Trouble["concerns"], { is, nowMs }: { is: boolean; nowMs: number }): void {
    const open = this.#open.get(key);
    if (open !== undefined) {
      open.span.untilMs = nowMs;
      this.#open.delete(key);
    }
    if (!is) return;
    const span = { fromMs: nowMs, untilMs: Number.POSITIVE_INFINITY, settleMs: RELINK_MS };
    const trouble = { key, span, concerns };
    this.#troubles.push(trouble);
    this.#open.set(key, trouble);
  }
}

function isWithin({ from, to }: Way, machines: ReadonlySet<string>): boolean {
  return machines.has(from) && machines.has(to);
}

function pauseOf(machine: string): string {
  return `paused ${machine}`;
}
