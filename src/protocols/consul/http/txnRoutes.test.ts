// Each operation of a transaction, where it is made and where it is not.

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ConsulScene, type SceneCaller } from "../testing/scene.ts";

const ENTRIES = { "a/1": "one", "a/2": "two", b: "bee", locked: "held" };

interface Scene {
  readonly scene: ConsulScene;
  /** The session that has locked `locked`, and one without locks. */
  readonly holder: string;
  readonly other: string;
}

async function open(t: TestContext): Promise<Scene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  const session = async () => {
    const { json } = await scene.ask("PUT /session/create", { LockDelay: "0s" });
    return (json as { ID: string }).ID;
  };
  const [holder, other] = [await session(), await session()];
  for (const [key, value] of Object.entries(ENTRIES)) {
    await scene.ask(`PUT /kv/${key}${key === "locked" ? `?acquire=${holder}` : ""}`, value);
  }
  return { scene, holder, other };
}

interface Row {
  readonly Key: string;
  readonly Value: string | null;
  readonly ModifyIndex: number;
  readonly Session?: string;
}

/** All entries, each with its value. */
async function entriesOf({ scene }: Scene): Promise<Record<string, string>> {
  const { json } = await scene.ask("GET /kv/?recurse");
  return Object.fromEntries((json as Row[]).map(({ Key, Value }) => [Key, atob(Value ?? "")]));
}

/** Makes operations of keys. HOLDER and OTHER stand for the sessions, and an index of -1 for that of its key. */
async function commit({ scene, holder, other }: Scene, operations: readonly object[]) {
  const rows = (await scene.ask("GET /kv/?recurse")).json as Row[];
  const indexes = new Map(rows.map(({ Key, ModifyIndex }) => [Key, ModifyIndex]));
  const filled = operations.map((operation) => {
    const { Key = "", Index, Value } = operation as { Key?: string; Index?: number; Value?: string };
    const value = Value === undefined ? {} : { Value: btoa(Value) };
    return { KV: { ...operation, ...value, ...(Index === -1 && { Index: indexes.get(Key) ?? 0 }) } };
  });
  const body = JSON.stringify(filled).replaceAll("HOLDER", holder).replaceAll("OTHER", other);
  const { status, json, text } = await scene.ask("PUT /txn", body);
  const { Results, Errors } = (json ?? {}) as { Results: { KV: Row }[] | null; Errors: { What: string }[] | null };
  const shown = Results?.map(({ KV: { Key, Value } }) => (Value === null ? Key : `${Key}=${atob(Value)}`));
  return { status, text, shown, errors: Errors?.map(({ What }) => What) };
}

const { b: _b, ...WITHOUT_B } = ENTRIES;

const MADE: readonly [operation: object, shown: readonly string[] | undefined, after: Record<string, string>][] = [
  [{ Verb: "set", Key: "b", Value: "new" }, ["b"], { ...ENTRIES, b: "new" }],
  [{ Verb: "set", Key: "c", Value: "new" }, ["c"], { ...ENTRIES, c: "new" }],
  [{ Verb: "cas", Key: "b", Index: -1, Value: "new" }, ["b"], { ...ENTRIES, b: "new" }],
  [{ Verb: "cas", Key: "c", Index: 0, Value: "new" }, ["c"], { ...ENTRIES, c: "new" }],
  [{ Verb: "get", Key: "b" }, ["b=bee"], ENTRIES],
  [{ Verb: "get-or-empty", Key: "b" }, ["b=bee"], ENTRIES],
  [{ Verb: "get-or-empty", Key: "c" }, undefined, ENTRIES],
  [{ Verb: "get-tree", Key: "a/" }, ["a/1=one", "a/2=two"], ENTRIES],
  [{ Verb: "get-tree", Key: "none/" }, undefined, ENTRIES],
  [{ Verb: "check-index", Key: "b", Index: -1 }, ["b"], ENTRIES],
  [{ Verb: "check-session", Key: "locked", Session: "HOLDER" }, ["locked"], ENTRIES],
  [{ Verb: "check-not-exists", Key: "c" }, undefined, ENTRIES],
  [{ Verb: "lock", Key: "b", Session: "OTHER", Value: "mine" }, ["b"], { ...ENTRIES, b: "mine" }],
  [{ Verb: "lock", Key: "locked", Session: "HOLDER", Value: "on" }, ["locked"], { ...ENTRIES, locked: "on" }],
  [{ Verb: "unlock", Key: "locked", Session: "HOLDER", Value: "off" }, ["locked"], { ...ENTRIES, locked: "off" }],
  [{ Verb: "delete", Key: "b" }, undefined, WITHOUT_B],
  [{ Verb: "delete", Key: "c" }, undefined, ENTRIES],
  [{ Verb: "delete-cas", Key: "b", Index: -1 }, undefined, WITHOUT_B],
  [{ Verb: "delete-tree", Key: "a/" }, undefined, { b: "bee", locked: "held" }],
];

for (const [operation, shown, after] of MADE) {
  test(`${JSON.stringify(operation)} is made`, async (t) => {
    const scene = await open(t);
    const made = await commit(scene, [operation]);
    assert.deepEqual([made.status, made.errors], [200, undefined], made.text);
    assert.deepEqual(made.shown, shown);
    assert.deepEqual(await entriesOf(scene), after);
  });
}

