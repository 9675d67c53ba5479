// A node without the store, and the meta nodes that it asks, as the test plays them.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { OperationOutcome } from "../../cluster/links/operationCalls.ts";
import { type NodeId, nodeId } from "../../model/ids.ts";
import { keysWith } from "../../records/keys.ts";
import { put, refusedAs } from "../../store/testing/testRecords.ts";
import { MetaSource } from "./metaSource.ts";
import { readCommits } from "./recordsWords.ts";

const [M1, M2] = [nodeId("m1.a"), nodeId("m2.a")];
const RANGE = keysWith("gateways/p/");
const PAGE = { kind: "answered", status: 200, body: '{"revision":"1","isLast":true,"records":[]}' } as const;
const COMMIT = { conditions: [], operations: [put("gateways/p/a")] };

const refusal = (code: string, retry: boolean): OperationOutcome => {
  return { kind: "answered", status: 503, body: JSON.stringify({ error: { code, message: `${code}: so`, retry } }) };
};

function scene(answers: Readonly<Record<NodeId, OperationOutcome>>, metas: readonly NodeId[] = [M1, M2]) {
  const asked: string[] = [];
  const source = new MetaSource({
    self: nodeId("s1.a"),
    metaNodes: () => metas,
    ask: (to, question, outcome) => {
      asked.push(`${String(to)} ${question.asked.operation}`);
      const answer = answers[to as NodeId];
      if (answer !== undefined) outcome(answer);
    },
  });
  return { source, asked };
}

test("a node stays with the meta node that answers, and goes on to another one when it does not", async () => {
  const answers: Record<NodeId, OperationOutcome> = { [M1]: PAGE, [M2]: PAGE };
  const { source, asked } = scene(answers);
  await source.range(RANGE);
  await source.range(RANGE);
  const first = asked[0]?.startsWith(M1) === true ? M1 : M2;
  const other = first === M1 ? M2 : M1;
  assert.deepEqual(asked, [`${first} records/range`, `${first} records/range`]);
  answers[first] = { kind: "unreachable", reason: "gone" };
  await source.range(RANGE);
  await source.range(RANGE);
  assert.deepEqual(asked.slice(2), [`${first} records/range`, `${other} records/range`, `${other} records/range`]);
  answers[other] = refusal("STORE_UNAVAILABLE", true);
  await assert.rejects(source.range(RANGE), refusedAs("STORE_UNAVAILABLE", "gone"));
  answers[first] = refusal("RECORD_INVALID", false);
  await assert.rejects(source.range(RANGE), refusedAs("RECORD_INVALID", "so"));
});

test("no meta node, or a closed source, is a store that is not there", async () => {
  const { source, asked } = scene({}, []);
  await assert.rejects(source.range(RANGE), refusedAs("STORE_UNAVAILABLE", "no meta node"));
  await assert.rejects(source.commit(COMMIT), refusedAs("STORE_UNAVAILABLE", "no meta node"));
  source.close();
  await assert.rejects(source.range(RANGE), refusedAs("STORE_UNAVAILABLE", "stops"));
  assert.deepEqual(asked, []);
});

test("a commit that was sent and not answered has an unknown outcome, and is sent to no other node", async () => {
  const lost = { kind: "unreachable", reason: "the link has ended" } as const;
  const { source, asked } = scene({ [M1]: lost, [M2]: lost });
  await assert.rejects(source.commit(COMMIT), refusedAs("STORE_OUTCOME_UNKNOWN", "the link has ended"));
  assert.equal(asked.length, 1);
  await assert.rejects(source.commit(COMMIT), refusedAs("STORE_OUTCOME_UNKNOWN"));
  assert.notEqual(asked[0], asked[1], "the next one goes elsewhere");
});

test("commits of one moment are one question, and each has its own outcome", async () => {
  const sizes: number[] = [];
  const error = { code: "RECORD_TOO_LARGE", message: "RECORD_TOO_LARGE: so", retry: false };
  const source = new MetaSource({
    self: nodeId("s1.a"),
    metaNodes: () => [M1],
    ask: (_to, { asked }, outcome) => {
      const commits = readCommits(asked.parameters);
      sizes.push(commits.length);
      const rows = commits.map((_, at) => (at === 1 ? { error } : { revision: String(at + 1) }));
      outcome({ kind: "answered", status: 200, body: JSON.stringify({ outcomes: rows }) });
    },
  });
  const [first, second, third] = await Promise.allSettled([COMMIT, COMMIT, COMMIT].map((each) => source.commit(each)));
  assert.deepEqual(sizes, [3]);
  assert.deepEqual(first, { status: "fulfilled", value: { kind: "committed", revision: 1n } });
  assert.ok(second?.status === "rejected");
  refusedAs("RECORD_TOO_LARGE", "so")(second.reason);
  assert.deepEqual(third, { status: "fulfilled", value: { kind: "committed", revision: 3n } });
});
