import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { brandServiceKey } from "../model/ids.ts";
import { NO_VERSION } from "../model/version.ts";
import type { Asker, QueryAnswer } from "../registry/registry.ts";
import {
  connect,
  fromData,
  nowMs,
  ORDERS,
  pass,
  reset,
  session,
  snapshot,
  subscribe,
  toData,
} from "./testing/harness.ts";

beforeEach(reset);

/** The kinds of the messages to the data node. */
const told = () => toData.map(({ kind }) => kind).filter((kind) => kind !== "digests");

/** Asks; `answers` has what came. */
function ask({ since = NO_VERSION, forMs = 1_000, serviceKey = ORDERS } = {}) {
  const answers: QueryAnswer[] = [];
  const asker: Asker = { answer: (answer) => void answers.push(answer) };
  session.step({ kind: "asked", asker, serviceKey, since, untilMs: nowMs + forMs }, nowMs);
  const versions = () => answers.map((answer) => (answer.kind === "list" ? answer.view.version : answer.error.code));
  return { asker, answers, versions };
}

test("a list that is not here is fetched, and answers everybody who has asked with one view", () => {
  const [one, other] = [ask(), ask()];
  assert.deepEqual([told(), one.versions()], [["fetch"], []]);
  snapshot(5n);
  assert.deepEqual([one.versions(), other.versions()], [[5n], [5n]]);
  assert.ok(one.answers[0]?.kind === "list" && other.answers[0]?.kind === "list");
  assert.equal(one.answers[0].view, other.answers[0].view);
});

test("a list that is here is answered at once, for subscribers or since somebody has asked", () => {
  const client = connect();
  subscribe(client);
  snapshot(5n);
  assert.deepEqual(ask().versions(), [5n]);
  assert.deepEqual(client.channel.pushes.length, 1, "the subscriber is pushed its own");
});

test("who waits for a later version is answered with it, and not with the one that it named", () => {
  ask();
  snapshot(5n);
  const { answers, versions } = ask({ since: 5n });
  snapshot(5n);
  assert.deepEqual(versions(), []);
  snapshot(7n);
  snapshot(8n);
  assert.deepEqual(versions(), [7n]);
  assert.ok(answers[0]?.kind === "list" && answers[0].isNewer);
});

test("when the time is over there is what there is: the list as it was, or that none has come", () => {
  const none = ask();
  pass(999);
  assert.deepEqual(none.versions(), []);
  pass(1);
  assert.deepEqual(none.versions(), ["LIST_UNAVAILABLE"]);
  snapshot(5n);
  const { answers } = ask({ since: 5n });
  pass(1_000);
  assert.ok(answers[0]?.kind === "list" && !answers[0].isNewer && answers[0].view.version === 5n);
  snapshot(6n);
  assert.equal(answers.length, 1);
});

test("who gives up is not answered", () => {
  const { asker, answers } = ask();
  session.step({ kind: "gaveUp", asker }, nowMs);
  snapshot(5n);
  pass(2_000);
  assert.deepEqual(answers, []);
});

test("a list is kept up to date for a minute after the last question, and then let go", () => {
  ask();
  snapshot(5n);
  pass(59_000);
  assert.deepEqual(ask().versions(), [5n]);
  assert.ok(toData.some(({ kind }) => kind === "scan"));
  pass(59_999);
  assert.ok(!told().includes("release"));
  pass(1);
  assert.equal(told().at(-1), "release");
  const late = ask();
  assert.deepEqual([told().at(-1), late.versions()], ["fetch", []]);
});

test("a service with subscribers stays when no question comes any more, and one with a question that waits", () => {
  subscribe(connect());
  snapshot(5n);
  ask();
  const stock = brandServiceKey("stock#@#I#@#G");
  const long = ask({ serviceKey: stock, forMs: 200_000 });
  fromData({ kind: "snapshot", datum: { serviceKey: stock, version: 0n, origin: 0n, publications: [] } });
  pass(130_000);
  assert.ok(!told().includes("release"));
  pass(200_000);
  assert.deepEqual(long.versions(), ["LIST_UNAVAILABLE"]);
  assert.deepEqual(
    toData.flatMap((message) => (message.kind === "release" ? message.serviceKeys : [])),
    [stock],
  );
});

test("of ten thousand services that are kept for questions one more lets the oldest go", () => {
  for (let at = 0; at < 10_000; at++) {
    const serviceKey = brandServiceKey(`s${at}#@#I#@#G`);
    ask({ serviceKey, forMs: 1 });
  }
  pass(10);
  ask({ serviceKey: brandServiceKey("s0#@#I#@#G"), forMs: 1 });
  ask({ serviceKey: brandServiceKey("more#@#I#@#G"), forMs: 1 });
  assert.deepEqual(
    toData.flatMap((message) => (message.kind === "release" ? message.serviceKeys : [])),
    ["s1#@#I#@#G"],
  );
});

test("a hundred thousand questions may wait; one more is refused with the number", () => {
  for (let at = 0; at < 100_000; at++) ask();
  const [refused] = ask().answers;
  assert.ok(refused?.kind === "failed");
  assert.match(refused.error.message, /^QUERIES_EXHAUSTED: .*waiting=100000/);
});
