import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import {
  ackLast,
  connect,
  type HarnessClient,
  nowMs,
  ORDERS,
  pass,
  reset,
  session,
  snapshot,
  subscribe,
} from "./testing/harness.ts";

beforeEach(reset);

/** A client that answers each push after a delay, behind a line of limited bytes a second. */
class SlowClient {
  readonly #client: HarnessClient;
  readonly #answerMs: number;
  readonly #bytesPerMs: number;
  #waiting: { push: number; endByte: number; dueMs: number | undefined }[] = [];
  #met: number;

  constructor(client: HarnessClient, { answerMs = 0, bytesPerSecond = Number.POSITIVE_INFINITY }) {
    this.#client = client;
    this.#answerMs = answerMs;
    this.#bytesPerMs = bytesPerSecond / 1_000;
    this.#met = this.#pushes().length;
  }

  pass(ms: number): void {
    const stepMs = 50;
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      this.#meet();
      pass(stepMs);
      this.#read(stepMs);
      this.#answer();
    }
  }

  #pushes() {
    const { pushes, configs } = this.#client.channel;
    return [...pushes, ...configs].sort((a, b) => a.id - b.id);
  }

  #meet(): void {
    const { channel } = this.#client;
    for (const { id } of this.#pushes().slice(this.#met)) {
      this.#met++;
      channel.unsentBytes += channel.pushBytes;
      this.#waiting.push({ push: id, endByte: channel.writtenBytes, dueMs: undefined });
    }
  }

  #read(ms: number): void {
    const { channel, id } = this.#client;
    const before = channel.unsentBytes;
    channel.unsentBytes = Math.max(0, before - ms * this.#bytesPerMs);
    if (before > 0 && channel.unsentBytes === 0) session.step({ kind: "drained", client: id }, nowMs);
    for (const each of this.#waiting) if (channel.sentBytes >= each.endByte) each.dueMs ??= nowMs + this.#answerMs;
  }

  #answer(): void {
    const due = this.#waiting.filter(({ dueMs }) => dueMs !== undefined && dueMs <= nowMs);
    this.#waiting = this.#waiting.filter((each) => !due.includes(each));
    for (const { push } of due)
      session.step({ kind: "pushAnswered", client: this.#client.id, push, isTaken: true }, nowMs);
  }
}

test("a client that answers after 2.5 s every time gets each list once", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  const slow = new SlowClient(client, { answerMs: 2_500 });
  for (let version = 11n; version <= 20n; version++) {
    snapshot(version);
    slow.pass(6_000);
  }
  const expected = Array.from({ length: 11 }, (_, at) => BigInt(10 + at));
  assert.deepEqual(client.channel.versions, expected);
});

test("a client that takes 10 s for each answer gets the first list again, and from then on each list once", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  const slow = new SlowClient(client, { answerMs: 10_000 });
  for (let version = 11n; version <= 20n; version++) {
    snapshot(version);
    slow.pass(60_000);
  }
  const counts = Map.groupBy(client.channel.versions, (version) => version);
  assert.ok(
    [...counts.values()].slice(2).every(({ length }) => length === 1),
    String(client.channel.versions),
  );
});

test("the time of a push begins when its bytes have left, and it is not repeated while they have not", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  client.channel.pushBytes = 960_000;
  const slow = new SlowClient(client, { bytesPerSecond: 50_000, answerMs: 100 });
  snapshot(11n);
  slow.pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
  snapshot(12n);
  slow.pass(100);
  snapshot(13n);
  slow.pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 11n, 12n, 13n], "the newest follows the answer");
});

test("a large list that has left for the kernel's buffers has longer to be answered", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  client.channel.pushBytes = 960_000;
  snapshot(11n);
  pass(20_000);
  ackLast(client);
  pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 11n]);
});

test("a client that never answered is not pushed to while an earlier push has not left", () => {
  const client = connect();
  client.channel.unsentBytes = 100;
  subscribe(client);
  snapshot(10n);
  snapshot(11n);
  pass(10_000);
  snapshot(12n);
  assert.deepEqual(client.channel.versions, [10n]);
  client.channel.unsentBytes = 0;
  session.step({ kind: "drained", client: client.id }, nowMs);
  assert.deepEqual(client.channel.versions, [10n, 12n]);
});

