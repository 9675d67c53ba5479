// Blocking queries: `?index=N&wait=10s` answers when the index of the query has passed N, or at the end of the wait.
// One evaluation of a change serves all who wait with the same question, and they share the body.

import { type Account, type Budget, CHARGE } from "../../base/budget.ts";
import { Deadlines } from "../../base/deadlines.ts";
import { type HttpExchange, type HttpResponse, queryValue } from "../../base/http.ts";
import type { Cancel, Timers } from "../../base/ports.ts";
import { durationMs } from "./duration.ts";
import { consulRefusal, refuseWith } from "./errors.ts";
import { Topics } from "./topics.ts";

/** A question that waits until its answer is another one. */
export interface HashQuestion {
  readonly topics: readonly string[];
  readonly isChanged: () => boolean;
  readonly answer: () => HttpResponse;
}

/** A question that may wait. */
export interface Question {
  readonly topics: readonly string[];
  /** Questions of one key have one answer at one time; empty: this one's is its own. */
  readonly shareKey: string;
  /** Whether a change is one of the answer; undefined: each is. May throw. */
  readonly isReady?: () => boolean;
  /** The answer now; `index` is that of its topics. */
  readonly answer: (index: bigint) => HttpResponse;
}

interface Waiting {
  readonly exchange: HttpExchange;
  readonly question: Question;
  readonly since: bigint;
  readonly account: Account;
  isOver: boolean;
}

/** From which index on, from when on, and for how long. */
interface Wait {
  readonly since: bigint;
  readonly nowMs: number;
  readonly waitMs: number;
}

const WAIT_MS_DEFAULT = 300_000;
const WAIT_MS_MAX = 600_000;
// Each has a socket, which the port bounds as well.
const WAITING_MAX = 50_000;
// An exchange with its closures, and its places in the maps.
const WAITING_BYTES = 4_096;

interface BlockingParts {
  readonly budget: Pick<Budget, "open">;
  readonly later: (run: () => void) => void;
  readonly timers: Timers;
}

export class Blocking {
  readonly topics: Topics;
  readonly #budget: Pick<Budget, "open">;
  readonly #later: (run: () => void) => void;
  readonly #timers: Timers;
  /** For the end that is next. */
  #alarm: { readonly atMs: number; readonly cancel: Cancel } | undefined;
  readonly #byTopic = new Map<string, Set<Waiting>>();
  readonly #deadlines = new Deadlines<Waiting>();
  readonly #changed = new Set<string>();
  #waiting = 0;

  constructor({ budget, later, timers }: BlockingParts) {
    this.#budget = budget;
    this.#later = later;
    this.#timers = timers;
    this.topics = new Topics((topic) => this.#topicChanged(topic));
  }

  /** Answers now or later, by the query of the exchange. Throws a ConsulError for a bad index or wait. */
  ask(exchange: HttpExchange, question: Question, nowMs: number): void {
    const { since, waitMs } = waitOf(exchange);
    const index = this.topics.index(question.topics);
    if (since === 0n || index > since) return exchange.respond(question.answer(index));
    this.#wait(exchange, question, { since, nowMs, waitMs });
  }

  /** The index that an exchange names; 0: it does not wait. Throws a ConsulError for a bad index or wait. */
  indexIn(exchange: HttpExchange): bigint {
    return waitOf(exchange).since;
  }

  /** Waits for a change by which the answer becomes another one. */
  askByHash(exchange: HttpExchange, { topics, isChanged, answer }: HashQuestion, nowMs: number): void {
    const { waitMs } = waitOf(exchange);
    const question = { topics, shareKey: "", answer, isReady: isChanged };
    this.#wait(exchange, question, { since: this.topics.index(topics), nowMs, waitMs });
  }

  #wait(exchange: HttpExchange, question: Question, { since, nowMs, waitMs }: Wait): void {
    if (this.#waiting >= WAITING_MAX) throw consulRefusal(500, `${WAITING_MAX} queries wait at this node: try again`);
    const account = this.#budget.open(exchange.remoteAddress);
    const refused = account.charge(CHARGE.subscriptions, WAITING_BYTES);
    if (refused !== undefined) {
      account.close();
      throw refused;
    }
    const waiting: Waiting = { exchange, question, since, account, isOver: false };
    this.#waiting++;
    for (const topic of question.topics) {
      const set = this.#byTopic.get(topic) ?? new Set();
      this.#byTopic.set(topic, set.add(waiting));
    }
    this.#deadlines.set(waiting, nowMs + waitMs);
    this.#arm(nowMs);
    exchange.onGone(() => this.#end(waiting));
  }

  /** The number of questions that wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Answers those whose wait is over. */
  check(nowMs: number): void {
    for (let due = this.#deadlines.take(nowMs); due !== undefined; due = this.#deadlines.take(nowMs)) {
      this.#answer(due, new Map());
    }
    this.#arm(nowMs);
  }

  /** Sets the alarm for the next end. Clients give an answer little more time than the wait that they asked for. */
  #arm(nowMs: number): void {
    const atMs = this.#deadlines.nextMs();
    if (this.#alarm !== undefined && this.#alarm.atMs <= atMs && this.#alarm.atMs > nowMs) return;
    this.#disarm();
    if (atMs === Number.POSITIVE_INFINITY) return;
    const cancel = this.#timers.after(Math.max(0, atMs - nowMs), (ranMs) => {
      this.#alarm = undefined;
      this.check(ranMs);
    });
    this.#alarm = { atMs, cancel };
  }

