import assert from "node:assert/strict";
import { test } from "node:test";
import { noMetrics } from "../base/metrics.ts";
import { portRefusals } from "./portRefusals.ts";

/** What a refusal is counted as, and what the log says of it. */
function refused(servesClients: () => boolean): { readonly counted: unknown; readonly said: string } {
  const nothing = () => undefined;
  let [counted, said]: [unknown, string] = [undefined, ""];
  const metrics = {
    ...noMetrics,
    add: (...added: readonly unknown[]) => {
      counted = added[2];
    },
  };
  const log = {
    ...{ debug: nothing, info: nothing, error: nothing },
    warn: (_: string, fields: object = {}) => {
      said = JSON.stringify(fields);
    },
  };
  const numbers = { fromAddress: 0, open: 0, connectionsMax: 0 };
  portRefusals({ log, metrics, servesClients }, "bolt").refused("CONNECTIONS_EXHAUSTED", "10.0.0.9:1", numbers);
  return { counted, said };
}

test("a port that is full says its limit", () => {
  const { counted, said } = refused(() => true);
  assert.deepEqual(counted, { port: "bolt", reason: "CONNECTIONS_EXHAUSTED" });
  assert.match(said, /connectionsMax=0/);
});

test("a session that is shut for clients names the operators' switch and how it is opened, and no limit", () => {
  const { counted, said } = refused(() => false);
  assert.deepEqual(counted, { port: "bolt", reason: "CLIENTS_NOT_SERVED" });
  assert.match(said, /serve-clients.*roster setting unset serve-clients/);
  assert.doesNotMatch(said, /connectionsMax|limit/);
});
