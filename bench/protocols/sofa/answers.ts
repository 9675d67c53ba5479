// The answers to pushes. A hundred programs would answer side by side; here one's answer must not delay the next one's
// push, so answers go out when no push has come for a while, or when they have waited long enough.

import { Buffer } from "node:buffer";
import { encodeResponse } from "../../../src/codec/bolt/encode.ts";
import { BOLT_STATUS, BOLT_V1 } from "../../../src/codec/bolt/frame.ts";
import { encodeMessage } from "../../../src/codec/sofa/codec.ts";
import type { WireForm } from "../../../src/codec/sofa/messages.ts";
import type { BoltConnection } from "./connection.ts";

// Longer than a server takes between two pushes of one list, and nothing to a server that waits for seconds.
const QUIET_MS = 3;
const WAIT_MS_MAX = 100;
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

let waiting: Answer[] = [];
let oldestMs = 0;
let seen = 0;

/** Answers a push with success, soon. */
export function answerSoon(answer: Answer): void {
  if (waiting.length === 0) {
    oldestMs = performance.now();
    seen = 0;
    setTimeout(flushWhenQuiet, QUIET_MS);
  }
  waiting.push(answer);
}

function flushWhenQuiet(): void {
  const isQuiet = waiting.length === seen;
  if (!isQuiet && performance.now() - oldestMs < WAIT_MS_MAX) {
    seen = waiting.length;
    setTimeout(flushWhenQuiet, QUIET_MS);
    return;
  }
  const answers = waiting;
  waiting = [];
  for (const { connection, id, form } of answers) {
    const frame = Buffer.from(TEMPLATES[form]);
    frame.writeInt32BE(id, ID_AT);
    connection.write(frame);
  }
}

function template(form: WireForm): Buffer {
  const result = encodeMessage(form, { kind: "result", success: true, message: null });
  return Buffer.from(encodeResponse(BOLT_V1, { id: 0, status: BOLT_STATUS.SUCCESS, ...result }));
}
