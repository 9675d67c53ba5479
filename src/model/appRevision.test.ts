import assert from "node:assert/strict";
import { test } from "node:test";
import {
  checkedApplication,
  checkedRevisionId,
  checkedServiceName,
  namingOf,
  REVISION_ATTRIBUTE,
  revisionsNamedBy,
} from "./appRevision.ts";
import { RevisionContents } from "./revisionContents.ts";

test("a publication names the revisions in its attribute, and any other names none", () => {
  const named = (value: string) => revisionsNamedBy({ attributes: new Map([[REVISION_ATTRIBUTE, value]]) });
  assert.deepEqual(named("a1"), ["a1"]);
  assert.deepEqual(named(namingOf(["a1", "b2", "a1"])), ["a1", "b2"]);
  assert.deepEqual(named(""), []);
  assert.deepEqual(revisionsNamedBy({ attributes: new Map([["other", "a1"]]) }), []);
  assert.deepEqual(revisionsNamedBy({ attributes: new Map() }), []);
});

test("a publication names sixteen revisions at most, also if a node sends more", () => {
  const ids = Array.from({ length: 17 }, (_, at) => `r${at}`);
  assert.throws(() => namingOf(ids), /FIELD_INVALID.*16/);
  assert.equal(revisionsNamedBy({ attributes: new Map([[REVISION_ATTRIBUTE, ids.join(",")]]) }).length, 16);
});

for (const [what, id] of [
  ["nothing", ""],
  ["a blank", "a b"],
  ["a comma", "a,b"],
  ["a control character", "a\u0007"],
  ["a letter beyond ASCII", "é"],
  ["more than 256 characters", "x".repeat(257)],
] as const) {
  test(`${what} is no name of a revision`, () => assert.throws(() => checkedRevisionId(id), /FIELD_INVALID/));
}

test("names are checked and returned", () => {
  assert.equal(checkedRevisionId("faf447f9a7990b4b"), "faf447f9a7990b4b");
  assert.equal(checkedRevisionId("+~!-"), "+~!-");
  assert.equal(checkedApplication("shop"), "shop");
  assert.throws(() => checkedApplication(""), /application/);
  assert.throws(() => checkedApplication("x".repeat(601)), /600/);
  assert.equal(checkedServiceName("com.example.Orders:1.0"), "com.example.Orders:1.0");
  assert.equal(checkedServiceName("orders#@#I#@#G"), "orders#@#I#@#G");
  for (const wrong of ["", "orders#@#I", "a#@#b#@#c#@#d", "#@##@#", "\ud800"]) {
    assert.throws(() => checkedServiceName(wrong), /FIELD_INVALID/);
  }
});

test("contents are kept as long as there is room, those used last for longest", () => {
  const contents = new RevisionContents(4_000);
  const revision = (id: string) => ({ id, application: "shop", services: ["orders"], content: new Uint8Array(1_000) });
  for (const id of ["a", "b"]) contents.keep(revision(id));
  const bytes = contents.bytes;
  contents.keep(revision("a"));
  assert.equal(contents.bytes, bytes, "one that is here takes nothing more");
  assert.equal(contents.take("a")?.id, "a");
  contents.keep(revision("c"));
  assert.deepEqual(
    ["a", "b", "c"].filter((id) => contents.has(id)),
    ["a", "c"],
  );
  contents.delete("a");
  contents.delete("a");
  assert.deepEqual([contents.size, contents.bytes], [1, bytes / 2]);
  contents.keep({ ...revision("huge"), content: new Uint8Array(9_000) });
  assert.deepEqual([contents.size, contents.has("huge")], [1, true], "the newest stays, however large");
  assert.equal(contents.take("c"), undefined);
});
