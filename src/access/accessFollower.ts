// Identities and policies at a node without the store: it asks the leading meta node for changes twice a second, or
// another meta node while none leads. While no meta node answers, it goes on with what it knows.

import type { Cancel, Timers } from "../base/ports.ts";
import type { NodeId } from "../model/ids.ts";
import type { AccessSet } from "./accessSet.ts";
import { type AccessView, readTold } from "./accessTold.ts";

/** The interval at which nodes look for changes: one that was made elsewhere is in force within a second. */
export const LOOK_MS = 500;

/**
 * The name under which nodes ask for identities and policies, with the epoch that they have as the parameters. No
 * operation of operators has it, so no HTTP path leads here.
 */
export const TELL_ACCESS = "access/tell";

// A meta node has the answer in its memory.
const ANSWER_MS_MAX = 2_000;

/** The outcome of a question to another node. */
type Outcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "unreachable"; readonly reason: string };

/** A question, and the longest time for the answer. */
interface Question {
  readonly asked: { readonly operation: string; readonly parameters: string };
  readonly waitMs: number;
}

export interface FollowerEnvironment {
  readonly ask: (to: NodeId | "leader", question: Question, outcome: (outcome: Outcome) => void) => void;
  readonly metaNodes: () => Iterable<NodeId>;
  readonly timers: Timers;
  /** The node has the next set. */
  readonly changed: (set: AccessSet) => void;
}

/** Called once, with whether a meta node has answered. */
type Done = (isAnswered: boolean) => void;

export class AccessFollower {
  readonly #environment: FollowerEnvironment;
  readonly #view: AccessView;
  /** All who wait for the question that is under way; undefined: none is. */
  #waiting: Done[] | undefined;
  #cancel: Cancel = () => undefined;
  #isClosed = false;
  #hasHeard = false;

  constructor(environment: FollowerEnvironment, view: AccessView) {
    this.#environment = environment;
    this.#view = view;
  }

  /** Whether a meta node has told what there is. */
  get hasHeard(): boolean {
    return this.#hasHeard;
  }

  /** Asks from now on. */
  begin(): void {
    this.refresh(() => {
      if (this.#isClosed) return;
      this.#cancel = this.#environment.timers.after(LOOK_MS, () => this.begin());
    });
  }

  /** Asks once. */
  refresh(done: Done): void {
    if (this.#waiting !== undefined) return void this.#waiting.push(done);
    this.#waiting = [done];
    this.#askNext("leader", undefined);
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  /** Asks that node, and if it does not answer the others; undefined: these have not been listed yet. */
  #askNext(to: NodeId | "leader", others: NodeId[] | undefined): void {
    this.#ask(to, this.#view.set.epoch, (isAnswered) => {
      const left = others ?? (isAnswered ? [] : [...this.#environment.metaNodes()]);
      const next = left.shift();
      if (!isAnswered && next !== undefined && !this.#isClosed) return this.#askNext(next, left);
      const waiting = this.#waiting;
      this.#waiting = undefined;
      for (const done of waiting ?? []) done(isAnswered);
    });
  }

  #ask(to: NodeId | "leader", epoch: bigint, done: Done): void {
    const asked = { operation: TELL_ACCESS, parameters: String(epoch) };
    this.#environment.ask(to, { asked, waitMs: ANSWER_MS_MAX }, (outcome) => {
      if (outcome.kind !== "answered" || outcome.status !== 200 || this.#isClosed) return done(false);
      const taken = this.#take(outcome.body);
      if (taken === "behind" && epoch !== 0n) this.#ask(to, 0n, done);
      else done(taken !== "behind" && taken !== "unreadable");
    });
  }

  #take(body: string): "taken" | "known" | "behind" | "unreadable" {
    this.#hasHeard = true;
    if (body === "null") return "known";
    const told = readTold(body);
    if (told === undefined) return "unreadable";
    const outcome = this.#view.received(told);
    if (outcome === "taken") this.#environment.changed(this.#view.set);
    return outcome;
  }
}
