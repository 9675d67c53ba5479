// Surveys at a session: its own clients, and the answers of other sessions through a data node.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { SessionToData } from "../cluster/messages/sessionData.ts";
import { SURVEYS_MAX, type SurveyToSession } from "../cluster/messages/survey.ts";
import { brandServiceKey, clientId, type NodeId, nodeId } from "../model/ids.ts";
import type { ClientRow, Survey } from "../model/survey.ts";
import type { SurveyAsker } from "../registry/survey.ts";
import {
  connect,
  DATA,
  disconnect,
  forgetSent,
  fromData,
  nowMs,
  ORDERS,
  pass,
  publish,
  reset,
  START_MS,
  session,
  snapshot,
  subscribe,
  toData,
  useBareSession,
} from "./testing/harness.ts";

beforeEach(reset);

const SELF = nodeId("session-1");
const [B, C] = [nodeId("session-2"), nodeId("session-3")] as const;
const OTHER_DATA = nodeId("data-2");
const STOCK = brandServiceKey("stock#@#I#@#G");

const at = (host: string, port = 1) => clientId(`${host}:${port}_10.0.0.2:9600`);
const client = (host = "10.0.0.7", port = 1) => connect(host, at(host, port));

interface Ask extends Partial<Survey> {
  readonly reach?: "cluster" | "session";
  readonly forMs?: number;
}

/** Asks; `heard` has the sessions and the numbers of their rows, then those that have not answered. */
function ask({ reach = "cluster", forMs = 1_000, ...changes }: Ask = {}) {
  const survey: Survey = { of: "clients", serviceKey: undefined, host: "", appName: "", rowsMax: 1_000, ...changes };
  const heard: string[] = [];
  const rows: unknown[] = [];
  const asker: SurveyAsker = {
    answer: (answer) => {
      if (answer.kind === "failed") return void heard.push(answer.error.code);
      const { sessions, unanswered, isWhole, isCut } = answer;
      const told = sessions.map(({ session: one, rows: of }) => `${one} ${of.rows.length}`).join(", ");
      const missing = unanswered.length === 0 ? "" : ` without ${unanswered.join(" ")}`;
      heard.push(`${told}${missing}${isWhole ? "" : "…"}${isCut ? "+" : ""}`);
      for (const one of sessions) rows.push(...one.rows.rows);
    },
  };
  session.step({ kind: "askedSurvey", asker, survey, reach, untilMs: nowMs + forMs }, nowMs);
  return { asker, heard, rows };
}

/** The rows of a survey of this session's clients. */
function own(changes: Ask): unknown[] {
  const { rows } = ask({ reach: "session", ...changes });
  // It may have to wait for the pause after an earlier one.
  pass(1);
  return rows;
}

let serial = 0;
function members(...sessions: readonly NodeId[]): void {
  const list = sessions.map((id) => ({ id, role: "session", address: `${id}:1` }) as const);
  session.step(
    { kind: "fromMeta", message: { kind: "members", members: { epoch: 1n, serial: ++serial, list } } },
    nowMs,
  );
}

const sent = <Kind extends SessionToData["kind"]>(kind: Kind) =>
  toData.filter((message): message is Extract<SessionToData, { kind: Kind }> => message.kind === kind);
const question = () => sent("surveyAsk").at(-1)?.question ?? 0;
const spread = (...sessions: readonly NodeId[]) => fromData({ kind: "surveySpread", question: question(), sessions });

const row = (host: string): ClientRow => {
  return { client: at(host), principal: "", connectedMs: 1, publishers: 0, subscribers: 0, watches: 0 };
};

function answer(from: NodeId, changes: Partial<Extract<SurveyToSession, { kind: "surveyAnswer" }>> = {}): void {
  const rows = { of: "clients", rows: [row("10.0.0.9")] } as const;
  const part = { kind: "surveyAnswer", question: question(), session: from, rows, isLast: true, isCut: false } as const;
  fromData({ ...part, ...changes });
}

test("the clients of all sessions are told, each with its session", () => {
  client();
  members(SELF, B, C);
  const { heard, rows } = ask();
  assert.deepEqual(sent("surveyAsk")[0]?.except, []);
  spread(B, C);
  answer(C, { isLast: false });
  answer(B);
  assert.deepEqual(heard, []);
  answer(C);
  assert.deepEqual(heard, [`${SELF} 1, ${C} 2, ${B} 1`]);
  assert.equal(rows.length, 4);
  assert.deepEqual(sent("surveyRelease"), [], "nothing is left to be released");
});

test("one that is alone, or is asked for its own clients, asks nobody", () => {
  client();
  assert.deepEqual(ask({ reach: "session" }).heard, [`${SELF} 1`]);
  members(SELF);
  const { heard } = ask();
  pass(1);
  assert.deepEqual(heard, [`${SELF} 1`]);
  assert.deepEqual(sent("surveyAsk"), []);
});

