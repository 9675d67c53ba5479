import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { RegistryError } from "../base/errors.ts";
import type { DatagramOpener } from "../base/ports.ts";
import { hostClock } from "./clock.ts";
import { listenUdp } from "./udp.ts";

const echo: DatagramOpener = (port) => ({ received: (bytes, from) => port.send(bytes, from) });

function listen(host: string, open = echo, port = 0, dropped: string[] = []) {
  const failed = (error: Error) => assert.fail(error.message);
  return listenUdp({ key: "x-port", host, port, open, clock: hostClock, dropped: (why) => dropped.push(why), failed });
}

for (const [host, type] of [
  ["127.0.0.1", "udp4"],
  ["::1", "udp6"],
] as const) {
  test(`a message at ${host} is answered to its sender`, async () => {
    const listener = await listen(host);
    const client = createSocket(type);
    client.send("hello", listener.port, host);
    const [bytes] = await once(client, "message");
    assert.equal(String(bytes), "hello");
    client.close();
    await listener.close();
    await listener.close();
  });
}

test("a port that is in use is refused with its key", async () => {
  const first = await listen("127.0.0.1");
  const second = listen("127.0.0.1", echo, first.port);
  await assert.rejects(second, (error) => error instanceof RegistryError && error.code === "ADDRESS_IN_USE");
  await first.close();
});

test("messages beyond what may wait are dropped and counted; after the end none is sent", async () => {
  const dropped: string[] = [];
  let fill: () => void = () => undefined;
  const listener = await listen(
    "127.0.0.1",
    (port) => {
      fill = () => port.send(new Uint8Array(1_000), "127.0.0.1:9");
      return { received: () => undefined };
    },
    0,
    dropped,
  );
  for (let at = 0; at < 1_200; at++) fill();
  assert.deepEqual(dropped, new Array(152).fill("QUEUE_FULL"));
  const closed = listener.close();
  fill();
  assert.equal(dropped.length, 152);
  await closed;
});
