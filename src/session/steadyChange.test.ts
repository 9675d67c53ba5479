import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  ackLast,
  connect,
  type HarnessClient,
  nowMs,
  pass,
  reset,
  START_MS,
  snapshot,
  subscribe,
  useSession,
} from "./testing/harness.ts";

beforeEach(reset);

let version = 10n;

/** A subscriber that has the first list, and has been quiet long enough. */
function ready(): HarnessClient {
  const client = connect();
  subscribe(client);
  snapshot(++version);
  ackLast(client);
  pass(2_000);
  return client;
}

/** Changes the list several times; returns the time of each push, in milliseconds after the first change. */
function change(client: HarnessClient, { times, apartMs }: { times: number; apartMs: number }): number[] {
  const [startMs, before] = [nowMs, client.channel.pushes.length];
  const cameMs: number[] = [];
  const answer = () => {
    if (client.channel.pushes.length === before + cameMs.length) return;
    cameMs.push(nowMs - startMs);
    ackLast(client);
  };
  for (let made = 0; made < times; made++) {
    snapshot(++version);
    for (let ms = 0; ms < apartMs; ms++) {
      answer();
      pass(1);
    }
    answer();
  }
  for (let ms = 0; ms < 3_000; ms++) {
    answer();
    pass(1);
  }
  return cameMs;
}

test("fifty changes 100 ms apart reach a client in a dozen pushes, the last one within 1.1 s", () => {
  const client = ready();
  const came = change(client, { times: 50, apartMs: 100 });
  assert.ok(came.length <= 13, `${came.length} pushes`);
  assert.equal(client.channel.versions.at(-1), version);
  assert.ok((came.at(-1) ?? 0) <= 4_900 + 1_100, String(came));
});

test("gaps grow from 50 ms by half", () => {
  const came = change(ready(), { times: 1_000, apartMs: 1 });
  const gaps = came.map((ms, at) => ms - (came[at - 1] ?? 0));
  assert.deepEqual(gaps.slice(0, 6), [0, 50, 75, 112, 168, 253]);
});

test("a burst within half a second is a handful of pushes", () => {
  const came = change(ready(), { times: 500, apartMs: 1 });
  assert.ok(came.length <= 6, String(came));
  assert.ok((came.at(-1) ?? 0) <= 1_000, String(came));
});

test("a change after quiet goes out at once, however long the gaps had become, and gaps begin anew", () => {
  const client = ready();
  change(client, { times: 50, apartMs: 100 });
  const came = change(client, { times: 3, apartMs: 600 });
  assert.deepEqual(came, [0, 600, 1_200]);
});

test("what was gathered goes out when it is quiet, before a long gap ends", () => {
  useSession({ pushWindowMaxMs: 20_000 });
  const came = change(ready(), { times: 60, apartMs: 100 });
  assert.equal(came.at(-1), 5_900 + 500);
});

test("gaps are never longer than the window, and a short window knows quiet too", () => {
  useSession({ pushWindowMaxMs: 100 });
  const client = ready();
  const came = change(client, { times: 400, apartMs: 5 });
  const gaps = came.slice(3).map((ms, at) => ms - (came[at + 2] ?? 0));
  assert.ok(
    gaps.every((gap) => gap === 100),
    String(came),
  );
  assert.deepEqual(change(client, { times: 2, apartMs: 550 }), [0, 550]);
});

test("a window of 0 never gathers", () => {
  useSession({ pushWindowMaxMs: 0 });
  assert.equal(change(ready(), { times: 50, apartMs: 10 }).length, 50);
});

test("a new subscriber of a service that changes all the time gets the list that is there at once", () => {
  const client = ready();
  change(client, { times: 50, apartMs: 100 });
  snapshot(++version);
  ackLast(client);
  pass(100);
  snapshot(++version);
  const other = connect();
  subscribe(other);
  assert.deepEqual(other.channel.versions, [version]);
});

test("the first list and the first change after it both go out at once", () => {
  const client = connect();
  subscribe(client);
  snapshot(++version);
  ackLast(client);
  snapshot(++version);
  assert.equal(nowMs, START_MS);
  assert.equal(client.channel.pushes.length, 2);
});
