// The way of an operation to the node that knows, with nodes that the test plays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { NO_ACCESS_RECORDS } from "../access/accessSet.ts";
import { anonymous, type Principal } from "../access/principal.ts";
import { fail } from "../base/errors.ts";
import { type NodeId, nodeId } from "../model/ids.ts";
import { makeServiceKey } from "../model/serviceKey.ts";
import { slotOf } from "../model/slot.ts";
import type { Audit } from "./auditEntry.ts";
import type { NodeRole, OperatedNode } from "./operatedNode.ts";
import { type AnsweredBy, type Operation, operation } from "./operation.ts";
import type { RawParameters } from "./parameter.ts";
import { OperationRouter, type Outcome, type Question } from "./router.ts";
import { object, text } from "./schema.ts";

const SELF = nodeId("self.a");
const OTHER = nodeId("other.a");
const ORDERS = makeServiceKey({ name: "orders", namespace: "", group: "" });

const OPERATOR: Principal = { kind: "user", name: "ann", roles: ["operator"], from: "10.0.0.7" };
const LOCAL = anonymous("127.0.0.1");

const common = {
  method: "GET",
  path: "/x",
  about: "",
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answer: object({ by: text("") }),
} as const;

function asked(answeredBy: AnsweredBy) {
  const parameters = { node: { type: "node", about: "" }, service: { type: "service", about: "" } } as const;
  return operation({ ...common, name: "x.get", parameters, answeredBy, run: ({ id }) => ({ by: id }) });
}

interface Scene {
  readonly roles?: readonly NodeRole[];
  readonly others?: Readonly<Record<string, readonly NodeRole[]>>;
  readonly isLeading?: boolean;
  readonly outcome?: (to: NodeId | "leader") => Outcome;
}

/** A router of a node with these roles, beside other nodes, and the targets that it has asked. */
function routerOf(row: ReturnType<typeof asked>, { roles = [], others = {}, isLeading = false, outcome }: Scene = {}) {
  const targets: string[] = [];
  const questions: Question[] = [];
  const logged: string[] = [];
  const audited: Parameters<Audit>[0][] = [];
  const nodes = new Map<NodeId, Set<NodeRole>>([[SELF, new Set(roles)]]);
  for (const [id, itsRoles] of Object.entries(others)) nodes.set(nodeId(id), new Set(itsRoles));
  const slots = Array.from({ length: 4 }, (_, slot) => ({
    leader: slot === slotOf(ORDERS, 4) ? OTHER : SELF,
    leaderEpoch: 1n,
    followers: [],
  }));
  const node = {
    id: SELF,
    roles,
    nodes: () => nodes,
    slotTable: () => ({ epoch: 1n, slots }),
    ...(roles.includes("meta") && { meta: { isLeading: () => isLeading } }),
  } as unknown as OperatedNode;
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined };
  const router = new OperationRouter([row], node, {
    log: { ...log, error: (event) => void logged.push(event) },
    mayDo: (principal, permission) => NO_ACCESS_RECORDS.mayDo(principal, permission),
    audit: (entry) => void audited.push(entry),
    ask(to, question, done) {
      targets.push(to);
      questions.push(question);
      done(outcome?.(to) ?? { kind: "answered", status: 200, body: JSON.stringify({ by: to }) });
    },
  });
  const judged = {
    ask: (name: string, raw: RawParameters, caller = OPERATOR) => router.ask(name, raw, caller),
    answerHere: (...asked: Parameters<OperationRouter["answerHere"]>) => router.answerHere(...asked),
  };
  return { router: judged, targets, questions, logged, audited };
}

const WAYS: readonly (readonly [behaviour: string, answeredBy: AnsweredBy, scene: Scene, by: string])[] = [
  ["a question that any node answers stays here", { kind: "askedNode" }, { others: { "other.a": ["meta"] } }, SELF],
  [
    "a session answers for itself",
    { kind: "session" },
    { roles: ["session"], others: { "other.a": ["session"] } },
    SELF,
  ],
  ["another node asks a session", { kind: "session" }, { roles: ["data"], others: { "other.a": ["session"] } }, OTHER],
  ["a member asks the leader", { kind: "leader" }, { roles: ["data"] }, "leader"],
  ["a meta node that stands by asks the leader", { kind: "leader" }, { roles: ["meta"] }, "leader"],
  ["the leader answers itself", { kind: "leader" }, { roles: ["meta"], isLeading: true }, SELF],
  ["the leader of the slot is asked", { kind: "slotLeader", parameter: "service" }, {}, OTHER],
  ["a node is found by its name", { kind: "namedNode", parameter: "node" }, { others: { "other.a": [] } }, OTHER],
];

