import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import type { Http2Call, Http2Connection } from "../../base/http2.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { JsonFields } from "../../encoding/json/fields.ts";
import { ConnectionAccount } from "../kit/connectionAccount.ts";
import type { ConnectionEnvironment } from "./clientConnection.ts";
import { encodePayload } from "./codec/payload.ts";
import { NacosConnection } from "./connection.ts";

const IDLE_MS = 20_000;

/** A connection that is set up, at the time 0. */
function scene() {
  const time = { nowMs: 0 };
  const silent = () => undefined;
  const call = (path: string) =>
    ({ path, open: silent, write: silent, end: silent, reset: silent }) as unknown as Http2Call;
  const http2 = { remoteAddress: "10.0.0.1:1234", localAddress: "10.0.0.2:9848", bufferedBytes: 0, hasUnread: false };
  const connection = new NacosConnection(
    Object.assign(http2, { close: silent }) as unknown as Http2Connection,
    {
      config: { clientIdleMs: IDLE_MS, clientOutputBytesMax: 1_000_000 } as ConnectionEnvironment["config"],
      registry: { step: silent } as unknown as ConnectionEnvironment["registry"],
      account: new ConnectionAccount(unlimitedBudget().open("10.0.0.1")),
      log: { debug: silent, info: silent, warn: silent, error: silent },
      metrics: noMetrics,
      nowMs: () => time.nowMs,
      number: 0,
      abilities: {},
      ended: silent,
    } as unknown as ConnectionEnvironment,
  );
  const setup = encodePayload("ConnectionSetupRequest", [new TextEncoder().encode("{}")]);
  connection.called(call("/BiRequestStream/requestBiStream"), 0).received(Buffer.concat(setup), 0);
  const pass = (ms: number) => {
    for (const untilMs = time.nowMs + ms; time.nowMs < untilMs; ) {
      time.nowMs += 500;
      connection.check(time.nowMs);
    }
  };
  const ask = () => {
    const asked = encodePayload("HealthCheckRequest", [new TextEncoder().encode("{}")]);
    connection.called(call("/Request/request"), time.nowMs).received(Buffer.concat(asked), time.nowMs);
  };
  return { connection, http2, pass, ask };
}

test("a client that was silent before has as long to answer a request of the server as any other", () => {
  const { connection, pass } = scene();
  pass(9_000);
  const answers: (JsonFields | undefined)[] = [];
  connection.pushRequest({ type: "ConfigChangeNotifyRequest", fields: {} }, (answer) => void answers.push(answer));
  pass(4_500);
  assert.deepEqual(answers, []);
  pass(500);
  assert.deepEqual(answers, [undefined]);
});

test("a client whose answers are always under way reads, and one that reads none of them is stuck", () => {
  const { connection, http2, pass, ask } = scene();
  http2.bufferedBytes = 1_000;
  for (let round = 0; round < 100; round++) {
    // One more answer is written, and as much has left.
    ask();
    pass(500);
  }
  assert.equal(connection.isEnded, false);
  for (let round = 0; round < 100; round++) {
    const before = connection.output.writtenBytes;
    ask();
    http2.bufferedBytes += connection.output.writtenBytes - before;
    pass(500);
  }
  assert.equal(connection.isEnded, true);
});
