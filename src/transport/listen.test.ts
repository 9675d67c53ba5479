import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { listenSockets } from "./listen.ts";

/** A port that takes nobody, and the times of its refusals. */
async function full() {
  const refusedMs: number[] = [];
  const listener = await listenSockets(
    {
      ...{ key: "bolt-port", host: "127.0.0.1", port: 0 },
      connectionsMax: () => 0,
      refused: () => refusedMs.push(performance.now()),
      notAccepted: assert.ifError,
    },
    () => assert.fail("nobody is served"),
  );
  return { listener, refusedMs };
}

// A client that sees the end before it has finished with the connection may keep it for ever.
test("a refused connection is closed a moment later, and what it sends is not read", async () => {
  const { listener, refusedMs } = await full();
  const client = connect(listener.port, "127.0.0.1");
  client.on("error", () => undefined);
  client.write("hello");
  await once(client, "close");
  assert.ok(performance.now() - (refusedMs[0] ?? 0) > 80);
  await listener.close();
});

test("of very many refused connections the later ones are closed at once, and all with the port", async () => {
  const { listener, refusedMs } = await full();
  const clients = Array.from({ length: 150 }, () => connect(listener.port, "127.0.0.1"));
  const closed = clients.map((client) => {
    client.on("error", () => undefined);
    return once(client, "close");
  });
  await Promise.race(closed);
  while (refusedMs.length < clients.length) await new Promise((resolve) => setImmediate(resolve));
  await listener.close();
  await Promise.all(closed);
});
