import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../base/text.ts";
import { brandServiceKey, clientId, nodeId } from "../../model/ids.ts";
import { type Instance, packInstance } from "../../model/instance.ts";
import { packBoxes } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import { anInstance } from "../../model/testing/instances.ts";
import type { Push } from "../../registry/registry.ts";
import { PushBodies } from "./pushBodies.ts";

const ORDERS = brandServiceKey("orders#@#I#@#G");
const CONFIG = {
  ...{
    dataCenter: "DC",
    zone: "Z",
    frameBytesMax: 1,
    clientIdleMs: 1,
    clientOutputBytesMax: 1,
    pushTimeoutMs: 1,
    pushWindowMaxMs: 1,
  },
  registrationBytesMax: 4 * 1024 * 1024,
  ...{ clientProbeMs: 1, clientMuteIdleMs: 1 },
  ...{ pushCompress: true, pushCompressBytesMin: 4_096, pushEncodings: ["zstd", "gzip"] as const },
  ...{ sofaInvalidForeverZones: [] as readonly string[], sofaInvalidForeverZonesExcept: [] as readonly string[] },
};
let compressions = 0;
const halved = (bytes: Uint8Array) => {
  compressions++;
  return bytes.slice(bytes.length / 2);
};

function newBodies(config: typeof CONFIG = CONFIG): PushBodies {
  return new PushBodies(config, { gzip: halved, zstd: halved });
}

