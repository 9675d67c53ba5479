// Operators' questions for all revisions and services. The leading meta node has the names; the answer comes in parts.

import { Deadlines } from "../base/deadlines.ts";
import { fail } from "../base/errors.ts";
import type { AppAnswer } from "../cluster/messages/apps.ts";
import type { MemberToMeta } from "../cluster/messages/membership.ts";
import type { ServiceApps } from "../model/appRevision.ts";
import type { AppAsker, AppEvent, AppsListed } from "../registry/apps.ts";

// Each may hold some ten megabytes for a moment.
const QUESTIONS_MAX = 4;

interface Question {
  readonly number: number;
  readonly asker: AppAsker<AppsListed>;
  readonly revisions: string[];
  readonly services: ServiceApps[];
}

export class AppLists {
  readonly #toMeta: (message: MemberToMeta) => void;
  readonly #open = new Map<number, Question>();
  readonly #ends = new Deadlines<Question>();
  #questions = 0;

  constructor(toMeta: (message: MemberToMeta) => void) {
    this.#toMeta = toMeta;
  }

  /** The number of questions that wait for their answers. */
  get waiting(): number {
    return this.#open.size;
  }

  asked({ asker, untilMs }: Extract<AppEvent, { kind: "listedApps" }>): void {
    if (this.#open.size >= QUESTIONS_MAX) {
      const error = fail("QUERIES_EXHAUSTED", { waiting: this.#open.size });
      return asker.answer({ revisions: [], services: [], isCut: false, error });
    }
    const question: Question = { number: ++this.#questions, asker, revisions: [], services: [] };
    this.#open.set(question.number, question);
    this.#ends.set(question, untilMs);
    this.#toMeta({ kind: "listApps", question: question.number });
  }

  received({ question: number, revisions, services, isLast, isCut }: Extract<AppAnswer, { kind: "appsListed" }>): void {
    const question = this.#open.get(number);
    if (question === undefined) return;
    for (const revision of revisions) question.revisions.push(revision);
    for (const entry of services) question.services.push(entry);
    if (!isLast) return;
    this.#ends.delete(question);
    this.#open.delete(number);
    question.asker.answer({ revisions: question.revisions, services: question.services, isCut, error: undefined });
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  wake(nowMs: number): void {
    for (let question = this.#ends.take(nowMs); question !== undefined; question = this.#ends.take(nowMs)) {
      this.#open.delete(question.number);
      question.asker.answer({ revisions: [], services: [], isCut: false, error: fail("REVISIONS_UNAVAILABLE") });
    }
  }
}
