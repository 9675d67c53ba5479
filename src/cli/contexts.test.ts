import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import { chosenTarget, contextsFile, type Environment, readContexts, writeContexts } from "./contexts.ts";

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
  assert.deepEqual(chosenTarget({}, userWith(t)).urls, ["http://127.0.0.1:9604"]);
});

test("a flag beats the environment, which beats the current context; a URL beats a context", (t) => {
  const user = userWith(t, TWO);
  assert.deepEqual(chosenTarget({}, user).urls, ["a:1"]);
  assert.deepEqual(chosenTarget({}, { ...user, ROSTER_CONTEXT: "b" }).urls, ["b:1", "b:2"]);
  const set = { ...user, ROSTER_CONTEXT: "b", ROSTER_URL: "c:1,c:2" };
  assert.deepEqual(chosenTarget({}, set).urls, ["c:1", "c:2"]);
  assert.deepEqual(chosenTarget({ context: "a" }, set).urls, ["a:1"]);
  assert.deepEqual(chosenTarget({ context: "a", url: "d:1" }, set).urls, ["d:1"]);
});

test("a context that there is not is refused, with those that there are", (t) => {
  const user = userWith(t, TWO);
  assert.throws(() => chosenTarget({ context: "c" }, user), /CONTEXT_UNKNOWN.*\[a b\]/);
  assert.throws(() => chosenTarget({ context: "toString" }, user), hasCode("CONTEXT_UNKNOWN"));
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

test("a context's token goes to its nodes only, and ROSTER_TOKEN takes its place", (t) => {
  const user = userWith(
    t,
    JSON.stringify({ current: "a", contexts: { a: { urls: ["a:1"], token: "T" }, b: { urls: ["b:1"] } } }),
  );
  assert.equal(chosenTarget({}, user).token, "T");
  assert.equal(chosenTarget({ context: "b" }, user).token, undefined);
  assert.equal(chosenTarget({ url: "a:1" }, user).token, undefined);
  assert.equal(chosenTarget({}, { ...user, ROSTER_URL: "c:1" }).token, undefined);
  assert.equal(chosenTarget({ url: "c:1" }, { ...user, ROSTER_TOKEN: "E" }).token, "E");
  assert.equal(chosenTarget({}, { ...user, ROSTER_TOKEN: "E" }).token, "E");
});

test("only the user can read the file, also where an earlier release wrote it for all", (t) => {
  const user = userWith(t, TWO);
  chmodSync(contextsFile(user), 0o644);
  writeContexts(user, readContexts(user));
  assert.equal(statSync(contextsFile(user)).mode & 0o777, 0o600);
});
