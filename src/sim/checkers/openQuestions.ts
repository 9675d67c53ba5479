// Questions that programs have put to sessions: the ones that wait for their answers, and the time in which these must
// come.

import type { NodeId } from "../../model/ids.ts";
import { versionSpan } from "../../model/version.ts";
import type { Fact } from "../facts.ts";

// A node's clock runs one percent slow at the most, which counts twice to be sure, and a busy one's timers are late.
const CLOCKS = 1.02;
const LATE_MS = 500;

const DAY = versionSpan(24 * 3_600_000);

interface Question {
  readonly question: number;
  readonly node: NodeId;
  readonly machine: string;
  readonly waitMs: number;
}

/** A question that is not answered. */
export type OpenQuestion<Asked extends Question> = Asked & {
  readonly askedMs: number;
  /** The session has stood still meanwhile. */
  isDelayed: boolean;
};

/** The questions that are not answered. */
export class OpenQuestions<Asked extends Question> {
  readonly #open = new Map<number, OpenQuestion<Asked>>();
  readonly #paused = new Set<string>();

  values(): Iterable<OpenQuestion<Asked>> {
    return this.#open.values();
  }

  ask(asked: Asked, nowMs: number): void {
    this.#open.set(asked.question, { ...asked, askedMs: nowMs, isDelayed: this.#paused.has(asked.machine) });
  }

  /** Takes out a question that is answered or given up; undefined if it is not open. */
  take(question: number): OpenQuestion<Asked> | undefined {
    const open = this.#open.get(question);
    this.#open.delete(question);
    return open;
  }

  /** A session stands still or goes on. */
  paused({ machine, isPaused }: Fact & { kind: "paused" }): void {
    if (isPaused) this.#paused.add(machine);
    else this.#paused.delete(machine);
    for (const open of this.#open.values()) if (open.machine === machine) open.isDelayed = true;
  }

  /** A session has ended, and its questions with it. */
  stopped(node: NodeId): void {
    for (const [question, open] of this.#open) if (open.node === node) this.#open.delete(question);
  }

  /** A question that should have been answered by now, if there is one. */
  overdue(nowMs: number): Asked | undefined {
    for (const open of this.#open.values()) {
      if (!open.isDelayed && nowMs > open.askedMs + open.waitMs * CLOCKS + LATE_MS) return open;
    }
    return undefined;
  }
}

/** Whether an answer goes back. Only a list of a leader whose clock was days ahead is followed by a lower one. */
export function goesBack(version: bigint, before: bigint): boolean {
  return version < before && before - version < DAY;
}