test("sessions that do not answer in time are named, and what they have told in part is left out", () => {
  members(SELF, B, C);
  const { heard } = ask();
  spread(B, C);
  answer(C, { isLast: false });
  pass(999);
  assert.deepEqual(heard, []);
  pass(1);
  assert.deepEqual(heard, [`${SELF} 0 without ${B} ${C}…`]);
  assert.deepEqual(
    sent("surveyRelease").map(({ questions }) => questions),
    [[1]],
  );
  answer(C, { question: 1 });
  assert.equal(heard.length, 1);
});

test("while it is not known which sessions there are, the answer is not whole", () => {
  const { heard } = ask();
  pass(1_000);
  assert.deepEqual(heard, [`${SELF} 0…`]);
  const late = ask();
  members(SELF);
  assert.deepEqual(late.heard, [`${SELF} 0`]);
});

test("a hub that does not pass the question on, as one of an earlier release, is left for another", () => {
  session.step({ kind: "dataUp", node: OTHER_DATA }, nowMs);
  forgetSent();
  members(SELF, B);
  const { heard } = ask();
  pass(499);
  assert.equal(sent("surveyAsk").length, 1);
  pass(1);
  assert.deepEqual([sent("surveyAsk").length, question()], [2, 2]);
  const from = OTHER_DATA;
  session.step({ kind: "fromData", from, message: { kind: "surveySpread", question: 2, sessions: [B] } }, nowMs);
  const part = { kind: "surveyAnswer", question: 2, session: B, rows: { of: "clients", rows: [] } } as const;
  session.step({ kind: "fromData", from, message: { ...part, isLast: true, isCut: false } }, nowMs);
  assert.deepEqual(heard, [`${SELF} 0, ${B} 0`]);
});

for (const [what, lose] of [
  ["a session", () => fromData({ kind: "surveyLost", question: question(), session: B })],
  ["the hub", () => session.step({ kind: "dataDown", node: DATA }, nowMs)],
] as const) {
  test(`when the link of ${what} is gone, the next hub is asked for what is missing, and nothing is told twice`, () => {
    members(SELF, B, C);
    const { heard } = ask();
    spread(B, C);
    answer(C);
    answer(B, { isLast: false });
    lose();
    assert.equal(sent("surveyAsk").length, 1, "there is no other one");
    session.step({ kind: "dataUp", node: OTHER_DATA }, nowMs);
    const second = sent("surveyAsk").at(-1);
    assert.deepEqual([second?.question, second?.except], [2, [SELF, C]]);
    const told = { rows: { of: "clients", rows: [row("10.0.0.9")] }, isLast: true, isCut: false } as const;
    for (const message of [
      { kind: "surveySpread", question: 2, sessions: [B] },
      { kind: "surveyAnswer", question: 2, session: B, ...told },
    ] as const) {
      session.step({ kind: "fromData", from: OTHER_DATA, message }, nowMs);
    }
    assert.deepEqual(heard, [`${SELF} 0, ${C} 1, ${B} 1`]);
  });
}

test("a session that has no link to the hub is asked for again after a while", () => {
  members(SELF, B);
  const { heard } = ask({ forMs: 20_000 });
  spread();
  pass(5_000);
  assert.equal(sent("surveyAsk").length, 2);
  spread(B);
  answer(B);
  assert.deepEqual(heard, [`${SELF} 0, ${B} 1`]);
});

test("a hub whose link was lost and made again is asked anew, at once", () => {
  members(SELF, B);
  const { heard } = ask();
  fromData({ kind: "surveySpread", question: question(), sessions: [] });
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  assert.equal(question(), 2);
  spread(B);
  answer(B);
  assert.deepEqual(heard, [`${SELF} 0, ${B} 1`]);
});

test("without any hub a survey waits for one; a session that is no member any more is not waited for", () => {
  useBareSession();
  members(SELF, B);
  const { heard } = ask();
  session.step({ kind: "dataUp", node: DATA }, nowMs);
  assert.equal(sent("surveyAsk").length, 1);
  members(SELF);
  assert.deepEqual(heard, [`${SELF} 0`]);
});

test("what another node says of another question, or of another kind, changes nothing", () => {
  members(SELF, B);
  const { heard } = ask();
  spread(B);
  answer(B, { question: 7 });
  answer(C);
  session.step(
    { kind: "fromData", from: OTHER_DATA, message: { kind: "surveyLost", question: question(), session: B } },
    nowMs,
  );
  answer(B, { rows: { of: "watches", rows: [] }, isLast: false });
  assert.deepEqual(heard, []);
  answer(B);
  assert.deepEqual(heard, [`${SELF} 0, ${B} 1`]);
});

