import { fail } from "../../base/errors.ts";
import type { BoltFrame } from "../../encoding/bolt/frame.ts";
import { REVISION_BYTES_MAX } from "../../model/appRevision.ts";
import { appClassNames, decodeMessage, publisherClassNames, wireForm } from "./codec/codec.ts";
import type { SofaMessage, SubscriberRegister, WireForm } from "./codec/messages.ts";
import { sofaError } from "./errorTable.ts";

const PUBLISHERS = new Set(publisherClassNames());
const OF_APPLICATIONS = new Set(appClassNames());

/** A message and its form, which is also the form of the answer. */
export interface Received {
  readonly form: WireForm;
  readonly message: SofaMessage;
}

// A message other than a publisher holds names and attributes: at most 16,000 units of three bytes each, and a class
// definition.
const CONTENT_BYTES_MAX = 128 * 1024;
// An astral character takes six bytes in Hessian and four in storage.
const WIRE_BYTES_PER_STORED = 1.5;

/**
 * Decodes a frame's content. Throws REGISTRATION_TOO_LARGE before it reads anything if no legal message of its class is
 * as long; BOLT_CLASS_UNKNOWN; SCOPE_NOT_GLOBAL; or the decoder's own error.
 */
export function decodeFrame(frame: BoltFrame, { registrationBytesMax }: { registrationBytesMax: number }): Received {
  const bytes = frame.content.length;
  if (bytes > CONTENT_BYTES_MAX) {
    const bytesMax = CONTENT_BYTES_MAX + payloadBytesMax(frame.className, registrationBytesMax);
    if (bytes > bytesMax) throw fail("REGISTRATION_TOO_LARGE", { bytes, bytesMax });
  }
  const form = wireForm(frame);
  const message = decodeMessage(form, frame.className, frame.content);
  if (message.kind === "subscriberRegister" && form !== "protobuf") checkMultiScope(message);
  return { form, message };
}

function payloadBytesMax(className: string, registrationBytesMax: number): number {
  if (PUBLISHERS.has(className)) return registrationBytesMax * WIRE_BYTES_PER_STORED;
  return OF_APPLICATIONS.has(className) ? REVISION_BYTES_MAX : 0;
}

/**
 * The real server answers this as a failure of the request and not of the registration, and does not check protobuf
 * subscribers.
 */
function checkMultiScope({ acceptMulti, scope }: SubscriberRegister): void {
  if (acceptMulti && scope !== "global") throw sofaError("SCOPE_NOT_GLOBAL", { scope: scope ?? "null" });
}
