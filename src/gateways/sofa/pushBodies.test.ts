import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../base/text.ts";
import { brandDataInfoId, clientId, nodeId } from "../../model/ids.ts";
import { packPayload } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import type { Push } from "../../session/registry.ts";
import { PushBodies } from "./pushBodies.ts";

const ORDERS = brandDataInfoId("orders#@#I#@#G");
const CONFIG = {
  ...{ dataCenter: "DC", zone: "Z", frameBytesMax: 1, clientIdleMs: 1, clientOutputBytesMax: 1, pushTimeoutMs: 1 },
  registrationBytesMax: 4 * 1024 * 1024,
  ...{ clientProbeMs: 1, clientMuteIdleMs: 1 },
  ...{ pushCompress: true, pushCompressBytesMin: 4_096 },
};
const halved = (bytes: Uint8Array) => bytes.slice(bytes.length / 2);

function newBodies(): PushBodies {
  return new PushBodies(CONFIG, { gzip: halved, zstd: halved });
}

function push(variant: string, { version = 1n, publishers = 100 } = {}): Push {
  const publications = Array.from({ length: publishers }, (_, number): [string, Publication] => [
    `r${number}`,
    {
      dataInfoId: ORDERS,
      registId: `r${number}`,
      version: 1n,
      registeredMs: 0,
      owner: { session: nodeId("s"), client: clientId("c") },
      zone: "Z",
      appName: "",
      attributes: new Map(),
      payload: packPayload([textOf(`10.0.0.${number}:80?`.padEnd(150, "x"))]),
    },
  ]);
  const view = { dataInfoId: ORDERS, version, publications: new Map(publications) };
  return { id: 1, view, scope: "dataCenter", zone: "Z", variant, registIds: ["s1"] };
}

test("a body costs who needs it first, and nobody after", () => {
  const bodies = newBodies();
  const first = push("hessian-draft plain");
  const made = bodies.body(first);
  assert.ok(made.costMs > 0);
  assert.deepEqual(bodies.body({ ...first, id: 2 }), { bytes: made.bytes, costMs: 0 });
  bodies.body(push("protobuf zstd"));
  assert.deepEqual(bodies.body(first), { bytes: made.bytes, costMs: 0 }, "another kind of subscriber came between");
  assert.ok(bodies.body(push("hessian-draft plain", { version: 2n })).costMs > 0);
});

test("what a body costs grows with the plain list and with the compression, not with what is sent", () => {
  const cost = (variant: string, publishers = 1_000) => newBodies().body(push(variant, { publishers })).costMs;
  assert.ok(cost("protobuf plain") < cost("protobuf zstd"));
  assert.ok(cost("protobuf zstd") < cost("protobuf gzip"));
  const ratio = cost("protobuf gzip", 2_000) / cost("protobuf gzip", 1_000);
  assert.ok(ratio > 1.9 && ratio < 2.1, `${ratio}`);
});
