// A data node between sessions that ask each other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SURVEYS_MAX, type SurveyToSession } from "../cluster/messages/survey.ts";
import { type NodeId, nodeId } from "../model/ids.ts";
import { SurveyHub } from "./surveyHub.ts";
import { SESSION, serving, type TestData } from "./testing/harness.ts";

const [A, B, C] = [nodeId("a.1"), nodeId("b.1"), nodeId("c.1")] as const;
const SURVEY = { of: "clients", serviceKey: undefined, host: "", appName: "", rowsMax: 10 } as const;
const ROWS = { of: "clients", rows: [] } as const;

/** A hub with the links of three sessions, and its messages as `to: text`. */
function scene() {
  const sent: string[] = [];
  const toSession = (to: NodeId, message: SurveyToSession) => void sent.push(`${to.slice(0, 1)}: ${textOf(message)}`);
  const hub = new SurveyHub({ toSession } as ConstructorParameters<typeof SurveyHub>[0]);
  for (const session of [A, B, C]) hub.linked(session);
  const told = () => sent.splice(0);
  const ask = (from: NodeId, { question = 1, except = [] as readonly NodeId[] } = {}) => {
    hub.fromSession(from, { kind: "surveyAsk", question, survey: SURVEY, except });
    return told();
  };
  const answer = (from: NodeId, { asker = A as NodeId, question = 1, isLast = true, isCut = false } = {}) => {
    hub.fromSession(from, { kind: "surveyPart", asker, question, rows: ROWS, isLast, isCut });
    return told();
  };
  return { hub, told, ask, answer, askers: () => [...hub.askers()] };
}

function textOf(message: SurveyToSession): string {
  switch (message.kind) {
    case "surveySpread":
      return `${message.question} spread to ${message.sessions.map((id) => id.slice(0, 1)).join("")}`;
    case "surveyAnswer":
      return `${message.question} of ${message.session.slice(0, 1)}${marksOf(message)}`;
    case "surveyLost":
      return `${message.question} without ${message.session.slice(0, 1)}`;
    case "surveyAsked":
      return `asked ${message.question} by ${message.asker.slice(0, 1)}`;
    case "surveyEnded":
      return `ended ${message.questions.join(" ")} of ${message.asker.slice(0, 1)}`;
  }
}

function marksOf({ isLast, isCut }: { readonly isLast: boolean; readonly isCut: boolean }): string {
  return `${isLast ? "" : "…"}${isCut ? "+" : ""}`;
}

test("all other sessions are asked, the asker hears which, and gets their answers", () => {
  const { ask, answer, askers } = scene();
  assert.deepEqual(ask(A), ["a: 1 spread to bc", "b: asked 1 by a", "c: asked 1 by a"]);
  assert.deepEqual(answer(B, { isLast: false }), ["a: 1 of b…"]);
  assert.deepEqual(answer(B, { isCut: true }), ["a: 1 of b+"]);
  assert.deepEqual(askers(), [A]);
  assert.deepEqual(answer(C), ["a: 1 of c"]);
  assert.deepEqual(askers(), []);
});

test("sessions that have answered elsewhere are not asked, and with no other nothing waits", () => {
  const { ask, askers } = scene();
  assert.deepEqual(ask(A, { except: [B] }), ["a: 1 spread to c", "c: asked 1 by a"]);
  assert.deepEqual(ask(A, { question: 2, except: [B, C] }), ["a: 2 spread to "]);
  assert.deepEqual(askers(), [A]);
});

test("what nobody has asked for, or has been answered, is not passed on", () => {
  const { ask, answer } = scene();
  assert.deepEqual(answer(B), []);
  ask(A);
  assert.deepEqual(answer(B, { question: 2 }), []);
  assert.deepEqual(answer(B, { asker: C }), []);
  answer(B);
  assert.deepEqual(answer(B), []);
});

test("the asker hears of a session whose link is gone; a question of that session ends", () => {
  const { hub, told, ask, answer, askers } = scene();
  ask(A);
  ask(B);
  answer(C);
  hub.unlinked(B);
  assert.deepEqual(told(), ["a: ended 1 of b", "c: ended 1 of b", "a: 1 without b"]);
  assert.deepEqual(askers(), []);
  assert.deepEqual(ask(A, { question: 2 }), ["a: 2 spread to c", "c: asked 2 by a"]);
});

test("a question that is taken back ends at the sessions that have not answered", () => {
  const { hub, told, ask, answer, askers } = scene();
  ask(A);
  answer(B);
  hub.fromSession(A, { kind: "surveyRelease", questions: [1, 7] });
  assert.deepEqual([told(), askers()], [["c: ended 1 of a"], []]);
  assert.deepEqual(answer(C), []);
});

test("of one session no more questions are passed on at once than it may ask, and each once", () => {
  const { ask } = scene();
  for (let question = 1; question <= SURVEYS_MAX; question++) ask(A, { question });
  assert.deepEqual(ask(A, { question: SURVEYS_MAX + 1 }), []);
  assert.equal(ask(B, { question: 1 }).length, 3);
  const again = scene();
  again.ask(A);
  assert.deepEqual(again.ask(A), []);
});

test("a data node is a hub for the sessions that have a link to it", () => {
  const node: TestData = serving();
  node.tell({ kind: "surveyAsk", question: 1, survey: SURVEY, except: [] });
  assert.deepEqual(
    node.sent.map(({ message }) => message.kind),
    ["surveySpread", "surveyAsked"],
  );
  assert.deepEqual([...node.data.parts.surveyAskers], [SESSION]);
  node.step({ kind: "sessionDown", session: SESSION });
  assert.deepEqual([...node.data.parts.surveyAskers], []);
});