  #disarm(): void {
    this.#alarm?.cancel();
    this.#alarm = undefined;
  }

  #topicChanged(topic: string): void {
    if (!this.#byTopic.has(topic)) return;
    if (this.#changed.size === 0) this.#later(() => this.#flush());
    this.#changed.add(topic);
  }

  #flush(): void {
    const topics = [...this.#changed];
    this.#changed.clear();
    const answers = new Map<string, HttpResponse>();
    for (const topic of topics) {
      for (const waiting of [...(this.#byTopic.get(topic) ?? [])]) {
        if (this.topics.index(waiting.question.topics) > waiting.since && isReady(waiting))
          this.#answer(waiting, answers);
      }
    }
  }

  #answer(waiting: Waiting, answers: Map<string, HttpResponse>): void {
    this.#end(waiting);
    const { question, exchange } = waiting;
    try {
      const known = question.shareKey === "" ? undefined : answers.get(question.shareKey);
      const answer = known ?? question.answer(this.topics.index(question.topics));
      if (known === undefined) answers.set(question.shareKey, answer);
      exchange.respond(answer);
    } catch (error) {
      refuseWith(exchange, error);
    }
  }

  #end(waiting: Waiting): void {
    if (waiting.isOver) return;
    waiting.isOver = true;
    this.#deadlines.delete(waiting);
    for (const topic of waiting.question.topics) {
      const set = this.#byTopic.get(topic);
      set?.delete(waiting);
      if (set?.size === 0) this.#byTopic.delete(topic);
    }
    this.#waiting--;
    if (this.#waiting === 0) this.#disarm();
    waiting.account.release(CHARGE.subscriptions, WAITING_BYTES);
    waiting.account.close();
  }
}

/** One whose answer can't be made any more is answered with the reason. */
function isReady({ question }: Waiting): boolean {
  try {
    return question.isReady?.() ?? true;
  } catch {
    return true;
  }
}

function waitOf(exchange: HttpExchange): { readonly since: bigint; readonly waitMs: number } {
  const [index, wait] = [queryValue(exchange, "index"), queryValue(exchange, "wait")];
  if (!/^\d{0,20}$/.test(index)) throw consulRefusal(400, "Invalid index");
  const waitMs = wait === "" ? WAIT_MS_DEFAULT : durationMs(wait);
  if (waitMs === undefined) throw consulRefusal(400, "Invalid wait time");
  return {
    since: BigInt(index === "" ? 0 : index),
    waitMs: Math.min(waitMs === 0 ? WAIT_MS_DEFAULT : waitMs, WAIT_MS_MAX),
  };
}
