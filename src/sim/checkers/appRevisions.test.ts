import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import type { Fact } from "../facts.ts";
import { AppRevisionChecker } from "./appRevisions.ts";
import { brokenBy, D1, S, S1, S2 } from "./testing/history.ts";

const REVISION = { id: "r1", application: "app1", services: ["i1"], content: new Uint8Array(0) };

const published: Fact = {
  ...{ kind: "published", client: "c", service: S, registId: "c.1", version: 1n, token: "c.1~1~c", zone: "Z" },
  revision: "r1",
};
const learned = (node = S1): Fact => ({
  ...{ kind: "learned", node, role: "session" },
  message: { kind: "revisions", found: [REVISION], unknown: [] },
});
const pushed: Fact = {
  ...{ kind: "pushed", client: "d", service: S, registId: "d.1", version: 5n, session: S1, scope: "global", zone: "Z" },
  ...{ isTaken: true, entries: ["Z/other~1~c", "Z/c.1~1~c"] },
};
const registered: Fact = {
  ...{ kind: "revisionRegistered", node: S2, revision: "r1", application: "app1", services: ["i1"] },
};
const told = (changes: Partial<Extract<Fact, { kind: "revisionTold" }>> = {}): Fact => ({
  ...{ kind: "revisionTold", question: 1, node: S1, revision: "r1", content: "text", isShown: false },
  ...changes,
});
const apps = (applications: readonly string[], isLast = true): Fact => ({
  ...{ kind: "serviceAppsTold", node: S1, name: "i1", applications, isLast },
});

const broken = (...history: readonly Fact[]) =>
  brokenBy(
    () => new AppRevisionChecker(),
    history.map((fact, at) => [at, fact] as const),
  );
const RULE = "app: no instance before its revision";

test("an instance is shown by a session that has its revision", () => {
  assert.equal(broken(published, learned(), pushed), undefined);
  assert.equal(broken(published, pushed), RULE);
  assert.equal(broken(published, learned(S2), pushed), RULE, "another session has it");
});

test("a session that was given the revision has it when the store does", () => {
  const sent: Fact = { kind: "revisionSent", node: S1, revision: "r1" };
  const stored: Fact = {
    ...{ kind: "learned", node: S1, role: "session" },
    message: { kind: "revisionsStored", stored: ["r1"], unknown: [] },
  };
  assert.equal(broken(published, sent, stored, pushed), undefined);
  assert.equal(broken(published, sent, pushed), RULE);
  assert.equal(broken(published, stored, pushed), RULE, "it does not know the content");
});

test("a session says what the revision of an instance says that it has shown", () => {
  const error = fail("REVISIONS_UNAVAILABLE");
  assert.equal(broken(told({ isShown: true })), undefined);
  assert.equal(broken(told({ isShown: true, content: undefined })), RULE);
  assert.equal(broken(told({ isShown: true, content: undefined, error })), RULE);
});

test("what was registered is found in the end, unless the store has lost commits", () => {
  const lost: Fact = { kind: "failedOver", table: undefined };
  assert.equal(broken(told({ content: undefined })), undefined, "it was never registered");
  assert.equal(broken(registered, told({ content: undefined })), RULE);
  assert.equal(broken(registered, lost, told({ content: undefined })), undefined);
});

test("a revision has one content", () => {
  assert.equal(broken(told(), told({ node: S2 })), undefined);
  assert.equal(broken(told(), told({ node: D1, content: "another" })), RULE);
});

test("the applications of a service are told in the end", () => {
  assert.equal(broken(registered, apps(["app1", "app2"])), undefined);
  assert.equal(broken(registered, apps([], false)), undefined);
  assert.equal(broken(registered, apps(["app2"])), RULE);
  assert.equal(broken(registered, { kind: "failedOver", table: undefined }, apps([])), undefined);
});
