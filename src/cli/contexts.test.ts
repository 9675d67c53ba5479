import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { chosenUrls, contextsFile, type Environment, readContexts, writeContexts } from "./contexts.ts";

const hasCode = (code: string) => (error: unknown) => error instanceof RegistryError && error.code === code;

function userWith(t: TestContext, file?: string): Environment {
  const home = mkdtempSync(join(tmpdir(), "roster-contexts-"));
  t.after(() => rmSync(home, { recursive: true, force: true }));
  const environment = { HOME: home };
  if (file !== undefined) {
    mkdirSync(join(home, ".config/roster"), { recursive: true });
    writeFileSync(contextsFile(environment), file);
  }
  return environment;
}

const TWO = JSON.stringify({ current: "a", contexts: { a: { urls: ["a:1"] }, b: { urls: ["b:1", "b:2"] } } });

test("without a file commands go to the node on this machine", (t) => {
  assert.deepEqual(chosenUrls({}, userWith(t)), ["http://127.0.0.1:9604"]);
});

test("a flag beats the environment, which beats the current context; a URL beats a context", (t) => {
  const user = userWith(t, TWO);
  assert.deepEqual(chosenUrls({}, user), ["a:1"]);
  assert.deepEqual(chosenUrls({}, { ...user, ROSTER_CONTEXT: "b" }), ["b:1", "b:2"]);
  const set = { ...user, ROSTER_CONTEXT: "b", ROSTER_URL: "c:1,c:2" };
  assert.deepEqual(chosenUrls({}, set), ["c:1", "c:2"]);
  assert.deepEqual(chosenUrls({ context: "a" }, set), ["a:1"]);
  assert.deepEqual(chosenUrls({ context: "a", url: "d:1" }, set), ["d:1"]);
});

test("a context that there is not is refused, with those that there are", (t) => {
  const user = userWith(t, TWO);
  assert.throws(() => chosenUrls({ context: "c" }, user), /CONTEXT_UNKNOWN.*\[a b\]/);
  assert.throws(() => chosenUrls({ context: "toString" }, user), hasCode("CONTEXT_UNKNOWN"));
});

for (const bad of ["", "{", "[]", '{"contexts": {}}', '{"current": null, "contexts": {"a": {"urls": []}}}', "null"]) {
  test(`a file with ${bad === "" ? "nothing" : bad} is refused and not overwritten`, (t) => {
    const user = userWith(t, bad);
    assert.throws(() => readContexts(user), hasCode("FILE_UNUSABLE"));
    assert.equal(readFileSync(contextsFile(user), "utf8"), bad);
  });
}

test("what is written is read, in the user's own folder, which XDG_CONFIG_HOME names if it is absolute", (t) => {
  const user = userWith(t);
  const contexts = { current: "a", contexts: { a: { urls: ["a:1"] } } };
  const elsewhere = { ...user, XDG_CONFIG_HOME: join(user["HOME"] ?? "", "settings") };
  writeContexts(elsewhere, contexts);
  assert.deepEqual(readContexts(elsewhere), contexts);
  assert.deepEqual(readContexts({ ...user, XDG_CONFIG_HOME: "settings" }), { current: null, contexts: {} });
});
