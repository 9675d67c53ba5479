// The attacker's actions and the answers, as reported to the suite's process.

export interface TallyReport {
  readonly bytesSent: number;
  readonly connections: number;
  /** Connections that the server closed, or refused. */
  readonly closed: number;
  readonly pushes: number;
  readonly accepted: number;
  /** Answers other than success, by their first words, which are the code. */
  readonly refused: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
  readonly failures: readonly string[];
}

// Of an attack with a million answers the first kinds say all.
const KINDS_MAX = 20;
const NOTES_MAX = 10;

export class Tally {
  bytesSent = 0;
  connections = 0;
  closed = 0;
  pushes = 0;
  accepted = 0;
  readonly #refused = new Map<string, number>();
  readonly #notes = new Set<string>();
  readonly #failures: string[] = [];

  answered(outcome: string): void {
    if (outcome === "success") {
      this.accepted++;
      return;
    }
    // "CODE: key=value …": the values differ between answers.
    const [code = outcome] = /^[A-Z_]{4,}/.exec(outcome) ?? [outcome.slice(0, 60)];
    const key = this.#refused.has(code) || this.#refused.size < KINDS_MAX ? code : "others";
    this.#refused.set(key, (this.#refused.get(key) ?? 0) + 1);
  }

  /** Of all answers that are no success. */
  get refusedCount(): number {
    return [...this.#refused.values()].reduce((sum, count) => sum + count, 0);
  }

  note(text: string): void {
    if (this.#notes.size < NOTES_MAX) this.#notes.add(text);
  }

  fail(text: string): void {
    if (this.#failures.length < NOTES_MAX) this.#failures.push(text);
  }

  report(): TallyReport {
    const { bytesSent, connections, closed, pushes, accepted } = this;
    const refused = Object.fromEntries(this.#refused);
    return {
      bytesSent,
      connections,
      closed,
      pushes,
      accepted,
      refused,
      notes: [...this.#notes],
      failures: this.#failures,
    };
  }
}
