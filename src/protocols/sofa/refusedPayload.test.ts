import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import { fail } from "../../base/errors.ts";
import { noMetrics } from "../../base/metrics.ts";
import { textOf } from "../../base/text.ts";
import { encodeRequest } from "../../encoding/bolt/encode.ts";
import { BOLT_V1 } from "../../encoding/bolt/frame.ts";
import type { Payload } from "../../model/payload.ts";
import type { ClientChannel, ClientEvent } from "../../registry/registry.ts";
import { OPEN_ACCESS } from "../kit/clientAccess.ts";
import { encodeMessage } from "./codec/codec.ts";
import { SofaConnections } from "./connections.ts";
import { baseRegister, CONFIG as SCENE_CONFIG, SceneConnection } from "./testing/handlerScene.ts";

const CONFIG = { ...SCENE_CONFIG, pushCompress: false };

/** The payload that the registry receives for boxes of `bytes` bytes, looked at after it has answered. */
function payloadAfterwards({ bytes, isRefused }: { bytes: number; isRefused: boolean }): Payload {
  let channel: ClientChannel | undefined;
  let payload: Payload = new Uint8Array(0);
  const step = (event: ClientEvent): void => {
    if (event.kind === "connected") channel = event.channel;
    if (event.kind !== "published") return;
    const { registId, version } = event.publication;
    payload = event.publication.payload;
    const error = fail("CLIENT_BYTES_EXHAUSTED", { heldBytes: 1, bytes, bytesMax: 1 });
    const outcome = { registId, version };
    channel?.answer(
      event.request,
      isRefused ? { kind: "failed", ...outcome, error } : { kind: "accepted", ...outcome },
    );
  };
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const compression = { gzip: (body: Uint8Array) => body, zstd: (body: Uint8Array) => body };
  const environment = {
    config: CONFIG,
    access: OPEN_ACCESS,
    budget: unlimitedBudget(),
    compression,
    log,
    metrics: noMetrics,
  };
  const gateway = new SofaConnections({ ...environment, registry: { step } });
  const message = encodeMessage("hessian-draft", {
    kind: "publisherRegister",
    ...baseRegister(),
    dataList: [textOf("x".repeat(bytes))],
  });
  gateway.accept(new SceneConnection(), 0).received(encodeRequest(BOLT_V1, { id: 1, timeoutMs: 1, ...message }), 0);
  return payload;
}

test("a large payload that is refused gives its memory back at once", () => {
  assert.equal(payloadAfterwards({ bytes: 500_000, isRefused: true }).length, 0);
});

test("a payload that is accepted stays what it is", () => {
  assert.ok(payloadAfterwards({ bytes: 500_000, isRefused: false }).length > 500_000);
});

test("a small payload that is refused is left to the collector: giving it back costs more than it is worth", () => {
  assert.ok(payloadAfterwards({ bytes: 1_000, isRefused: true }).length > 1_000);
});
