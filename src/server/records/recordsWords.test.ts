import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import type { Commit, StoredRecord } from "../../records/records.ts";
import { refusedAs } from "../../store/testing/testRecords.ts";
import { RecordsAnswers } from "./answerRecords.ts";
import {
  readChanges,
  readCommits,
  readOutcomes,
  readQuestion,
  readRange,
  readRangePage,
  writeChanges,
  writeCommits,
  writeOutcomes,
  writeQuestion,
  writeRange,
  writeRangePage,
} from "./recordsWords.ts";

const RECORD: StoredRecord = {
  key: "gateways/p/\u{1f490}",
  value: new Uint8Array([0, 255, 128]),
  revision: 9_007_199_254_740_993n,
  createdRevision: 1n,
};
const COMMITS: readonly Commit[] = [
  {
    conditions: [{ kind: "revision", key: "gateways/p/a", revision: 0n }],
    operations: [
      { kind: "put", key: "gateways/p/a", value: new Uint8Array() },
      { kind: "delete", key: "gateways/p/b" },
    ],
  },
  { conditions: [], operations: [] },
];

test("questions and answers come back as they were", () => {
  for (const query of [
    { from: "a", to: "" },
    { from: "a", to: "b", limit: 1, at: 0n },
  ]) {
    assert.deepEqual(readRange(writeRange(query)), query);
  }
  const question = { range: { from: "a", to: "b" }, after: 7n, waitMs: 10 };
  assert.deepEqual(readQuestion(writeQuestion(question)), question);
  const page = { kind: "page", revision: 8n, records: [RECORD], isLast: false } as const;
  assert.deepEqual(readRangePage(writeRangePage(page)), page);
  const deleted = { kind: "deleted", key: "gateways/p/b", revision: 3n } as const;
  const changes = [deleted, { kind: "put", record: RECORD } as const];
  const told = { kind: "changes", changes, revision: 8n, isLast: true } as const;
  assert.deepEqual(readChanges(writeChanges(told)), told);
  const compacted = { kind: "compacted", oldest: 8n } as const;
  assert.deepEqual(readChanges(writeChanges(compacted)), compacted);
  assert.deepEqual(readRangePage(writeRangePage(compacted)), compacted);
  assert.deepEqual(readCommits(writeCommits(COMMITS)), COMMITS);
  const error = { code: "RECORD_TOO_LARGE", message: "too large", retry: false };
  const condition = COMMITS[0]?.conditions[0];
  assert.ok(condition !== undefined);
  const outcomes = [{ kind: "refused", condition } as const, { kind: "failed", error } as const];
  assert.deepEqual(readOutcomes(COMMITS, writeOutcomes(COMMITS, outcomes)), outcomes);
});

test("what is no question is refused with its value, and nothing else happens", async () => {
  const readers = [readRange, readQuestion, readCommits, readRangePage, readChanges];
  const wrong = ["", "{", "null", "[]", "1", "{}", '{"from":1,"to":""}', '{"commits":{}}', '{"commits":[1]}'];
  const worse = ['{"from":"a","to":"b","after":"-1","waitMs":1}', '{"from":"a","to":"b","at":1}', '{"oldest":1}'];
  const commits = ['{"commits":[{"if":[["a"]],"do":[]}]}', '{"commits":[{"if":[],"do":[["a",1]]}]}'];
  for (const text of [...wrong, ...worse, ...commits]) {
    for (const read of readers) {
      if (read === readRange && text.includes("after")) continue;
      assert.throws(() => read(text), refusedAs("FIELD_INVALID", "records"), `${read.name}: ${text}`);
    }
  }
  assert.throws(() => readOutcomes(COMMITS, '{"outcomes":[]}'), refusedAs("FIELD_INVALID"));
  assert.throws(() => readOutcomes(COMMITS, '{"outcomes":[{"unmet":7},{"revision":"1"}]}'), refusedAs("FIELD_INVALID"));
});

test("a node without the store refuses questions, and knows no other names", async () => {
  const answers = new RecordsAnswers(undefined);
  for (const name of ["range", "commit", "changes"]) {
    const answer = answers.answer(`records/${name}`, '{"from":"a","to":"b","after":"1","waitMs":1,"commits":[]}');
    await assert.rejects(
      answer ?? Promise.resolve(),
      (error) => error instanceof RegistryError && error.code === "ROLE_NEEDED",
    );
  }
  assert.equal(answers.answer("records/other", "{}"), undefined);
});