function push(variant: string, { version = 1n, publishers = 100 } = {}): Push {
  const publications = Array.from({ length: publishers }, (_, number): [string, Publication] => [
    `r${number}`,
    {
      serviceKey: ORDERS,
      registId: `r${number}`,
      version: 1n,
      registeredMs: 0,
      owner: { session: nodeId("s"), client: clientId("c") },
      zone: "Z",
      appName: "",
      attributes: new Map(),
      payload: packBoxes([textOf(`10.0.0.${number}:80?`.padEnd(150, "x"))]),
    },
  ]);
  const view = { serviceKey: ORDERS, version, publications: new Map(publications) };
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

test("zones that see the same addresses share what was compressed, those that see their own do not", () => {
  const bodies = newBodies();
  const all = push("protobuf gzip", { publishers: 1_000 });
  compressions = 0;
  const zones = Array.from({ length: 300 }, (_, number) => `zone-${number}`);
  const [first, ...others] = zones.map((zone) => bodies.body({ ...all, zone }));
  assert.equal(compressions, 1);
  assert.ok(first && others.every(({ costMs }) => costMs < first.costMs / 10 && costMs > 0));
  assert.notDeepEqual(first.bytes, others[0]?.bytes, "each names its zone");
  bodies.body({ ...all, scope: "global" });
  assert.equal(compressions, 1, "and so do both wide scopes");
  bodies.body({ ...all, variant: "protobuf zstd" });
  assert.equal(compressions, 2);
  bodies.body({ ...all, scope: "zone", zone: "Z" });
  assert.equal(compressions, 3);
});

test("a body around what another zone had compressed is what it would be by itself", () => {
  const bodies = newBodies();
  const all = push("protobuf gzip", { publishers: 1_000 });
  for (const variant of ["protobuf gzip", "protobuf gzip multi"]) {
    const own = { ...all, variant, scope: "global", zone: "Y" } as const;
    bodies.body({ ...own, zone: "X" });
    assert.deepEqual(
      bodies.body(own).bytes,
      newBodies().body({ ...own, view: { ...all.view, kept: undefined } }).bytes,
    );
  }
});

test("what is kept goes with its view, and nothing of it is counted any more", () => {
  const bodies = newBodies();
  const pushes = Array.from({ length: 1_000 }, () => push("hessian-draft plain", { publishers: 0 }));
  for (const each of pushes) bodies.body(each);
  assert.ok(bodies.bytes > 1_000 * 700, "keys and objects count, not only the bodies");
  for (const { view } of pushes) view.kept?.drop();
  assert.equal(bodies.bytes, 0);
  assert.ok(
    pushes.every(({ view }) => view.kept === undefined),
    "and nothing holds on to it",
  );
  const [again] = pushes;
  assert.ok(again && bodies.body(again).costMs > 0, "and it can be made again");
});

test("what was compressed is kept beside the body that it is in, and counts too", () => {
  const bodies = newBodies();
  const { bytes } = bodies.body(push("protobuf gzip", { publishers: 1_000 }));
  assert.ok(bodies.bytes > 2 * bytes.length && bodies.bytes < 2 * bytes.length + 2_000, `${bodies.bytes}`);
});

test("a body that was pushed last goes with its view like any other", () => {
  const bodies = newBodies();
  const last = push("hessian-draft plain");
  bodies.body(last);
  last.view.kept?.drop();
  assert.ok(bodies.body(last).costMs > 0);
});

test("the end of one view leaves the body that was pushed last", () => {
  const bodies = newBodies();
  const [other, last] = [push("hessian-draft plain"), push("hessian-draft plain")];
  for (const each of [other, last]) bodies.body(each);
  other.view.kept?.drop();
  const before = bodies.bytes;
  assert.equal(bodies.body({ ...last, id: 2 }).costMs, 0);
  assert.equal(bodies.bytes, before);
});

test("pushes of one view that differ in scope, zone or variant have bodies of their own", () => {
  const bodies = newBodies();
  const first = push("hessian-draft plain");
  const made = bodies.body(first).bytes;
  for (const changes of [{ scope: "global" }, { zone: "Y" }, { variant: "hessian-final plain" }] as const) {
    const other = bodies.body({ ...first, ...changes });
    assert.notDeepEqual(other.bytes, made, JSON.stringify(changes));
    assert.equal(bodies.body(first).bytes, made);
    assert.equal(bodies.body({ ...first, ...changes }).bytes, other.bytes);
  }
});

test("small lists are not compressed, from the bound on they are", () => {
  for (const [publishers, isCompressed] of [
    [1, false],
    [100, true],
  ] as const) {
    compressions = 0;
    newBodies().body(push("protobuf gzip", { publishers }));
    assert.equal(compressions > 0, isCompressed);
  }
});

test("a subscriber of one zone is shown that zone's addresses alone", () => {
  const all = push("hessian-draft plain");
  const own = newBodies().body({ ...all, scope: "zone" }).bytes.length;
  const others = newBodies().body({ ...all, scope: "zone", zone: "Y", view: { ...all.view, kept: undefined } });
  assert.ok(others.bytes.length < own / 10);
});

test("beyond the bound the views that were used least recently are forgotten", () => {
  const bodies = newBodies();
  const first = push("protobuf plain", { publishers: 13_000 });
  const others = Array.from({ length: 39 }, () => ({ ...first, view: { ...first.view, kept: undefined } }));
  bodies.body(first);
  for (const each of others) {
    bodies.body(each);
    bodies.body({ ...first, id: 2 });
    assert.ok(bodies.bytes <= 64 * 1024 * 1024, `${bodies.bytes}`);
  }
  assert.equal(bodies.body({ ...first, id: 3 }).costMs, 0, "it was used all the time");
  const [oldest] = others;
  assert.ok(oldest && bodies.body(oldest).costMs > 0);
});

test("an instance of another protocol is pushed as one box, and not at all if it takes no calls", () => {
  const pushed = (instance: Instance) => {
    const one = push("protobuf plain", { publishers: 1 });
    const [[registId, publication] = []] = one.view.publications;
    assert.ok(registId !== undefined && publication !== undefined);
    const publications = new Map([[registId, { ...publication, payload: packInstance(instance) }]]);
    return Buffer.from(newBodies().body({ ...one, view: { ...one.view, publications } }).bytes).toString("latin1");
  };
  assert.match(pushed(anInstance({ weight: 3 })), /10\.0\.0\.1:8080\?weight=300/);
  assert.doesNotMatch(pushed(anInstance({ isEnabled: false })), /10\.0\.0\.1/);
});

/** A list with one publisher in each of two zones. */
function ofTwoZones(change: Partial<Push> = {}): Push {
  const { view, ...rest } = push("hessian-draft plain", { publishers: 2 });
  const [[first, one] = [], [second, two] = []] = view.publications;
  assert.ok(first && one && second && two);
  const publications = new Map([
    [first, { ...one, zone: "OPEN", payload: packBoxes([textOf("open-address")]) }],
    [second, { ...two, zone: "CLOSED", payload: packBoxes([textOf("closed-address")]) }],
  ]);
  return { ...rest, view: { ...view, publications }, ...change };
}

for (const [zone, scope, except, seen] of [
  ["OPEN", "dataCenter", [], ["open"]],
  ["OPEN", "global", [], ["open"]],
  ["ELSEWHERE", "dataCenter", [], ["open"]],
  ["CLOSED", "dataCenter", [], ["open", "closed"]],
  ["CLOSED", "zone", [], ["closed"]],
  ["OPEN", "dataCenter", ["other", "ord"], ["open", "closed"]],
  ["OPEN", "dataCenter", ["rders"], ["open"]],
  ["OPEN", "zone", ["ord"], ["open"]],
] as const) {
  test(`a client of ${zone} with scope ${scope} sees ${seen.join(" and ")} beside exceptions ${except.join()}`, () => {
    const config = { ...CONFIG, sofaInvalidForeverZones: ["CLOSED"], sofaInvalidForeverZonesExcept: except };
    const { bytes } = newBodies(config).body(ofTwoZones({ zone, scope }));
    const text = new TextDecoder("latin1").decode(bytes);
    assert.deepEqual(
      ["open", "closed"].filter((one) => text.includes(`${one}-address`)),
      seen,
    );
  });
}

test("clients of a closed zone do not share what was compressed for others", () => {
  const config = { ...CONFIG, sofaInvalidForeverZones: ["CLOSED"], pushCompressBytesMin: 1 };
  const bodies = newBodies(config);
  const all = ofTwoZones({ variant: "protobuf gzip" });
  compressions = 0;
  for (const zone of ["OPEN", "ELSEWHERE", "CLOSED"]) bodies.body({ ...all, zone });
  assert.equal(compressions, 2);
});