for (const [behaviour, answeredBy, scene, by] of WAYS) {
  test(behaviour, async () => {
    const { router } = routerOf(asked(answeredBy), scene);
    assert.deepEqual(await router.ask("x.get", { node: "other", service: ORDERS }), { status: 200, body: { by } });
  });
}

test("without a leader another meta node is asked, if it may answer; this one, if it is one", async () => {
  const outcome = (to: string): Outcome =>
    to === "leader"
      ? { kind: "unreachable", reason: "no meta node leads" }
      : { kind: "answered", status: 200, body: JSON.stringify({ by: to }) };
  const others: Scene["others"] = { "other.a": ["meta"] };
  const member = routerOf(asked({ kind: "meta" }), { roles: ["data"], others, outcome });
  assert.deepEqual((await member.router.ask("x.get", {})).body, { by: OTHER });
  const meta = routerOf(asked({ kind: "meta" }), { roles: ["meta"], others, outcome });
  assert.deepEqual((await meta.router.ask("x.get", {})).body, { by: SELF });
  const refused = await routerOf(asked({ kind: "leader" }), { roles: ["data"], others, outcome }).router.ask(
    "x.get",
    {},
  );
  assert.equal(refused.status, 503);
  assert.match(JSON.stringify(refused.body), /NODE_ASKED_UNREACHABLE.*no meta node leads/);
});

test("a node that there is not, and a role that no node has, are refused", async () => {
  const named = await routerOf(asked({ kind: "namedNode", parameter: "node" })).router.ask("x.get", { node: "gone" });
  assert.equal(named.status, 404);
  assert.match(JSON.stringify(named.body), /NODE_UNKNOWN.*known=\[self\]/);
  const role = await routerOf(asked({ kind: "session" }), { roles: ["meta"] }).router.ask("x.get", {});
  assert.equal(role.status, 503);
  assert.match(JSON.stringify(role.body), /ROLE_NEEDED/);
});

const everyNode = operation({
  ...common,
  name: "x.list",
  parameters: {},
  answeredBy: { kind: "each", role: "any" },
  run: ({ id }) => ({ by: id }),
  gather: ({ parts, unreachable }) => ({
    by: parts.map(({ node }) => node).join(),
    unreachable: unreachable.map(({ node, reason }) => `${node}: ${reason}`),
  }),
});

test("all nodes are asked, and those that do not answer are named", async () => {
  const others: Scene["others"] = Object.fromEntries(Array.from({ length: 150 }, (_, at) => [`n${at}.a`, ["data"]]));
  const { router, targets } = routerOf(everyNode, {
    others,
    outcome: (to) =>
      to === "n7.a"
        ? { kind: "unreachable", reason: "no link" }
        : { kind: "answered", status: 200, body: JSON.stringify({ by: to }) },
  });
  const { status, body } = await router.ask("x.list", {});
  const { by, unreachable } = body as unknown as { by: string; unreachable: string[] };
  assert.equal(status, 200);
  assert.equal(targets.length, 150);
  assert.equal(by.split(",").length, 150, "all but one, and this node");
  assert.deepEqual(unreachable, ["n7.a: no link"]);
});

test("if all nodes refuse, the refusal is the answer", async () => {
  const refusing = operation({
    ...common,
    name: "x.list",
    parameters: {},
    answeredBy: { kind: "each", role: "any" },
    run: () => {
      throw fail("QUERIES_EXHAUSTED", { waiting: 7 });
    },
    gather: () => ({ by: "" }),
  });
  const { status, body } = await routerOf(refusing).router.ask("x.list", {});
  assert.equal(status, 503);
  assert.match(JSON.stringify(body), /QUERIES_EXHAUSTED/);
});