test("a survey ends when its asker gives up, here and at the hub", () => {
  members(SELF, B);
  const { asker, heard } = ask();
  session.step({ kind: "gaveUpSurvey", asker }, nowMs);
  session.step({ kind: "gaveUpSurvey", asker }, nowMs);
  assert.deepEqual([sent("surveyRelease").length, session.parts.surveys.waiting], [1, 0]);
  pass(2_000);
  assert.deepEqual(heard, []);
});

test("no more surveys wait than may; a host that is no address is refused", () => {
  members(SELF, B);
  for (let count = 0; count < SURVEYS_MAX; count++) ask();
  assert.deepEqual(ask().heard, ["QUERIES_EXHAUSTED"]);
  assert.deepEqual(own({ host: "nowhere" }), []);
  assert.deepEqual(ask({ host: "nowhere" }).heard, ["FIELD_INVALID"]);
});

test("too many rows in all surveys together end the one that has them, which says so", () => {
  members(SELF, B);
  const { heard } = ask();
  spread(B);
  const rows = { of: "clients", rows: new Array<ClientRow>(200_001).fill(row("10.0.0.9")) } as const;
  answer(B, { rows, isLast: false });
  assert.deepEqual(heard, [`${SELF} 0 without ${B}…+`]);
});

test("another session's question is answered in parts, with its conditions, and ends with its hub", () => {
  for (let port = 1; port <= 600; port++) client("10.0.0.7", port);
  client("10.0.0.8");
  const asked = (number: number, survey: Partial<Survey>) => {
    const whole: Survey = { of: "clients", serviceKey: undefined, host: "", appName: "", rowsMax: 1_000, ...survey };
    fromData({ kind: "surveyAsked", asker: B, question: number, survey: whole });
  };
  const parts = (number: number) =>
    sent("surveyPart").flatMap(({ question: of, rows, isLast, isCut }) =>
      of === number ? [`${rows.rows.length}${isLast ? "" : "…"}${isCut ? "+" : ""}`] : [],
    );
  asked(1, { host: "10.0.0.7" });
  pass(100);
  assert.deepEqual(parts(1), ["250…", "250…", "100"]);
  asked(2, { rowsMax: 2 });
  assert.deepEqual(parts(2), ["2+"]);
  asked(3, {});
  asked(4, {});
  fromData({ kind: "surveyEnded", asker: B, questions: [3, 9] });
  session.step({ kind: "dataDown", node: DATA }, nowMs);
  assert.equal(session.parts.surveyAnswers.running, 0);
  pass(100);
  assert.ok(!parts(3).includes("101") && !parts(4).includes("101"));
});

test("a long walk takes several steps, and a short one does not wait for it", () => {
  for (let port = 1; port <= 5_000; port++) client("10.0.0.7", port);
  client("10.0.0.8");
  const long = ask({ reach: "session", of: "applications", forMs: 10_000 });
  const short = ask({ reach: "session", host: "10.0.0.8" });
  assert.deepEqual(long.heard, []);
  pass(2);
  assert.deepEqual(short.heard, [`${SELF} 1`]);
  pass(20);
  assert.deepEqual(long.heard, [`${SELF} 0`]);
});

test("publishers are told with application, zone, version and time; those of departed clients are not", () => {
  const [one, other] = [client(), client("10.0.0.8")];
  publish(one, { appName: "shop", version: 3n });
  publish(one, { registId: "p2", serviceKey: STOCK });
  publish(other, { registId: "p3" });
  const first = { serviceKey: ORDERS, registId: "p1", client: one.id, version: 3n, appName: "shop", zone: "Z" };
  assert.deepEqual(own({ of: "publishers", appName: "shop" }), [{ ...first, registeredMs: START_MS }]);
  const idsOf = (changes: Ask) => own({ of: "publishers", ...changes }).map((each) => (each as typeof first).registId);
  assert.deepEqual(idsOf({}), ["p1", "p2", "p3"]);
  assert.deepEqual(idsOf({ serviceKey: ORDERS }), ["p1", "p3"]);
  assert.deepEqual(idsOf({ serviceKey: ORDERS, host: "10.0.0.8" }), ["p3"]);
  assert.deepEqual(idsOf({ host: "10.0.0.7" }), ["p1", "p2"]);
  disconnect(one);
  assert.deepEqual(idsOf({}), ["p3"]);
  assert.deepEqual(idsOf({ serviceKey: ORDERS }), ["p3"]);
});

