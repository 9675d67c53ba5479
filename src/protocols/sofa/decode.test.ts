import assert from "node:assert/strict";
import { test } from "node:test";
import { RegistryError } from "../../base/errors.ts";
import { BOLT_CODEC, BOLT_V1 } from "../../encoding/bolt/frame.ts";
import { encodeMessage } from "./codec/codec.ts";
import { decodeFrame } from "./decode.ts";
import { publisher, subscriber } from "./testing/handlerScene.ts";

const KIB_128 = 128 * 1024;

/** The reason why a message of this class and length is refused, with a bound of 1,000 bytes for a registration. */
function refusalOf(message: ReturnType<typeof publisher>, bytes: number): string {
  const { className } = encodeMessage("hessian-draft", message);
  const frame = { ...{ id: 1, codec: BOLT_CODEC.HESSIAN, timeoutMs: 1, className }, content: new Uint8Array(bytes) };
  try {
    decodeFrame({ ...frame, dialect: BOLT_V1, command: "rpc", kind: "request" }, LIMITS);
    return "none";
  } catch (error) {
    assert.ok(error instanceof RegistryError);
    return error.code;
  }
}

const LIMITS = { registrationBytesMax: 1_000 };

test("what is as long as a legal message may be is read, what is longer is not, and only publishers carry more", () => {
  assert.notEqual(refusalOf(subscriber(), KIB_128), "REGISTRATION_TOO_LARGE");
  assert.equal(refusalOf(subscriber(), KIB_128 + 1), "REGISTRATION_TOO_LARGE");
  assert.notEqual(refusalOf(publisher(), KIB_128 + 1_500), "REGISTRATION_TOO_LARGE");
  assert.equal(refusalOf(publisher(), KIB_128 + 1_501), "REGISTRATION_TOO_LARGE");
});
