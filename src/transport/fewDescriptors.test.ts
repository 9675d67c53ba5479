// The fate of a port when the process has no descriptors left. It needs a process of its own, with few of them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { test } from "node:test";

const DESCRIPTORS = 64;

const LISTENER = `
  const { listenTcp } = await import(${JSON.stringify(new URL("./tcp.ts", import.meta.url).href)});
  const { hostClock: clock } = await import(${JSON.stringify(new URL("./clock.ts", import.meta.url).href)});
  const accept = (connection) => ({ received: (bytes) => connection.write(bytes), drained() {}, closed() {} });
  const nothing = () => undefined;
  const place = { key: "bolt-port", host: "127.0.0.1", port: 0 };
  const common = { ...place, connectionsMax: () => 1_000, clock, accept, peers: "clients" };
  const { port } = await listenTcp({ ...common, refused: nothing, notAccepted: nothing });
  console.log(port);
`;

test("a process without descriptors turns connections away, and takes new ones when some are free again", async (t) => {
  const command = `ulimit -n ${DESCRIPTORS}; exec "$0" --input-type=module -e "$1"`;
  const child = spawn("sh", ["-c", command, process.execPath, LISTENER], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const [line] = await once(child.stdout, "data");
  const dial = async (): Promise<Socket> => {
    const socket = connect(Number(line), "127.0.0.1").on("error", () => undefined);
    t.after(() => socket.destroy());
    await new Promise((resolve) => socket.once("connect", resolve).once("close", resolve));
    return socket;
  };
  /** Whether the process answers on this connection; a refused one is closed. */
  const isServed = (socket: Socket): Promise<boolean> =>
    new Promise((resolve) => {
      if (socket.destroyed) return resolve(false);
      socket.once("data", () => resolve(true)).once("close", () => resolve(false));
      socket.write("x");
    });
  const sockets = await Promise.all(Array.from({ length: DESCRIPTORS + 20 }, dial));
  const served = await Promise.all(sockets.map(isServed));
  assert.ok(served.includes(true));
  assert.ok(served.includes(false));
  for (const socket of sockets) socket.destroy();
  while (!(await isServed(await dial())));
  assert.equal(child.exitCode, null);
});
