// Questions of operators between nodes, over links that the test plays.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { noMetrics } from "../../base/metrics.ts";
import { type NodeId, nodeId } from "../../model/ids.ts";
import { ANSWER_UNITS_MAX } from "../messages/operation.ts";
import type { LinkMessage } from "./link.ts";
import {
  OPERATION_CLASS,
  OperationCalls,
  type OperationOutcome,
  type OperationTarget,
  type Way,
} from "./operationCalls.ts";
import { TestTime } from "./testing/wires.ts";

const nothing = () => undefined;
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const SESSION = nodeId("s1.a");
const DATA = nodeId("d1.a");
const [M1, M2] = [nodeId("m1.a"), nodeId("m2.a")];

/** Nodes with a link to every meta node; `cut` links carry nothing, `down` ones are known to be gone. */
class Network {
  readonly time = new TestTime();
  readonly calls = new Map<NodeId, OperationCalls>();
  readonly cut = new Set<string>();
  readonly down = new Set<string>();
  leader: NodeId | undefined = M2;
  /** Messages that were carried. */
  carried = 0;

  constructor() {
    for (const id of [SESSION, DATA, M1, M2]) {
      const isMeta = id === M1 || id === M2;
      const up = () => [M1, M2].filter((meta) => this.#isUp(id, meta));
      const metas = () => new Map(up().map((meta) => [meta, this.#way(id, meta)]));
      const to = (node: NodeId) => (this.calls.has(node) && this.#isUp(id, node) ? this.#way(id, node) : undefined);
      const calls = new OperationCalls(
        { id, isMeta },
        { metas, to },
        { timers: this.time, metrics: noMetrics, log: LOG },
      );
      calls.attach({
        leader: () => this.leader,
        answer: ({ operation, parameters }, reply) => reply(200, JSON.stringify([id, operation, parameters])),
      });
      this.calls.set(id, calls);
    }
  }

  /** Asks, and returns the outcome when everything has been carried. */
  ask(from: NodeId, to: OperationTarget): OperationOutcome | undefined {
    let got: OperationOutcome | undefined;
    const asked = { operation: "health.get", parameters: "{}" };
    this.calls.get(from)?.ask(to, { asked, waitMs: 1_000 }, (outcome) => {
      assert.equal(got, undefined, "one outcome");
      got = outcome;
    });
    this.time.run(100);
    return got;
  }

  #isUp(from: NodeId, to: NodeId): boolean {
    return from !== to && !this.down.has(`${from} ${to}`) && !this.down.has(`${to} ${from}`);
  }

  #way(from: NodeId, to: NodeId): Way {
    return ({ parts }: LinkMessage) => {
      if (this.cut.has(`${from} ${to}`)) return;
      this.time.after(1, () => {
        this.carried++;
        const content = parts[1] ?? new Uint8Array();
        this.calls.get(to)?.received(OPERATION_CLASS, content, this.#way(to, from));
      });
    };
  }
}

const answeredBy = (outcome: OperationOutcome | undefined) =>
  outcome?.kind === "answered" ? JSON.parse(outcome.body)[0] : outcome?.reason;

test("a member reaches the leading meta node, another member, and the meta node that stands by", () => {
  const network = new Network();
  assert.equal(answeredBy(network.ask(SESSION, "leader")), M2);
  assert.equal(answeredBy(network.ask(SESSION, DATA)), DATA);
  assert.equal(answeredBy(network.ask(SESSION, M1)), M1);
});

test("a meta node reaches members and the leader itself, by one link", () => {
  const network = new Network();
  assert.equal(answeredBy(network.ask(M1, "leader")), M2);
  assert.equal(network.carried, 2);
  assert.equal(answeredBy(network.ask(M1, DATA)), DATA);
  assert.equal(answeredBy(network.ask(M2, "leader")), M2);
});

test("the way goes around a link that is down", () => {
  const network = new Network();
  network.down.add(`${SESSION} ${M2}`);
  assert.equal(answeredBy(network.ask(SESSION, "leader")), M2);
  network.down.add(`${DATA} ${M1}`);
  network.down.delete(`${SESSION} ${M2}`);
  assert.equal(answeredBy(network.ask(SESSION, DATA)), DATA, "the first meta node can't, the second one can");
});

test("a question that can't be answered ends with the reason", () => {
  const network = new Network();
  assert.match(answeredBy(network.ask(SESSION, nodeId("gone.a"))), /no link to gone.a/);
  network.leader = undefined;
  assert.match(answeredBy(network.ask(SESSION, "leader")), /no meta node leads/);
  assert.match(answeredBy(network.ask(M1, "leader")), /no meta node leads/);
  network.down.add(`${SESSION} ${M1}`).add(`${SESSION} ${M2}`);
  assert.match(answeredBy(network.ask(SESSION, "leader")), /no meta node can be reached/);
});

test("a question or an answer that is lost ends at its time, and a late answer is dropped", () => {
  const network = new Network();
  network.cut.add(`${M1} ${SESSION}`);
  network.down.add(`${SESSION} ${M2}`);
  assert.equal(network.ask(SESSION, "leader"), undefined);
  network.time.run(1_000);
  let outcome: OperationOutcome | undefined;
  const asked = { operation: "health.get", parameters: "{}" };
  network.calls.get(SESSION)?.ask("leader", { asked, waitMs: 500 }, (got) => {
    outcome = got;
  });
  network.time.run(499);
  assert.equal(outcome, undefined);
  network.time.run(1);
  assert.match(answeredBy(outcome), /within 500 ms/);
});

test("a meta node that is to answer is asked on its own link", () => {
  const network = new Network();
  assert.equal(answeredBy(network.ask(SESSION, M2)), M2);
  assert.equal(network.carried, 2);
});

test("a question ends with the link to the meta node that has it, and no other meta node is asked", () => {
  const network = new Network();
  network.cut.add(`${SESSION} ${M1}`);
  let outcome: OperationOutcome | undefined;
  const asked = { operation: "health.get", parameters: "{}" };
  network.calls.get(SESSION)?.ask(DATA, { asked, waitMs: 500 }, (got) => {
    outcome = got;
  });
  network.calls.get(SESSION)?.lost(M2);
  assert.equal(outcome, undefined);
  network.calls.get(SESSION)?.lost(M1);
  assert.match(answeredBy(outcome), /the link to m1.a has ended/);
  network.time.run(1_000);
  assert.equal(network.carried, 0);
});

test("two meta nodes that take each other for the leader do not pass a question on for ever", () => {
  const network = new Network();
  for (const [meta, other] of [
    [M1, M2],
    [M2, M1],
  ] as const) {
    network.calls.get(meta)?.attach({ leader: () => other, answer: () => assert.fail("neither answers") });
  }
  assert.match(answeredBy(network.ask(SESSION, "leader")), /no link/);
  assert.ok(network.carried < 20, `${network.carried} messages`);
});

test("an answer that is too long for a link is refused by its node", () => {
  const network = new Network();
  network.calls
    .get(M2)
    ?.attach({ leader: () => M2, answer: (_, reply) => reply(200, "x".repeat(ANSWER_UNITS_MAX + 1)) });
  assert.match(answeredBy(network.ask(SESSION, "leader")), /too long/);
});

test("a node that stops ends its open questions", () => {
  const network = new Network();
  network.cut.add(`${SESSION} ${M1}`);
  const outcomes: OperationOutcome[] = [];
  const asked = { operation: "health.get", parameters: "{}" };
  network.calls.get(SESSION)?.ask("leader", { asked, waitMs: 500 }, (outcome) => void outcomes.push(outcome));
  network.calls.get(SESSION)?.close();
  network.time.run(1_000);
  assert.deepEqual(outcomes, [{ kind: "unreachable", reason: "this node stops" }]);
});

test("a message of another class is left to others, and a malformed one is refused", () => {
  const calls = new Network().calls.get(SESSION);
  assert.equal(calls?.received("roster.MetaToMember", new Uint8Array([1]), nothing), false);
  assert.throws(
    () => calls?.received(OPERATION_CLASS, new Uint8Array([9]), nothing),
    (error) => error instanceof RegistryError && error.code === "NODE_MESSAGE_MALFORMED",
  );
});
