// The answers of this session to surveys, its own and those of other sessions. Walks are made a part at a time, less
// than a millisecond in a step and then a pause, by turns, so that a survey of a million registrations holds up nothing
// and a short one does not wait for it.

import { SURVEY_PART_ROWS, type SurveyFromSession, type SurveyToSession } from "../cluster/messages/survey.ts";
import type { NodeId } from "../model/ids.ts";
import { SURVEY_ROWS_MAX, type Survey, type SurveyKind, type SurveyRow, type SurveyRows } from "../model/survey.ts";
import { type SurveyedParts, type Walk, walk } from "./surveyWalk.ts";

// A unit without a row takes 0.1 to 0.4 microseconds, a row two to be made and encoded: half a millisecond in all
// (bench/micro/questions.ts).
const WORK_PER_STEP = 1_200;
const WORK_PER_ROW = 12;
const PAUSE_MS = 1;
// A walk that comes to no end in its turn waits for the others.
const WORK_PER_TURN = 600;
// Those of other sessions beyond this are not answered: each of some sessions may ask SURVEYS_MAX.
const WALKS_MAX = 500;

/** A part of the rows; `isCut` comes with the last one. */
export interface Part {
  readonly rows: SurveyRows;
  readonly isLast: boolean;
  readonly isCut: boolean;
}

type Asked = Extract<SurveyToSession, { kind: "surveyAsked" }>;

interface RunningWalk {
  readonly survey: Survey;
  readonly steps: Walk;
  readonly tell: (part: Part) => void;
  rows: SurveyRow[];
  /** The number of rows, told or not. */
  found: number;
}

export class SurveyAnswers {
  readonly #parts: SurveyedParts;
  readonly #send: (hub: NodeId, message: SurveyFromSession) => void;
  /** In the order of their next turns. */
  readonly #walks = new Set<RunningWalk>();
  /** Those for other sessions, by the data node that asked, the asking session and its number. */
  readonly #byHub = new Map<NodeId, Map<string, RunningWalk>>();
  #workMs = Number.NEGATIVE_INFINITY;

  constructor(parts: SurveyedParts, send: (hub: NodeId, message: SurveyFromSession) => void) {
    this.#parts = parts;
    this.#send = send;
  }

  /** The number of walks that have not come to their end. */
  get running(): number {
    return this.#walks.size;
  }

  /** Begins a walk for this session itself; returns its end. */
  begin(survey: Survey, tell: (part: Part) => void): () => void {
    const running = { survey, steps: walk(this.#parts, survey), tell, rows: [], found: 0 };
    this.#walks.add(running);
    return () => void this.#walks.delete(running);
  }

  /** Begins a walk for another session. */
  asked(hub: NodeId, { asker, question, survey }: Asked): void {
    if (this.#walks.size >= WALKS_MAX) return;
    const key = keyOf(asker, question);
    const ofHub = this.#byHub.get(hub) ?? new Map<string, RunningWalk>();
    const before = ofHub.get(key);
    if (before !== undefined) this.#walks.delete(before);
    const tell = (part: Part) => {
      this.#send(hub, { kind: "surveyPart", asker, question, ...part });
      if (part.isLast) this.#forget(hub, key);
    };
    const running = { survey, steps: walk(this.#parts, survey), tell, rows: [], found: 0 };
    this.#walks.add(running);
    this.#byHub.set(hub, ofHub.set(key, running));
  }

  /** The other session wants no more of these answers. */
  ended(hub: NodeId, asker: NodeId, questions: readonly number[]): void {
    for (const question of questions) this.#end(hub, keyOf(asker, question));
  }

  /** The link to the data node is gone: the askers ask through another one. */
  unlinked(hub: NodeId): void {
    for (const key of [...(this.#byHub.get(hub)?.keys() ?? [])]) this.#end(hub, key);
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    return this.#walks.size === 0 ? Number.POSITIVE_INFINITY : this.#workMs;
  }

  /** Goes on with some walks, and tells the rows that they find. */
  wake(nowMs: number): void {
    if (nowMs < this.nextMs()) return;
    let left = WORK_PER_STEP;
    while (left > 0) {
      const [running] = this.#walks;
      if (running === undefined) break;
      this.#walks.delete(running);
      const { work, isDone } = go(running, Math.min(left, WORK_PER_TURN));
      left -= work;
      if (!isDone) this.#walks.add(running);
    }
    this.#workMs = nowMs + (PAUSE_MS * (WORK_PER_STEP - left)) / WORK_PER_STEP;
  }

  #forget(hub: NodeId, key: string): void {
    const ofHub = this.#byHub.get(hub);
    ofHub?.delete(key);
    if (ofHub?.size === 0) this.#byHub.delete(hub);
  }

  #end(hub: NodeId, key: string): void {
    const running = this.#byHub.get(hub)?.get(key);
    if (running === undefined) return;
    this.#walks.delete(running);
    this.#forget(hub, key);
  }
}

/** Goes on with a walk, up to about `max` units of work, and tells full parts and the last one. */
function go(running: RunningWalk, max: number): { readonly work: number; readonly isDone: boolean } {
  const { survey, steps, tell } = running;
  let work = 0;
  while (work < max) {
    const step = steps.next();
    work++;
    if (step.done === true) {
      tell({ rows: rowsOf(survey.of, running.rows), isLast: true, isCut: step.value });
      return { work, isDone: true };
    }
    if (step.value === undefined) continue;
    if (running.found >= Math.min(survey.rowsMax, SURVEY_ROWS_MAX)) {
      tell({ rows: rowsOf(survey.of, running.rows), isLast: true, isCut: true });
      return { work, isDone: true };
    }
    work += WORK_PER_ROW;
    running.found++;
    running.rows.push(step.value);
    if (running.rows.length < SURVEY_PART_ROWS) continue;
    tell({ rows: rowsOf(survey.of, running.rows), isLast: false, isCut: false });
    running.rows = [];
  }
  return { work, isDone: false };
}

/** A walk finds rows of the kind that is asked for, and no others. */
function rowsOf(of: SurveyKind, rows: readonly SurveyRow[]): SurveyRows {
  return { of, rows } as SurveyRows;
}

function keyOf(asker: NodeId, question: number): string {
  return `${question} ${asker}`;
}
