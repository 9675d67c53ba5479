import assert from "node:assert/strict";
import { test } from "node:test";
import { LocalNetwork } from "./localNetwork.ts";

/** Resolves in the next turn of the event loop, after the sockets had theirs. */
const nextTurn = () => new Promise<void>((resolve) => void setImmediate(resolve));

test("deliveries come in order, and never inside the step that caused them", async () => {
  const network = new LocalNetwork();
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
  const network = new LocalNetwork();
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

test("nothing is delivered after the close", async () => {
  const network = new LocalNetwork();
  network.send(() => assert.fail("delivered"));
  network.close();
  network.send(() => assert.fail("delivered"));
  await nextTurn();
});
