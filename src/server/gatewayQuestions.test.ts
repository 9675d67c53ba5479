import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../base/errors.ts";
import type { AskedOperation, OperationOutcome, OperationTarget } from "../cluster/links/operationCalls.ts";
import { nodeId } from "../model/ids.ts";
import type { AnswerNode } from "../protocols/kit/gateway.ts";
import { GatewayQuestions } from "./gatewayQuestions.ts";

const SESSION = nodeId("s1.a");

/** Two nodes: the first one asks, the second one answers as these say. */
function scene(answers: { readonly session?: AnswerNode; readonly meta?: AnswerNode }) {
  const errors: object[] = [];
  const log = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_event: string, fields?: object) => void errors.push(fields ?? {}),
  };
  const asked: [OperationTarget, AskedOperation, number][] = [];
  const answering = new GatewayQuestions({ ask: () => undefined }, log);
  answering.attach("p", "session", answers.session);
  answering.attach("p", "meta", answers.meta);
  const lost: { outcome?: OperationOutcome } = {};
  const asking = new GatewayQuestions(
    {
      ask: (to, { asked: operation, waitMs }, outcome) => {
        asked.push([to, operation, waitMs]);
        if (lost.outcome !== undefined) return outcome(lost.outcome);
        const reply = answering.answer(operation.operation, operation.parameters);
        assert.ok(reply !== undefined);
        void reply.then(({ status, body }) => outcome({ kind: "answered", status, body: JSON.stringify(body) }));
      },
    },
    log,
  );
  return { others: asking.otherNodes("p"), answering, asked, errors, lost };
}

const QUESTION = { name: "count", parameters: { of: "a" }, waitMs: 5 };

test("a protocol's question reaches its own code, in the role that is asked, and its answer comes back", async () => {
  const told: unknown[] = [];
  const answer = (role: string): AnswerNode => {
    return async (question) => {
      told.push([role, question]);
      return { role };
    };
  };
  const { others, asked } = scene({ session: answer("session"), meta: answer("meta") });
  assert.deepEqual(await others.askSession(SESSION, QUESTION), { role: "session" });
  assert.deepEqual(await others.askLeader(QUESTION), { role: "meta" });
  const { waitMs, ...question } = QUESTION;
  assert.deepEqual(told, [
    ["session", question],
    ["meta", question],
  ]);
  assert.deepEqual(
    asked.map(([to, { operation }, ms]) => [to, operation, ms]),
    [
      [SESSION, "p/session/count", waitMs],
      ["leader", "p/meta/count", waitMs],
    ],
  );
});

test("a refusal comes back with its code, its words and whether to try again", async () => {
  const { others, errors } = scene({ session: () => Promise.reject(fail("STORE_UNAVAILABLE", { reason: "away" })) });
  const { code, message, retry } = fail("STORE_UNAVAILABLE", { reason: "away" });
  await assert.rejects(others.askSession(SESSION, QUESTION), { code, message, retry });
  assert.deepEqual(errors, []);
});

test("a bug at the answering node is logged there, and told as one", async () => {
  const { others, errors } = scene({ session: () => Promise.reject(new TypeError("x is not a function")) });
  await assert.rejects(others.askSession(SESSION, QUESTION), /INTERNAL.*its log has the reason/);
  assert.match(JSON.stringify(errors), /p\/session\/count.*x is not a function/);
});

test("a node without the protocol, or without its answers in the role, says so", async () => {
  const { others } = scene({});
  await assert.rejects(others.askLeader(QUESTION), /NODE_ASKED_UNREACHABLE.*this node has no p\/meta/);
});

test("a node that can't be reached is named with the reason", async () => {
  const { others, lost } = scene({});
  lost.outcome = { kind: "unreachable", reason: "no meta node can be reached" };
  await assert.rejects(others.askSession(SESSION, QUESTION), /NODE_ASKED_UNREACHABLE.*s1\.a.*no meta node can be/);
});

test("operations are not a protocol's questions", () => {
  const { answering } = scene({});
  assert.equal(answering.answer("nodes.list", "{}"), undefined);
  assert.equal(answering.answer("p/session", "{}"), undefined);
});

test("parameters that are no JSON are refused", async () => {
  const { answering, errors } = scene({ session: async () => ({}) });
  const reply = await answering.answer("p/session/count", "{");
  assert.equal(reply?.status, 400);
  assert.deepEqual(errors, []);
});
