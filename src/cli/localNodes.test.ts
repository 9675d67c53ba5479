import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { newToken } from "../access/proofs.ts";
import { hostSecrets } from "../transport/secrets.ts";
import type { Environment } from "./contexts.ts";
import { offeredToken, offerToken } from "./localNodes.ts";

function userIn(t: TestContext): Environment {
  const folder = mkdtempSync(join(tmpdir(), "roster-nodes-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return { XDG_RUNTIME_DIR: folder };
}

const token = () => newToken(hostSecrets).shown;
const found = (user: Environment, url: string) => offeredToken(user, new URL(`http://${url}`));

test("a command finds the token of a node on this machine, by any name of it", (t) => {
  const user = userIn(t);
  const own = token();
  offerToken(user, { bind: "127.0.0.1", port: 9604, token: own });
  for (const url of ["127.0.0.1:9604", "localhost:9604", "[::1]:9604"]) assert.equal(found(user, url), own);
  assert.equal(found(user, "127.0.0.1:9605"), undefined);
});

test("the token goes to no other machine", (t) => {
  const user = userIn(t);
  const own = token();
  offerToken(user, { bind: "127.0.0.1", port: 9604, token: own });
  for (const url of ["10.0.0.7:9604", "localhost.evil.com:9604", "evil.com:9604"])
    assert.equal(found(user, url), undefined);
  offerToken(user, { bind: "10.0.0.7", port: 9605, token: own });
  assert.equal(found(user, "10.0.0.7:9605"), own);
  assert.equal(found(user, "127.0.0.1:9605"), undefined, "another program may listen there");
  offerToken(user, { bind: "0.0.0.0", port: 9606, token: own });
  assert.equal(found(user, "127.0.0.1:9606"), own);
});

test("only the user can read it, and it is gone with the server", (t) => {
  const user = userIn(t);
  const withdraw = offerToken(user, { bind: "127.0.0.1", port: 9604, token: token() });
  const folder = join(user["XDG_RUNTIME_DIR"] ?? "", "roster/nodes");
  assert.equal(statSync(join(folder, "9604")).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  withdraw();
  withdraw();
  assert.deepEqual(readdirSync(folder), []);
});

test("a server that ends leaves the token of the one that came after it", (t) => {
  const user = userIn(t);
  const withdraw = offerToken(user, { bind: "127.0.0.1", port: 9604, token: token() });
  const next = token();
  offerToken(user, { bind: "127.0.0.1", port: 9604, token: next });
  withdraw();
  assert.equal(found(user, "127.0.0.1:9604"), next);
});

test("a file that is no token is none", (t) => {
  const user = userIn(t);
  offerToken(user, { bind: "127.0.0.1", port: 9604, token: token() });
  for (const text of ["", "{}", '{"bind":"127.0.0.1","token":"/etc/passwd"}']) {
    writeFileSync(join(user["XDG_RUNTIME_DIR"] ?? "", "roster/nodes/9604"), text);
    assert.equal(found(user, "127.0.0.1:9604"), undefined);
  }
});
