// Passes the surveys of sessions on to all other sessions, and their answers back: sessions have no links to each
// other, and each has one to every data node. The hub keeps no rows.

import { SURVEYS_MAX, type SurveyFromSession, type SurveyToSession } from "../cluster/messages/survey.ts";
import type { NodeId } from "../model/ids.ts";
import type { DataOutput } from "./dataPorts.ts";

type Of<Kind extends SurveyFromSession["kind"]> = Extract<SurveyFromSession, { kind: Kind }>;

export class SurveyHub {
  readonly #output: Pick<DataOutput, "toSession">;
  readonly #sessions = new Set<NodeId>();
  /** The sessions that have not answered a question, by the session that asks and its number. */
  readonly #awaited = new Map<NodeId, Map<number, Set<NodeId>>>();

  constructor(output: Pick<DataOutput, "toSession">) {
    this.#output = output;
  }

  /** The sessions that wait for answers. */
  askers(): Iterable<NodeId> {
    return this.#awaited.keys();
  }

  fromSession(from: NodeId, message: SurveyFromSession): void {
    if (message.kind === "surveyAsk") this.#ask(from, message);
    else if (message.kind === "surveyPart") this.#pass(from, message);
    else for (const question of message.questions) this.#release(from, question);
  }

  linked(session: NodeId): void {
    this.#sessions.add(session);
  }

  /** Its questions end, and nothing more comes from it. */
  unlinked(session: NodeId): void {
    this.#sessions.delete(session);
    for (const question of [...(this.#awaited.get(session)?.keys() ?? [])]) this.#release(session, question);
    for (const [asker, ofAsker] of [...this.#awaited]) {
      for (const [question, awaited] of [...ofAsker]) {
        if (!awaited.delete(session)) continue;
        this.#send(asker, { kind: "surveyLost", question, session });
        this.#forgetIfDone(asker, question);
      }
    }
  }

  /** Of more than SURVEYS_MAX questions of one session the last are ignored. */
  #ask(asker: NodeId, { question, survey, except }: Of<"surveyAsk">): void {
    const ofAsker = this.#awaited.get(asker) ?? new Map<number, Set<NodeId>>();
    if (ofAsker.size >= SURVEYS_MAX || ofAsker.has(question)) return;
    const awaited = new Set(this.#sessions);
    for (const session of [asker, ...except]) awaited.delete(session);
    this.#send(asker, { kind: "surveySpread", question, sessions: [...awaited] });
    if (awaited.size === 0) return;
    this.#awaited.set(asker, ofAsker.set(question, awaited));
    // One message for all: its bytes are made once.
    const asked: SurveyToSession = { kind: "surveyAsked", asker, question, survey };
    for (const session of awaited) this.#send(session, asked);
  }

  #pass(session: NodeId, { asker, question, rows, isLast, isCut }: Of<"surveyPart">): void {
    const awaited = this.#awaited.get(asker)?.get(question);
    if (awaited?.has(session) !== true) return;
    this.#send(asker, { kind: "surveyAnswer", question, session, rows, isLast, isCut });
    if (isLast) awaited.delete(session);
    this.#forgetIfDone(asker, question);
  }

  #release(asker: NodeId, question: number): void {
    const awaited = this.#awaited.get(asker)?.get(question) ?? [];
    const ended: SurveyToSession = { kind: "surveyEnded", asker, questions: [question] };
    for (const session of awaited) this.#send(session, ended);
    this.#forget(asker, question);
  }

  #forgetIfDone(asker: NodeId, question: number): void {
    if (this.#awaited.get(asker)?.get(question)?.size === 0) this.#forget(asker, question);
  }

  #forget(asker: NodeId, question: number): void {
    const ofAsker = this.#awaited.get(asker);
    ofAsker?.delete(question);
    if (ofAsker?.size === 0) this.#awaited.delete(asker);
  }

  #send(session: NodeId, message: SurveyToSession): void {
    this.#output.toSession(session, message);
  }
}
