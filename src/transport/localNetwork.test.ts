import assert from "node:assert/strict";
import { test } from "node:test";
import { hostClock } from "./clock.ts";
import { LocalNetwork } from "./localNetwork.ts";

/** Resolves in the next turn of the event loop, after the sockets had theirs. */
const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("deliveries come in order, and never inside the step that caused them", async () => {
  const network = new LocalNetwork(hostClock);
  const seen: string[] = [];
  network.send(() => {
    seen.push("a begins");
    network.send(() => seen.push("b"));
    seen.push("a ends");
  });
  assert.deepEqual(seen, []);
  await nextTurn();
  assert.deepEqual(seen, ["a begins", "a ends", "b"]);
});

test("roles that answer each other without end leave the sockets their turn", async () => {
  const network = new LocalNetwork(hostClock);
  let delivered = 0;
  const again = () => {
    delivered++;
    network.send(again);
  };
  network.send(again);
  await nextTurn();
  const soFar = delivered;
  assert.ok(soFar > 0);
  await nextTurn();
  assert.ok(delivered > soFar);
  network.close();
});

test("what was sent in a turn is delivered in it, however much, as long as the turn has time", async () => {
  let nowMs = 0;
  const network = new LocalNetwork({ nowMs: () => nowMs });
  let delivered = 0;
  for (let sent = 0; sent < 10_000; sent++) network.send(() => delivered++);
  await nextTurn();
  assert.equal(delivered, 10_000);
  for (let sent = 0; sent < 10_000; sent++) {
    network.send(() => {
      delivered++;
      nowMs++;
    });
  }
  await nextTurn();
  assert.ok(delivered < 10_100, String(delivered));
  network.close();
});

test("nothing is delivered after the close", async () => {
  const network = new LocalNetwork(hostClock);
  network.send(() => assert.fail("delivered"));
  network.close();
  network.send(() => assert.fail("delivered"));
  await nextTurn();
});
