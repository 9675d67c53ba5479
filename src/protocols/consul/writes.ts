// Changes of what Consul's clients have registered: each reads a registration, makes the next one, and puts it if
// no other change was faster; a slower one is made anew from what is there then.

import type { Budget } from "../../base/budget.ts";
import type { CheckResult } from "../../model/check.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type {
  KeptRegistration,
  PersistentAnswer,
  PersistentKey,
  PersistentRegistration,
  PersistentRegistrations,
} from "../../registry/persistent.ts";
import { consulRefusal } from "./errors.ts";

/** The sender of a change. */
export interface By {
  /** Its IP address. */
  readonly address: string;
  readonly nowMs: number;
}

/** Called once: with the reason if the change was not made. */
export type Done = (error?: Error) => void;

/** A change of the registration of this key. */
export interface Change {
  readonly key: PersistentKey;
  /** The next registration; undefined: nothing is to be changed. May throw. */
  readonly next: (kept: KeptRegistration | undefined) => PersistentRegistration | undefined;
}

/** The status of a check of a registration. */
export interface Report {
  readonly key: PersistentKey;
  readonly check: string;
  readonly result: CheckResult;
}

interface Try {
  readonly by: By;
  readonly done: Done;
  readonly triesLeft: number;
}

interface Parts {
  readonly persistent: PersistentRegistrations;
  readonly budget: Pick<Budget, "open">;
  /** Calls `then` when this session's list of the service shows what was put; at `untilMs` at the latest. */
  readonly whenShown: (serviceKey: ServiceKey, untilMs: number, then: () => void) => void;
}

const ANSWER_MS = 5_000;
const SHOWN_MS = 1_000;
// Each was overtaken by another change of the same registration.
const TRIES_MAX = 8;

export class Writes {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Puts what the change makes of the present registration. */
  change(change: Change, by: By, done: Done): void {
    this.#try(change, { by, done, triesLeft: TRIES_MAX });
  }

  /** Removes a registration; it is no error if there is none. */
  remove(key: PersistentKey, by: By, done: Done): void {
    this.#parts.persistent.remove({ key, ...this.#request(by, (answer) => this.#answered(key, answer, by, done)) });
  }

  /** Reports the status of a check. */
  report({ key, check, result }: Report, by: By, done: Done): void {
    const answered = (answer: PersistentAnswer) => {
      if (answer.kind === "unknown")
        return done(
          consulRefusal(404, `Unknown check ID "${check}". Ensure that the check ID is passed, not the check name.`),
        );
      this.#answered(key, answer, by, done);
    };
    this.#parts.persistent.report({ key, check, result, ...this.#request(by, answered) });
  }

  #try(change: Change, { by, done, triesLeft }: Try): void {
    const { key, next } = change;
    const kept = this.#parts.persistent.find(key);
    let registration: PersistentRegistration | undefined;
    try {
      registration = next(kept);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return done(error);
    }
    if (registration === undefined) return done();
    const answered = (answer: PersistentAnswer) => {
      const isOvertaken = answer.kind === "failed" && answer.error.code === "VERSION_CONFLICT";
      if (isOvertaken && triesLeft > 1) return this.#try(change, { by, done, triesLeft: triesLeft - 1 });
      this.#answered(key, answer, by, done);
    };
    this.#parts.persistent.put({ registration, ifRevision: kept?.revision ?? 0n, ...this.#request(by, answered) });
  }

  #answered({ serviceKey }: PersistentKey, answer: PersistentAnswer, by: By, done: Done): void {
    if (answer.kind === "failed") return done(answer.error);
    this.#parts.whenShown(serviceKey, by.nowMs + SHOWN_MS, () => done());
  }

  #request({ address, nowMs }: By, answered: (answer: PersistentAnswer) => void) {
    const account = this.#parts.budget.open(address);
    return {
      account,
      untilMs: nowMs + ANSWER_MS,
      done: (answer: PersistentAnswer) => {
        account.close();
        answered(answer);
      },
    };
  }
}