test("subscribers are told with what they were sent last, and when, and what they have confirmed", () => {
  const one = client();
  subscribe(one, { appName: "shop" });
  const before = { serviceKey: ORDERS, registId: "s1", client: one.id, version: 1n, appName: "shop", zone: "Z" };
  const known = { ...before, scope: "dataCenter", registeredMs: START_MS };
  const nothing = { pushedVersion: 0n, pushedMs: 0, seenVersion: 0n };
  for (const by of [{}, { serviceKey: ORDERS }, { host: "10.0.0.7" }, { appName: "shop" }]) {
    assert.deepEqual(own({ of: "subscribers", ...by }), [{ ...known, ...nothing }]);
  }
  for (const by of [{ serviceKey: STOCK }, { host: "10.0.0.8" }, { appName: "other" }]) {
    assert.deepEqual(own({ of: "subscribers", ...by }), []);
  }
  snapshot(5n);
  const pushedMs = nowMs;
  assert.deepEqual(own({ of: "subscribers" }), [{ ...known, pushedVersion: 5n, pushedMs, seenVersion: 0n }]);
  session.step({ kind: "pushAnswered", client: one.id, push: one.channel.pushes[0]?.id ?? 0, isTaken: true }, nowMs);
  assert.deepEqual(own({ of: "subscribers" }), [{ ...known, pushedVersion: 5n, pushedMs, seenVersion: 5n }]);
});

test("watches, clients and counts: by service, by application, of the session", () => {
  const [one, other] = [client(), client("10.0.0.8")];
  publish(one, { appName: "shop" });
  subscribe(one, { appName: "shop" });
  subscribe(other, { appName: "bank" });
  const key = { serviceKey: STOCK, registId: "w1", version: 1n };
  session.step({ kind: "watchedConfig", client: other.id, request: 1, key }, nowMs);
  assert.deepEqual(own({ of: "watches" }), [{ ...key, client: other.id, seenVersion: 0n }]);
  assert.deepEqual(own({ of: "watches", serviceKey: STOCK, host: "10.0.0.7" }), []);
  const common = { principal: "", connectedMs: START_MS };
  const first = { client: one.id, ...common, publishers: 1, subscribers: 1, watches: 0 };
  const second = { client: other.id, ...common, publishers: 0, subscribers: 1, watches: 1 };
  assert.deepEqual(own({}), [first, second]);
  assert.deepEqual(own({ appName: "shop" }), [first]);
  assert.deepEqual(own({ serviceKey: STOCK }), [second]);
  assert.deepEqual(own({ of: "services" }), [
    { name: ORDERS, clients: 2, publishers: 1, subscribers: 2, watches: 0 },
    { name: STOCK, clients: 1, publishers: 0, subscribers: 0, watches: 1 },
  ]);
  assert.deepEqual(own({ of: "services", serviceKey: STOCK, host: "10.0.0.7" }), []);
  assert.deepEqual(own({ of: "applications" }), [
    { name: "shop", clients: 1, publishers: 1, subscribers: 1, watches: 0 },
    { name: "bank", clients: 1, publishers: 0, subscribers: 1, watches: 0 },
  ]);
  assert.deepEqual(own({ of: "applications", appName: "bank", serviceKey: ORDERS }), [
    { name: "bank", clients: 1, publishers: 0, subscribers: 1, watches: 0 },
  ]);
  assert.deepEqual(own({ of: "sessions" }), [{ name: SELF, clients: 2, publishers: 1, subscribers: 2, watches: 1 }]);
  assert.deepEqual(own({ of: "sessions", appName: "shop" }), [
    { name: SELF, clients: 1, publishers: 1, subscribers: 1, watches: 0 },
  ]);
  assert.deepEqual(own({ of: "watches", appName: "shop" }), []);
});

test("of other sessions' surveys no more are answered at once than a session can go on with", () => {
  client();
  const survey: Survey = { of: "clients", serviceKey: undefined, host: "", appName: "", rowsMax: 10 };
  // All begin in one step's pause, and none is done before the last has come.
  for (let port = 1; port <= 3_000; port++) client("10.0.0.9", port);
  for (let number = 1; number <= 600; number++) {
    fromData({ kind: "surveyAsked", asker: B, question: number, survey: { ...survey, host: "10.0.0.8" } });
    fromData({ kind: "surveyAsked", asker: C, question: number, survey: { ...survey, of: "applications" } });
  }
  assert.ok(session.parts.surveyAnswers.running <= 500);
  pass(10_000);
  const answered = sent("surveyPart").filter(({ isLast }) => isLast).length;
  assert.ok(answered >= 500 && answered < 1_200, `${answered}`);
  assert.equal(session.parts.surveyAnswers.running, 0);
});

test("of too many names of applications the further ones are left out, and the answer is cut", () => {
  for (let at = 0; at <= 10_000; at++) subscribe(client("10.0.0.7", at), { appName: `app-${at}` });
  const { heard } = ask({ reach: "session", of: "applications", rowsMax: 20_000, forMs: 60_000 });
  pass(1_000);
  assert.deepEqual(heard, [`${SELF} 10000+`]);
});
