// The answers to pushes. A hundred programs would answer side by side; here one's answer must not delay the next one's
// push, so answers go out when no push has come for a while, or when they have waited long enough.

import { Buffer } from "node:buffer";
import { encodeResponse } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import { encodeMessage } from "../../../src/protocols/sofa/codec/codec.ts";
import type { WireForm } from "../../../src/protocols/sofa/codec/messages.ts";
import type { BoltConnection } from "./connection.ts";

// Longer than a server takes between two pushes of one list, and nothing to a server that waits for seconds.
const QUIET_MS = 3;
// A list for ten thousand is on its way for so long.
const WAIT_MS_MAX = 500;
// Two milliseconds of system calls.
const PORTION = 100;
const ID_AT = 5;

const TEMPLATES: Readonly<Record<WireForm, Buffer>> = {
  "hessian-draft": template("hessian-draft"),
  "hessian-final": template("hessian-final"),
  protobuf: template("protobuf"),
};

interface Answer {
  readonly connection: BoltConnection;
  readonly id: number;
  readonly form: WireForm;
}

const waiting: Answer[] = [];
let oldestMs = 0;
let seen = 0;

/** Answers a push with success, soon. */
export function answerSoon(answer: Answer): void {
  if (waiting.push(answer) > 1) return;
  oldestMs = performance.now();
  setTimeout(flushWhenQuiet, QUIET_MS);
}

function flushWhenQuiet(): void {
  const isQuiet = waiting.length === seen;
  seen = waiting.length;
  if (isQuiet || performance.now() - oldestMs > WAIT_MS_MAX) flushSome();
  else setTimeout(flushWhenQuiet, QUIET_MS);
}

/** Pushes that came meanwhile are read between two portions. */
function flushSome(): void {
  for (const { connection, id, form } of waiting.splice(0, PORTION)) connection.write(answerFrame(form, id));
  seen = 0;
  if (waiting.length > 0) setImmediate(flushSome);
}

/** The answer that the push of this id was taken. */
export function answerFrame(form: WireForm, id: number): Buffer {
  const frame = Buffer.from(TEMPLATES[form]);
  frame.writeInt32BE(id, ID_AT);
  return frame;
}

function template(form: WireForm): Buffer {
  const result = encodeMessage(form, { kind: "result", success: true, message: null });
  return Buffer.from(encodeResponse(BOLT_V1, { id: 0, status: BOLT_STATUS.SUCCESS, ...result }));
}