test("a bug of ours is logged and answered as one, without its stack", async () => {
  const broken = operation({
    ...common,
    name: "x.get",
    parameters: {},
    answeredBy: { kind: "askedNode" },
    run: () => {
      throw new TypeError("secret");
    },
  });
  const { router, logged } = routerOf(broken);
  const { status, body } = await router.ask("x.get", {});
  assert.deepEqual([status, logged], [500, ["an operation has failed"]]);
  assert.doesNotMatch(JSON.stringify(body), /secret/);
});

test("parameters from another node are checked again, and answered here whatever the operation's own way", async () => {
  const { router, targets } = routerOf(asked({ kind: "leader" }), { roles: ["data"] });
  assert.deepEqual(await router.answerHere("x.get", "{}"), { status: 200, body: { by: SELF } });
  for (const parameters of ["", "[]", "null", "7", '{"colour":1}', '{"node":1}']) {
    assert.equal((await router.answerHere("x.get", parameters)).status, 400, parameters);
  }
  assert.equal((await router.answerHere("y.get", "{}")).status, 400);
  assert.deepEqual(targets, []);
});

test("an answer that is not in JSON is refused", async () => {
  const outcome = (): Outcome => ({ kind: "answered", status: 200, body: "<html>" });
  const { status } = await routerOf(asked({ kind: "leader" }), { roles: ["data"], outcome }).router.ask("x.get", {});
  assert.equal(status, 503);
});

test("a question that waits for a change gives the other node that much longer", async () => {
  const waiting = operation({
    ...common,
    name: "x.get",
    parameters: { waitMs: { type: "integer", min: 0, max: 60_000, default: 0, about: "" } },
    answeredBy: { kind: "leader" },
    waitMs: ({ waitMs }) => waitMs,
    run: ({ id }) => ({ by: id }),
  });
  const { router, questions } = routerOf(waiting, { roles: ["data"] });
  await router.ask("x.get", { waitMs: 30_000 });
  await router.ask("x.get", {});
  assert.deepEqual(
    questions.map(({ waitMs }) => waitMs),
    [40_000, 10_000],
  );
});

/** A change that says which principal has made it. */
function changing(permission: Operation["permission"], answeredBy: AnsweredBy = { kind: "askedNode" }) {
  const parameters = { node: { type: "node", about: "" } } as const;
  const run: Operation["run"] = ({ caller }) => ({ by: caller.name });
  return operation({ ...common, name: "x.get", isChange: true, permission, parameters, answeredBy, run });
}

const JUDGED: readonly (readonly [
  who: string,
  caller: Principal,
  permission: Operation["permission"],
  status: number,
])[] = [
  ["an operator operates", OPERATOR, "operate", 200],
  ["an operator does not administer", OPERATOR, "admin", 403],
  ["a reader does not operate", { ...OPERATOR, roles: ["reader"] }, "operate", 403],
  ["a client does not even read", { ...OPERATOR, roles: ["client"] }, "read", 403],
  ["an anonymous caller at this machine reads", LOCAL, "read", 200],
  ["an anonymous caller at this machine does not operate", LOCAL, "operate", 401],
  ["an anonymous caller from elsewhere does not even read", anonymous("10.0.0.7"), "read", 401],
  ["anybody asks an open operation", anonymous("10.0.0.7"), "open", 200],
];

for (const [who, caller, permission, status] of JUDGED) {
  test(`${who}, at the node that is asked and at the one that answers`, async () => {
    const { router } = routerOf(changing(permission));
    assert.equal((await router.ask("x.get", {}, caller)).status, status);
    assert.equal((await router.answerHere("x.get", "{}", JSON.stringify(caller))).status, status);
  });
}

test("a refused principal learns nothing of the parameters, and no other node is asked", async () => {
  const { router, targets } = routerOf(changing("operate", { kind: "leader" }), { roles: ["data"] });
  const { status, body } = await router.ask("x.get", { colour: 1 }, LOCAL);
  assert.equal(status, 401);
  assert.match(JSON.stringify(body), /CREDENTIALS_NEEDED.*operation=x\.get, permission=operate, from=127\.0\.0\.1/);
  assert.deepEqual(targets, []);
});