test("a first push that is refused late comes again", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  pass(3_000);
  ackLast(client, false);
  pass(1_000);
  assert.deepEqual(client.channel.versions, [10n, 10n]);
  ackLast(client);
  pass(60_000);
  assert.deepEqual(client.channel.versions, [10n, 10n]);
});

test("an answer to a push that has been repeated counts, and nothing follows", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  snapshot(11n);
  pass(4_500);
  const [, first, again] = client.channel.pushes;
  assert.ok(first && again, "it was repeated after 4 s");
  session.step({ kind: "pushAnswered", client: client.id, push: first.id, isTaken: true }, nowMs);
  pass(120_000);
  assert.deepEqual(client.channel.versions, [10n, 11n, 11n], "the second is not repeated, though it is not answered");
});

test("a late answer counts for the version that it was sent for, not for a later one", () => {
  const client = connect();
  subscribe(client);
  snapshot(10n);
  ackLast(client);
  snapshot(11n);
  pass(3_000);
  snapshot(12n);
  const [, older] = client.channel.pushes;
  assert.ok(older);
  session.step({ kind: "pushAnswered", client: client.id, push: older.id, isTaken: true }, nowMs);
  pass(10_000);
  assert.deepEqual(client.channel.versions.slice(0, 4), [10n, 11n, 12n, 12n], "12 is still not answered");
});

const config = (version: bigint, data = "value") =>
  session.step({ kind: "fromMeta", message: { kind: "config", value: { serviceKey: ORDERS, version, data } } }, nowMs);
function watch(client: HarnessClient): void {
  const key = { serviceKey: ORDERS, registId: "c1", version: 1n };
  session.step({ kind: "watchedConfig", client: client.id, request: 1, key }, nowMs);
}
const configVersions = ({ channel }: HarnessClient) => channel.configs.map(({ version }) => version);
const ackConfig = ({ id, channel }: HarnessClient, at: number, isTaken = true) =>
  session.step({ kind: "pushAnswered", client: id, push: channel.configs.at(at)?.id ?? -1, isTaken }, nowMs);

test("a large configuration value on its way through a slow line is not sent again", () => {
  const client = connect();
  watch(client);
  config(1n);
  ackConfig(client, -1);
  client.channel.pushBytes = 900_000;
  const slow = new SlowClient(client, { bytesPerSecond: 100_000, answerMs: 100 });
  config(2n);
  slow.pass(60_000);
  assert.deepEqual(configVersions(client), [1n, 2n]);
});

test("configuration values go out one at a time, and the newest follows the answer", () => {
  const client = connect();
  watch(client);
  config(1n);
  ackConfig(client, -1);
  for (const version of [2n, 3n, 4n]) config(version);
  assert.deepEqual(configVersions(client), [1n, 2n]);
  ackConfig(client, -1);
  assert.deepEqual(configVersions(client), [1n, 2n, 4n]);
});

test("a configuration value is sent again after its time, with growing pauses; a late answer ends it", () => {
  const client = connect();
  watch(client);
  config(1n);
  ackConfig(client, -1);
  config(2n);
  pass(4_000);
  assert.deepEqual(configVersions(client), [1n, 2n]);
  pass(2_000);
  assert.deepEqual(configVersions(client), [1n, 2n, 2n], "by the first repair after its time");
  ackConfig(client, 1);
  pass(120_000);
  assert.deepEqual(configVersions(client), [1n, 2n, 2n], "the answer to the first push counts");
  config(3n);
  pass(300_000);
  assert.ok(configVersions(client).length < 14, "an unanswered value takes longer and longer pauses");
});

test("a first configuration value that is refused late comes again", () => {
  const client = connect();
  watch(client);
  config(1n);
  pass(3_000);
  ackConfig(client, -1, false);
  pass(20_000);
  assert.deepEqual(configVersions(client).slice(0, 2), [1n, 1n]);
});
