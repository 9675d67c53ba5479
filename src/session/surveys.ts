// The surveys that this session is asked. Its own clients it knows; the other sessions it asks through a data node, the
// hub, to which all have links. If the hub does not know the question, can't take it, or loses its link to some
// session, another hub is asked for those that have not answered. The rows of a session are in the answer as a whole or
// not at all; the answer names the members that have not answered.

import { assert, unreachable } from "../base/assert.ts";
import { Deadlines } from "../base/deadlines.ts";
import { fail, RegistryError } from "../base/errors.ts";
import type { Members } from "../cluster/messages/membership.ts";
import { SURVEYS_MAX, type SurveyToSession } from "../cluster/messages/survey.ts";
import { readHost } from "../model/hostAddress.ts";
import type { NodeId } from "../model/ids.ts";
import type { Survey, SurveyRow, SurveyRows } from "../model/survey.ts";
import type { SurveyAsker, SurveyEvent, SurveyedSession } from "../registry/survey.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Part, SurveyAnswers } from "./surveyAnswers.ts";

// Some 300 bytes each, in all surveys that wait together.
const ROWS_MAX = 200_000;
// A hub passes a question on at once. One that says nothing in this time does not know the message.
const SPREAD_MS = 500;

type Asked = Extract<SurveyEvent, { kind: "askedSurvey" }>;
/** The answers of a hub. */
type FromHub = Extract<SurveyToSession, { kind: "surveySpread" | "surveyAnswer" | "surveyLost" }>;

/** The question as one hub has it. */
interface Round {
  readonly hub: NodeId;
  readonly question: number;
  /** The sessions that it has asked and that have not answered; undefined until it has named those that it asks. */
  awaited: Set<NodeId> | undefined;
}

/** The answer of one session, as far as it has come. */
interface Told {
  readonly rows: SurveyRow[];
  isLast: boolean;
  isCut: boolean;
}

interface OpenSurvey {
  readonly asker: SurveyAsker;
  readonly survey: Survey;
  readonly isAlone: boolean;
  readonly told: Map<NodeId, Told>;
  /** Hubs that have been asked. */
  readonly tried: Set<NodeId>;
  /** Ends the walk through this session's own clients. */
  endOwn: () => void;
  round: Round | undefined;
}

interface Parts {
  readonly self: NodeId;
  readonly links: DataLinks;
  readonly answers: SurveyAnswers;
  readonly members: () => Members | undefined;
}

export class Surveys {
  readonly #parts: Parts;
  readonly #open = new Map<SurveyAsker, OpenSurvey>();
  readonly #byQuestion = new Map<number, OpenSurvey>();
  readonly #ends = new Deadlines<OpenSurvey>();
  /** The times at which hubs must have passed on what they were asked. */
  readonly #spreads = new Deadlines<OpenSurvey>();
  #questions = 0;
  /** The rows of all surveys that wait. */
  #rows = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The number of surveys that wait for their answers. */
  get waiting(): number {
    return this.#open.size;
  }

  /** Asks all sessions, or ends a survey. */
  step(event: SurveyEvent, nowMs: number): void {
    if (event.kind === "askedSurvey") return this.#ask(event, nowMs);
    const open = this.#open.get(event.asker);
    if (open !== undefined) this.#release(open);
  }

  received(from: NodeId, message: FromHub, nowMs: number): void {
    const open = this.#byQuestion.get(message.question);
    if (open?.round?.hub !== from) return;
    const { round } = open;
    switch (message.kind) {
      case "surveySpread":
        this.#spreads.delete(open);
        round.awaited = new Set(message.sessions.filter((session) => open.told.get(session)?.isLast !== true));
        break;
      case "surveyLost":
        round.awaited?.delete(message.session);
        break;
      case "surveyAnswer":
        if (round.awaited?.has(message.session) !== true) return;
        if (message.isLast) round.awaited.delete(message.session);
        this.#tell(open, message.session, message);
        break;
      default:
        return unreachable(message);
    }
    this.#goOn(open, nowMs);
  }

  /** The link to the data node is gone. With a new link it is a hub that was not asked. */
  unlinked(node: NodeId, nowMs: number): void {
    for (const open of this.#all()) {
      open.tried.delete(node);
      if (open.round?.hub === node) this.#leaveHub(open, nowMs);
    }
  }