test("the principal goes with the question, and what an operation asks in turn is asked by it", async () => {
  const { router, questions } = routerOf(changing("operate", { kind: "leader" }), { roles: ["data"] });
  await router.ask("x.get", {});
  assert.deepEqual(JSON.parse(questions[0]?.by ?? ""), OPERATOR);
  const nested = operation({
    ...common,
    name: "x.get",
    parameters: { node: { type: "node", about: "" } },
    answeredBy: { kind: "namedNode", parameter: "node" },
    run: async ({ ask }) => (await ask("x.get", { node: "other" })).body,
  });
  const asking = routerOf(nested, { others: { "other.a": [] } });
  await asking.router.ask("x.get", {});
  assert.deepEqual(JSON.parse(asking.questions[0]?.by ?? ""), OPERATOR);
});

test("a question of an earlier release names no principal: it reads, and changes nothing", async () => {
  assert.equal((await routerOf(changing("read")).router.answerHere("x.get", "{}")).status, 200);
  assert.equal((await routerOf(changing("operate")).router.answerHere("x.get", "{}")).status, 401);
});

test("a principal that is none is refused", async () => {
  for (const by of ["", "{}", '{"kind":"user"}', '{"kind":"god","name":"a","roles":[],"from":""}']) {
    assert.equal((await routerOf(changing("open")).router.answerHere("x.get", "{}", by)).status, 400, by);
  }
});

test("an operation without a permission ends the start", () => {
  const row = { ...changing("read"), permission: undefined } as unknown as Operation;
  assert.throws(() => routerOf(row), /x\.get: every operation names the permission/);
});

test("a change that is made is recorded where it is made, with its state before and after", async () => {
  let colour = "red";
  const paint = operation({
    ...common,
    name: "x.paint",
    method: "POST",
    isChange: true,
    permission: "operate",
    canBePreviewed: true,
    parameters: {
      colour: { type: "text", charsMax: 9, isRequired: true, about: "" },
      key: { type: "text", charsMax: 9, isSecret: true, about: "" },
    },
    answeredBy: { kind: "askedNode" },
    state: () => ({ colour }),
    run: (_, { colour: wanted }, isPreview) => {
      if (wanted === "none") throw fail("NODE_UNKNOWN", {});
      if (!isPreview) colour = wanted;
      return { by: "" };
    },
  });
  const { router, audited } = routerOf(paint);
  await router.ask("x.paint", { colour: "blue", key: "hidden" });
  await router.ask("x.paint", { colour: "blue", preview: true });
  await router.ask("x.paint", { colour: "none" });
  await router.ask("x.paint", { colour: "far too long a colour", hidden: "hidden" });
  await router.ask("x.paint", { colour: "blue" }, LOCAL);
  const seen = audited.map(({ outcome, by, from, status, code, parameters, before, after }) => [
    `${outcome} ${by} ${from} ${status} ${code}`.replace(/ $/, ""),
    parameters,
    before,
    after,
  ]);
  assert.deepEqual(seen, [
    ["made ann 10.0.0.7 200", '{"colour":"blue","key":"***"}', '{"colour":"red"}', '{"colour":"blue"}'],
    ["refused ann 10.0.0.7 404 NODE_UNKNOWN", '{"colour":"none"}', "", ""],
    ["refused ann 10.0.0.7 400 FIELD_INVALID", '{"colour":"far too long a colour","hidden":"***"}', "", ""],
    ["refused anonymous 127.0.0.1 401 CREDENTIALS_NEEDED", '{"colour":"blue"}', "", ""],
  ]);
});

test("a change that another node makes is recorded there, and here only if that node is not reached", async () => {
  const row = changing("operate", { kind: "leader" });
  const there = routerOf(row, { roles: ["data"] });
  await there.router.ask("x.get", {});
  assert.deepEqual(there.audited, []);
  const away = routerOf(row, { roles: ["data"], outcome: () => ({ kind: "unreachable", reason: "no link" }) });
  await away.router.ask("x.get", {});
  assert.deepEqual(
    away.audited.map(({ outcome, code }) => [outcome, code]),
    [["refused", "NODE_ASKED_UNREACHABLE"]],
  );
});

test("questions are not recorded, unless their caller is refused", async () => {
  const { router, audited } = routerOf(asked({ kind: "askedNode" }));
  await router.ask("x.get", {});
  await router.ask("x.get", { node: 7 });
  assert.deepEqual(audited, []);
  await router.ask("x.get", {}, anonymous("10.0.0.9"));
  assert.deepEqual(
    audited.map(({ outcome, from }) => [outcome, from]),
    [["refused", "10.0.0.9"]],
  );
});