const NOT_MADE: readonly [operation: object, says: RegExp][] = [
  [{ Verb: "cas", Key: "b", Index: 1, Value: "new" }, /index is stale/],
  [{ Verb: "cas", Key: "b", Index: 0, Value: "new" }, /index is stale/],
  [{ Verb: "get", Key: "c" }, /key "c" doesn't exist/],
  [{ Verb: "check-index", Key: "b", Index: 1 }, /does not match 1/],
  [{ Verb: "check-index", Key: "c", Index: 1 }, /current modify index 0 does not match 1/],
  [{ Verb: "check-session", Key: "locked", Session: "OTHER" }, /failed session check/],
  [{ Verb: "check-session", Key: "c", Session: "OTHER" }, /failed session check/],
  [{ Verb: "check-not-exists", Key: "b" }, /key "b" exists/],
  [{ Verb: "lock", Key: "locked", Session: "OTHER" }, /lock is already held/],
  [{ Verb: "lock", Key: "b", Session: "none" }, /invalid session/],
  [{ Verb: "lock", Key: "b" }, /missing session/],
  [{ Verb: "unlock", Key: "locked", Session: "OTHER" }, /held by another session/],
  [{ Verb: "unlock", Key: "locked" }, /missing session/],
  [{ Verb: "delete-cas", Key: "b", Index: 1 }, /index is stale/],
  [{ Verb: "none", Key: "b" }, /unknown KV verb "none"/],
];

for (const [operation, says] of NOT_MADE) {
  test(`${JSON.stringify(operation)} is not made, and neither is what comes with it`, async (t) => {
    const scene = await open(t);
    const made = await commit(scene, [{ Verb: "set", Key: "c2", Value: "x" }, operation]);
    assert.deepEqual([made.status, made.shown, made.errors?.length], [409, undefined, 1], made.text);
    assert.match(made.errors?.[0] ?? "", says);
    assert.deepEqual(await entriesOf(scene), ENTRIES);
  });
}

test("later operations see what earlier ones have changed", async (t) => {
  const scene = await open(t);
  const operations = [
    { Verb: "set", Key: "c", Value: "new" },
    { Verb: "get", Key: "c" },
    { Verb: "delete", Key: "c" },
    { Verb: "check-not-exists", Key: "c" },
  ];
  const { status, shown } = await commit(scene, operations);
  assert.deepEqual([status, shown], [200, ["c", "c=new"]]);
  assert.deepEqual(await entriesOf(scene), ENTRIES);
});

const SET = { KV: { Verb: "set", Key: "c", Value: "eA==" } };

const REFUSED: readonly [what: string, body: object, status: number, says: RegExp][] = [
  ["no list", {}, 400, /a transaction is a list of operations/],
  ["operations on services", [{ Service: { Verb: "set" } }], 400, /takes? KV and Session operations/],
  ["a value that is no base64", [{ KV: { Verb: "set", Key: "c", Value: "?" } }], 400, /no base64/],
  ["a session that is to be set", [{ Session: { Verb: "set", Session: { ID: "x" } } }], 400, /only delete is served/],
  ["a session without an id", [{ Session: { Verb: "delete" } }], 400, /only delete is served/],
  ["too many operations", Array.from({ length: 129 }, () => SET), 413, /too many operations \(129 > 128\)/],
  [
    "too many keys",
    Array.from({ length: 91 }, (_, at) => ({ KV: { ...SET.KV, Key: `k${at}` } })),
    413,
    /too many records/,
  ],
];

for (const [what, body, status, says] of REFUSED) {
  test(`a transaction with ${what} is refused`, async (t) => {
    const scene = await open(t);
    const answer = await scene.scene.ask("PUT /txn", body);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, says);
    assert.deepEqual(await entriesOf(scene), ENTRIES);
  });
}

test("the largest value is put, and a larger one refused", async (t) => {
  const { scene } = await open(t);
  const put = (bytes: number) => [{ KV: { Verb: "set", Key: "c", Value: btoa("x".repeat(bytes)) } }];
  assert.equal((await scene.ask("PUT /txn", put(512 * 1024))).status, 200);
  assert.equal((await scene.ask("PUT /txn", put(512 * 1024 + 1))).status, 413);
});

test("a caller that may only read keys makes transactions that only read", async (t) => {
  const { scene } = await open(t);
  const reader: SceneCaller = { isAllowed: ({ action }) => action === "fetch" };
  for (const [verb, isRead] of [
    ...["get", "get-tree", "get-or-empty", "check-index", "check-session", "check-not-exists"].map((each) => [
      each,
      true,
    ]),
    ...["set", "cas", "lock", "unlock", "delete", "delete-tree", "delete-cas"].map((each) => [each, false]),
  ]) {
    const { refused } = await scene.ask("PUT /txn", [{ KV: { Verb: verb, Key: "b" } }], reader);
    assert.equal(refused === undefined, isRead, `${verb}`);
  }
});

test("as many operations as a transaction may have are made, and it ends sessions", async (t) => {
  const scene = await open(t);
  assert.equal(
    (
      await scene.scene.ask(
        "PUT /txn",
        Array.from({ length: 128 }, () => SET),
      )
    ).status,
    200,
  );
  const end = [{ Session: { Verb: "delete", Session: { ID: scene.other } } }];
  assert.equal((await scene.scene.ask("PUT /txn", end)).status, 200);
  assert.deepEqual((await scene.scene.ask(`GET /session/info/${scene.other}`)).json, []);
});