  /** A data node can be reached, or other sessions are members. */
  changed(nowMs: number): void {
    for (const open of this.#all()) this.#goOn(open, nowMs);
  }

  /** All hubs may be tried again: what was lost or full may be there now. */
  repeat(nowMs: number): void {
    for (const open of this.#all()) {
      open.tried.clear();
      this.#goOn(open, nowMs);
    }
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    return Math.min(this.#ends.nextMs(), this.#spreads.nextMs());
  }

  /** Answers surveys whose time is over, and leaves hubs that have not passed on what they were asked. */
  wake(nowMs: number): void {
    for (let open = this.#ends.take(nowMs); open !== undefined; open = this.#ends.take(nowMs)) this.#answer(open);
    for (let open = this.#spreads.take(nowMs); open !== undefined; open = this.#spreads.take(nowMs)) {
      this.#leaveHub(open, nowMs);
    }
  }

  #all(): OpenSurvey[] {
    return [...this.#open.values()];
  }

  #ask({ asker, survey: asked, reach, untilMs }: Asked, nowMs: number): void {
    assert(!this.#open.has(asker), "an asker has one survey at a time");
    const host = asked.host === "" ? "" : readHost(asked.host);
    if (host instanceof RegistryError) return asker.answer({ kind: "failed", error: host });
    const waiting = this.#open.size;
    if (waiting >= SURVEYS_MAX) {
      return asker.answer({ kind: "failed", error: fail("QUERIES_EXHAUSTED", { waiting }) });
    }
    const { self, answers } = this.#parts;
    const survey = { ...asked, host };
    const isAlone = reach === "session";
    const open: OpenSurvey = {
      asker,
      survey,
      isAlone,
      told: new Map(),
      tried: new Set(),
      endOwn: () => undefined,
      round: undefined,
    };
    this.#open.set(asker, open);
    this.#ends.set(open, untilMs);
    open.endOwn = answers.begin(survey, (part) => {
      this.#tell(open, self, part);
      if (part.isLast) this.#answerIfDone(open);
    });
    this.#goOn(open, nowMs);
  }

  /** Answers a survey that is done, or asks another hub if this one has no more answers. */
  #goOn(open: OpenSurvey, nowMs: number): void {
    if (this.#open.get(open.asker) !== open || this.#answerIfDone(open) || open.isAlone) return;
    if (open.round !== undefined) {
      if (open.round.awaited?.size !== 0) return;
      this.#endRound(open);
    }
    if (this.#missing(open).length === 0) return;
    const hub = this.#nextHub(open);
    if (hub === undefined) return;
    open.tried.add(hub);
    const question = ++this.#questions;
    open.round = { hub, question, awaited: undefined };
    this.#byQuestion.set(question, open);
    this.#spreads.set(open, nowMs + SPREAD_MS);
    const except = [...open.told].flatMap(([session, { isLast }]) => (isLast ? [session] : []));
    this.#parts.links.send(hub, { kind: "surveyAsk", question, survey: open.survey, except });
  }

  /** One that was not asked, and not the same for every survey. */
  #nextHub({ tried }: OpenSurvey): NodeId | undefined {
    const hubs = [...this.#parts.links.reachable()].filter((node) => !tried.has(node));
    return hubs[this.#questions % Math.max(1, hubs.length)];
  }

  /** The members that have not answered; none if it is not known which there are. */
  #missing({ told }: OpenSurvey): NodeId[] {
    const { self, members } = this.#parts;
    const sessions = (members()?.list ?? []).filter(({ role, id }) => role === "session" && id !== self);
    return sessions.flatMap(({ id }) => (told.get(id)?.isLast === true ? [] : [id]));
  }

  #tell(open: OpenSurvey, session: NodeId, { rows, isLast, isCut }: Part): void {
    // The hub and the session do not check what they pass on.
    if (rows.of !== open.survey.of) return;
    const told = open.told.get(session) ?? { rows: [], isLast: false, isCut: false };
    open.told.set(session, told);
    for (const row of rows.rows) told.rows.push(row);
    this.#rows += rows.rows.length;
    told.isLast = isLast;
    told.isCut = isCut;
    if (this.#rows <= ROWS_MAX) return;
    told.isCut = true;
    this.#answer(open);
  }

  #answerIfDone(open: OpenSurvey): boolean {
    if (!this.#isWhole(open)) return false;
    this.#answer(open);
    return true;
  }

  #isWhole(open: OpenSurvey): boolean {
    const { self, members } = this.#parts;
    if (open.told.get(self)?.isLast !== true) return false;
    return open.isAlone || (members() !== undefined && this.#missing(open).length === 0);
  }

  #answer(open: OpenSurvey): void {
    // Too many rows are told once.
    if (this.#open.get(open.asker) !== open) return;
    const { self } = this.#parts;
    const isWhole = this.#isWhole(open);
    const own = open.told.get(self)?.isLast === true ? [] : [self];
    const unanswered = [...own, ...(open.isAlone ? [] : this.#missing(open))];
    const isCut = [...open.told.values()].some((told) => told.isCut);
    this.#release(open);
    const answered = [...open.told].filter(([, { isLast }]) => isLast);
    const sessions = answered
      .sort(([one], [other]) => Number(other === self) - Number(one === self))
      .map(([session, { rows }]): SurveyedSession => ({ session, rows: { of: open.survey.of, rows } as SurveyRows }));
    open.asker.answer({ kind: "survey", sessions, unanswered, isWhole, isCut });
  }

  /** Forgets the survey, here and at its hub. */
  #release(open: OpenSurvey): void {
    this.#open.delete(open.asker);
    this.#ends.delete(open);
    open.endOwn();
    this.#endRound(open);
    for (const { rows } of open.told.values()) this.#rows -= rows.length;
  }

  #leaveHub(open: OpenSurvey, nowMs: number): void {
    this.#endRound(open);
    this.#goOn(open, nowMs);
  }

  /** The hub is no longer waited for: what has come of a session in part comes anew through another one. */
  #endRound(open: OpenSurvey): void {
    const { round } = open;
    if (round === undefined) return;
    open.round = undefined;
    this.#byQuestion.delete(round.question);
    this.#spreads.delete(open);
    if (round.awaited?.size !== 0) {
      this.#parts.links.send(round.hub, { kind: "surveyRelease", questions: [round.question] });
    }
    for (const [session, { rows, isLast }] of open.told) {
      if (isLast || session === this.#parts.self) continue;
      this.#rows -= rows.length;
      open.told.delete(session);
    }
  }
}
