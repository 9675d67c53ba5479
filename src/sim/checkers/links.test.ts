import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../facts.ts";
import { LinkChecker } from "./links.ts";
import { type At, brokenBy, D1, D2, S1, started, stopped } from "./testing/history.ts";

const RULE = "links: up and down in turn";
const broken = (...facts: readonly Fact[]) => {
  const history = [started(D1), started(D2), started(S1), ...facts].map((fact, atMs): At => [atMs, fact]);
  return brokenBy((evidence) => new LinkChecker(evidence), history);
};

const session = (isUp: boolean): Fact => ({ kind: "sessionLink", data: D1, session: S1, isUp });
const follower = (isUp: boolean): Fact => ({ kind: "followerLink", follower: D2, leader: D1, isUp });
const made: Fact = { kind: "linkMade", session: S1, data: D1 };
const lost: Fact = { kind: "linkLost", session: S1, data: D1 };
const over: Fact = { kind: "over", live: [] };

test("a link begins and ends in turn, at both ends", () => {
  assert.equal(broken(session(true), made, session(false), session(true), lost, made, over), undefined);
  assert.equal(broken(session(true), session(true)), RULE);
  assert.equal(broken(made, made), RULE);
  assert.equal(broken(lost), RULE);
  assert.equal(broken(follower(true), follower(false), follower(false)), RULE);
});

test("at the end no link leads to a process that is gone", () => {
  assert.equal(broken(session(true), stopped(S1), over), RULE);
  assert.equal(broken(session(true), stopped(S1), session(false), over), undefined);
  assert.equal(broken(made, stopped(D1), over), RULE);
  assert.equal(broken(follower(true), stopped(D2), over), undefined);
});
