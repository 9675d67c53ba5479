import assert from "node:assert/strict";
import { hostClock } from "../clock.ts";

/** A listener on this machine at any free port, which refuses no connection. */
export const LOCAL = {
  key: "bolt-port",
  host: "127.0.0.1",
  port: 0,
  connectionsMax: () => 10,
  clock: hostClock,
  refused: assert.fail,
  notAccepted: assert.fail,
} as const;
