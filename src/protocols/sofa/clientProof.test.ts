// Registrations that are judged, and the proof that they carry.

import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import type { AskedClient } from "../kit/clientAccess.ts";
import { withoutProof } from "./clientProof.ts";
import { configurator, handlerScene, publisher, subscriber } from "./testing/handlerScene.ts";

const PROOF = new Map([
  ["!AccessKey", "shop"],
  ["!Algorithm", "HmacSHA256"],
  ["!Timestamp", "1700000000000"],
  ["!Signature", "c2lnbmF0dXJl"],
  ["k", "v"],
]);

/** A scene whose registrations are judged by this. */
function judged(check: (asked: AskedClient) => void = () => undefined) {
  const asked: AskedClient[] = [];
  const access = {
    check(one: AskedClient) {
      asked.push(one);
      check(one);
    },
  };
  return { ...handlerScene({ access }), asked };
}

test("each registration is judged once, with the service, the address and the proof", () => {
  const { send, asked } = judged();
  send(publisher({ attributes: PROOF }));
  send(subscriber());
  send(configurator());
  assert.deepEqual(
    asked.map(({ action, serviceKey, from, proof }) => [action, serviceKey, from, proof?.accessKey]),
    [
      ["publish", "orders#@#DEFAULT_INSTANCE_ID#@#G", "10.0.0.7", "shop"],
      ["subscribe", "orders#@#DEFAULT_INSTANCE_ID#@#G", "10.0.0.7", undefined],
      ["subscribe", "orders#@#DEFAULT_INSTANCE_ID#@#G", "10.0.0.7", undefined],
    ],
  );
  assert.deepEqual(asked[0]?.proof, {
    accessKey: "shop",
    algorithm: "HmacSHA256",
    timestamp: "1700000000000",
    signature: "c2lnbmF0dXJl",
    text: "shop\n1700000000000\norders\nDEFAULT_INSTANCE_ID\nG\nr1",
  });
});

test("a client that is refused hears why, and the session nothing", () => {
  const scene = judged(() => {
    throw fail("PERMISSION_NEEDED", { principal: "shop" });
  });
  scene.send(publisher());
  assert.equal(scene.last("published"), undefined);
  assert.equal(scene.responses().length, 1);
  assert.equal(scene.counts.get("roster_requests_total publisherRegister PERMISSION_NEEDED"), 1);
  assert.deepEqual(scene.logged, ["warn a registration was refused"]);
});

test("a client takes its own registration back without a proof", () => {
  const scene = judged(() => assert.fail("it is not judged"));
  scene.send(publisher({ eventType: "UNREGISTER" }));
  assert.equal(scene.last("unpublished")?.kind, "unpublished");
});

test("the attributes of a publication that others see have no proof", () => {
  const scene = judged();
  scene.send(publisher({ attributes: PROOF }));
  assert.deepEqual(scene.last("published")?.publication.attributes, new Map([["k", "v"]]));
  const plain = new Map([["k", "v"]]);
  assert.equal(withoutProof(plain), plain, "nothing is copied where there is none");
});
