import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { commandOf } from "../admin/command.ts";
import type { Operation } from "../admin/operation.ts";
import { getConfig } from "../admin/operations/configs.ts";
import { blockNode, listNodes } from "../admin/operations/nodes.ts";
import { describeService } from "../admin/operations/services.ts";
import { listSlots } from "../admin/operations/slots.ts";
import type { Answer } from "./nodeClient.ts";
import { type OutputForm, printAnswer } from "./output.ts";

function printed(t: TestContext, operation: Operation, answer: Answer, form: OutputForm = "table") {
  const lines: string[] = [];
  const notes: string[] = [];
  t.mock.method(console, "log", (line: string) => lines.push(line));
  t.mock.method(console, "error", (line: string) => notes.push(line));
  printAnswer(commandOf(operation), answer, form);
  t.mock.restoreAll();
  return { lines, notes };
}

const SLOTS = {
  items: [
    { id: 1, leader: "d1.a", leaderEpoch: "7", followers: ["d2.b", "d3.c"], inSync: ["d2.b"], state: "serving" },
    { id: 20, leader: "d2.b", leaderEpoch: "7", followers: [], inSync: [], state: "held" },
  ],
  epoch: "9",
  leader: "m1.a",
};

test("rows are a table, with a dash for what is not there", (t) => {
  assert.deepEqual(printed(t, listSlots, SLOTS), {
    lines: [
      "ID  LEADER  LEADER-EPOCH  FOLLOWERS  STATE",
      "1   d1.a    7             d2.b,d3.c  serving",
      "20  d2.b    7             -          held",
    ],
    notes: [],
  });
});

test("wide has all fields, name the first alone", (t) => {
  const { lines } = printed(t, listSlots, SLOTS, "wide");
  assert.match(lines[0] ?? "", /^ID .*STATE +IN-SYNC$/);
  assert.deepEqual(printed(t, listSlots, SLOTS, "name").lines, ["1", "20"]);
});

test("JSON and YAML have the answer whole, without notes", (t) => {
  const { lines, notes } = printed(t, listSlots, { ...SLOTS, leader: null }, "json");
  assert.deepEqual(JSON.parse(lines.join("\n")), { ...SLOTS, leader: null });
  assert.deepEqual(notes, []);
  assert.match(printed(t, listSlots, SLOTS, "yaml").lines.join("\n"), /^items:\n {2}- id: 1$/m);
});

test("what is missing is said on standard error", (t) => {
  const answer = { items: [], leader: null, unreachable: [{ node: "d2.b", reason: "no link" }] };
  const { notes } = printed(t, listNodes, answer);
  assert.match(notes[0] ?? "", /no meta node leads/);
  assert.match(notes[1] ?? "", /d2.b did not answer.*no link/);
  const [behind] = printed(t, listNodes, { items: [], behind: ["d2.b", "s1.a"] }).notes;
  assert.match(behind ?? "", /d2\.b,s1\.a: not confirmed yet .* newest rules/);
  assert.deepEqual(printed(t, listNodes, { items: [], behind: [] }).notes, []);
  const page = { items: [], total: 5, next: "k", isCut: true, isWhole: false };
  const all = printed(t, listNodes, page).notes.join("\n");
  for (const part of [/--limit/, /--after 'k'/, /rows may be missing/]) assert.match(all, part);
});

test("a change is a sentence, a thing without rows its fields, a thing with rows both", (t) => {
  assert.deepEqual(printed(t, blockNode, { isDone: true, message: "n1 is blocked" }).lines, ["n1 is blocked"]);
  assert.deepEqual(printed(t, getConfig, { key: "k", version: "1" }).lines, ["key:      k", "version:  1"]);
  const { lines } = printed(t, describeService, { service: "s", items: [{ registId: "r1" }] });
  assert.deepEqual([lines[0], lines[1]], ["service:  s", ""]);
  assert.match(lines[2] ?? "", /^REGIST-ID /);
});

test("what a node says moves no cursor and shows no name as another one", (t) => {
  const answer = { items: [{ id: "d1\u202e\u009b2J" }] };
  assert.match(printed(t, listNodes, answer).lines[1] ?? "", /^d1\\u202e\\u009b2J /);
  const [json = ""] = printed(t, listNodes, answer, "json").lines;
  assert.doesNotMatch(json, /[\u202e\u009b]/);
  assert.deepEqual(JSON.parse(json), answer);
});
