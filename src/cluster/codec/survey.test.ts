// The rows of each kind of survey, byte for byte, and how a message of a later release is taken.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SURVEY_KINDS, type SurveyKind, type SurveyRows } from "../../model/survey.ts";
import { decodeDataToSession, decodeSessionToData, encodeDataToSession, encodeSessionToData } from "./sessionData.ts";
import { GOLDEN_MESSAGES, SURVEY_ROWS } from "./testing/goldenMessages.ts";

/** Each kind of rows in `surveyAnswer`; the bytes may change only as format.ts allows. */
const GOLDEN_ROWS: Readonly<Record<SurveyKind, string>> = {
  publishers:
    "0111051673312e30613162326333641c6f726465727323402369234023672a31302e302e302e313a315f31302e302e302e323a3204c3a9047a3100ac02000100010106722d3102000000000000000303044278bcfe5680040000",
  subscribers:
    "0111051673312e30613162326333641c6f726465727323402369234023672a31302e302e302e313a315f31302e302e302e323a3204c3a9047a3100ac02000101010106722d310200000000000000030304024278bcfe5680040040000000000000003fe0000000000000000000000000000100",
  watches:
    "0111031673312e30613162326333641c6f726465727323402369234023672a31302e302e302e313a315f31302e302e302e323a3200ac02000102010106722d31020000000000000003000000000000000500",
  clients:
    "0111021673312e306131623263336404c3a900ac02000103012a31302e302e302e313a315f31302e302e302e323a32013fe000000000000001ac020200",
  services: "0111011673312e306131623263336400ac020001040104c3a9ac0201ac020200",
  applications: "0111011673312e306131623263336400ac020001050104c3a9ac0201ac020200",
  sessions: "0111011673312e306131623263336400ac020001060104c3a9ac0201ac020200",
};

const { surveyAnswer } = GOLDEN_MESSAGES["roster.DataToSession"];
const { surveyAsk } = GOLDEN_MESSAGES["roster.SessionToData"];
const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex, "hex"));

for (const kind of SURVEY_KINDS) {
  test(`rows of ${kind} are written and read as every release does`, () => {
    const message = { ...surveyAnswer, rows: SURVEY_ROWS[kind] };
    assert.equal(Buffer.from(encodeDataToSession(message)).toString("hex"), GOLDEN_ROWS[kind]);
    assert.deepEqual(decodeDataToSession(bytesOf(GOLDEN_ROWS[kind])), message);
  });
}

test("a survey of all services is told from one of a service without a name", () => {
  for (const serviceKey of [undefined, surveyAsk.survey.serviceKey]) {
    const message = { ...surveyAsk, survey: { ...surveyAsk.survey, serviceKey } };
    assert.deepEqual(decodeSessionToData(encodeSessionToData(message)), message);
  }
});

test("a kind of survey of a later release is unknown, in a question and in an answer", () => {
  const question = (of: SurveyKind) => encodeSessionToData({ ...surveyAsk, survey: { ...surveyAsk.survey, of } });
  const answer = (of: SurveyKind) => encodeDataToSession({ ...surveyAnswer, rows: { of, rows: [] } as SurveyRows });
  for (const [encode, decode] of [
    [question, decodeSessionToData],
    [answer, decodeDataToSession],
  ] as const) {
    const [first, last] = [encode("publishers"), encode("sessions")];
    // They differ in the byte that names the kind.
    const later = last.map((byte, at) => (byte === first[at] ? byte : SURVEY_KINDS.length));
    assert.notEqual(decode(last).kind, "unknown");
    assert.deepEqual(decode(later), { kind: "unknown", what: "a kind of survey" });
  }
});
