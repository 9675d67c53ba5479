import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOf, flagOf } from "./command.ts";
import { operation } from "./operation.ts";
import { OPERATIONS } from "./operations.ts";
import { list, object, text } from "./schema.ts";

const ROW = {
  method: "GET",
  path: "/x",
  about: "Says something.",
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "askedNode" },
  answer: object({ items: list(object({ id: text("Its id."), parts: list(text("A part."), "Its parts.") }), "Rows.") }),
  run: () => null,
} as const;

test("an operation that says nothing about its command has one", () => {
  const parameters = {
    limit: { type: "integer", min: 1, max: 9, default: 1, about: "The most." },
    node: { type: "node", isRequired: true, about: "The node." },
  } as const;
  const form = commandOf(operation({ ...ROW, name: "rules.list", parameters }));
  assert.deepEqual(form.words, ["get rules"]);
  assert.deepEqual(
    form.positional.map(({ name }) => name),
    ["node"],
  );
  assert.deepEqual(
    form.flags.map(({ name }) => name),
    ["limit"],
  );
  assert.equal(form.rows, "items");
  assert.deepEqual([form.columns, form.wide], [["id"], ["id", "parts"]]);
});

for (const [name, words] of [
  ["rules.describe", "describe rule"],
  ["rules.get", "get rule"],
  ["rules.add", "rule add"],
] as const) {
  test(`${name} is the command ${words}`, () => {
    assert.deepEqual(commandOf(operation({ ...ROW, name, parameters: {} })).words, [words]);
  });
}

test("a flag is the name of its parameter in kebab case", () => assert.equal(flagOf("ifVersion"), "if-version"));

test("no two operations have a command in common", () => {
  const words = OPERATIONS.flatMap((each) => commandOf(each).words);
  assert.deepEqual(words, [...new Set(words)]);
});

for (const each of OPERATIONS) {
  test(`the columns of ${each.name} are fields of its answer`, () => {
    const { columns, wide, operation: row } = commandOf(each);
    const withoutColumns = commandOf({ ...row, command: {} });
    assert.ok(columns.length > 0);
    assert.deepEqual([...wide].sort(), [...withoutColumns.wide].sort());
  });
}
