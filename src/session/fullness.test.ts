import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import type { Unlisted } from "../cluster/messages/sessionData.ts";
import { packBoxes } from "../model/payload.ts";
import {
  batches,
  connect,
  forgetSent,
  fromData,
  type HarnessClient,
  ORDERS,
  pass,
  publish,
  reset,
  START_MS,
  toData,
  useSession,
} from "./testing/harness.ts";

beforeEach(() => reset());

/** Boxes of one letter each. */
const boxes = (letter = 0x61, count = 500) =>
  packBoxes(Array.from({ length: count }, () => ({ utf8: Uint8Array.of(letter), units: 1 })));

/** The data node answers the last batch. */
function answer(unlisted: readonly Partial<Unlisted>[] = [], isFull = false): void {
  const batch = toData.findLast((message) => message.kind === "publish");
  assert.ok(batch !== undefined);
  const known = { serviceKey: ORDERS, registId: "p1", stamp: { version: 1n, registeredMs: START_MS } };
  const all = unlisted.map((one) => ({ ...known, bytes: 65_000, bytesMax: 65_536, ...one }));
  fromData({ kind: "taken", batch: batch.batch, superseded: [], unlisted: all, isFull });
}

/** The last answer to the client. */
function outcome({ channel }: HarnessClient): string {
  const last = channel.outcomes.at(-1);
  return last?.kind === "failed" ? last.error.code : (last?.kind ?? "nothing");
}

/** The session's next digest of what it holds. */
function digest(): { count: number; digest: bigint } | undefined {
  forgetSent();
  pass(6_000);
  const slot = toData.findLast((message) => message.kind === "digests")?.slots[0];
  return slot && { count: slot.count, digest: slot.digest };
}

test("what makes the list of a service too large is refused at once, by what the session itself holds", () => {
  useSession({ serviceBytesMax: 64 * 1024 });
  const client = connect();
  publish(client, { registId: "p1", payload: boxes() });
  publish(client, { registId: "p2", payload: boxes() });
  assert.equal(outcome(client), "SERVICE_FULL");
  publish(client, { registId: "p1", version: 2n, payload: boxes(0x62) });
  assert.equal(outcome(client), "accepted", "what does not grow is taken");
  publish(client, { registId: "p1", version: 3n, payload: boxes(0x61, 4_000) });
  assert.equal(outcome(client), "SERVICE_FULL", "what grows is as if it were new");
});

test("a publication that found no room is not spoken of, and tried again with each comparison", () => {
  const client = connect();
  publish(client);
  answer([{}]);
  assert.equal(digest()?.count, 0);
  const again = batches().flat();
  assert.deepEqual([again.length, again[0]?.kind], [1, "put"]);
  answer([{}]);
  assert.equal(digest()?.count, 0);
  answer();
  assert.equal(digest()?.count, 1);
  assert.equal(batches().length, 0);
});

test("of one that has grown too much, what was listed before is spoken of", () => {
  const client = connect();
  publish(client);
  answer();
  const before = digest();
  publish(client, { version: 2n });
  const [[item] = []] = batches();
  assert.ok(item?.kind === "put");
  answer([{ stamp: item.publication, listed: { version: 1n, registeredMs: START_MS } }]);
  assert.deepEqual(digest(), before);
});

test("while a list is full new publications of it are refused, those of others are not", () => {
  const client = connect();
  publish(client);
  answer([{}]);
  publish(client, { registId: "p2" });
  assert.equal(outcome(client), "SERVICE_FULL");
  publish(client, { registId: "p3", serviceKey: other() });
  assert.equal(outcome(client), "accepted");
  answer();
  pass(4_999);
  publish(client, { registId: "p2" });
  assert.equal(outcome(client), "SERVICE_FULL", "five seconds long");
  pass(1);
  publish(client, { registId: "p2" });
  assert.equal(outcome(client), "accepted", "then it is asked for again");
});

test("of more than a thousand full lists those are forgotten that were told of longest ago", () => {
  useSession({ clientRegistrationsMax: 10_000 });
  const client = connect();
  publish(client);
  const service = (at: number) => ORDERS.replace("orders", `service-${at}`) as typeof ORDERS;
  const tell = (from: number, to: number) => {
    answer(Array.from({ length: to - from }, (_, at) => ({ serviceKey: service(from + at) })));
    publish(client, { version: BigInt(to) });
  };
  tell(0, 1_000);
  answer([{ serviceKey: service(0) }, { serviceKey: service(1_000) }]);
  const isFull = (at: number) => {
    publish(client, { registId: `x${at}`, serviceKey: service(at) });
    return outcome(client) === "SERVICE_FULL";
  };
  assert.deepEqual([isFull(0), isFull(1), isFull(2), isFull(1_000)], [true, false, true, true]);
});

test("while a data node is full, what is new for it is refused, for some seconds or until it says otherwise", () => {
  const client = connect();
  publish(client, { registId: "p1" });
  answer([], true);
  publish(client, { registId: "p2" });
  assert.equal(outcome(client), "DATA_FULL");
  publish(client, { registId: "p1", version: 2n });
  assert.equal(outcome(client), "accepted", "what does not grow is taken");
  answer([], false);
  publish(client, { registId: "p2" });
  assert.equal(outcome(client), "accepted");
  answer([], true);
  pass(4_999);
  publish(client, { registId: "p3" });
  assert.equal(outcome(client), "DATA_FULL");
  pass(1);
  publish(client, { registId: "p3" });
  assert.equal(outcome(client), "accepted");
});

function other(): typeof ORDERS {
  return ORDERS.replace("orders", "others") as typeof ORDERS;
}
