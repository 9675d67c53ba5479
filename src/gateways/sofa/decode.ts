import type { BoltFrame } from "../../codec/bolt/frame.ts";
import { decodeMessage, wireForm } from "../../codec/sofa/codec.ts";
import type { SofaMessage, WireForm } from "../../codec/sofa/messages.ts";

/** A message and the form in which it came, and in which it is answered. */
export interface Received {
  readonly form: WireForm;
  readonly message: SofaMessage;
}

/** Decodes a frame's content. Throws BOLT_CLASS_UNKNOWN, or the decoder's own error. */
export function decodeFrame(frame: BoltFrame): Received {
  const form = wireForm(frame);
  return { form, message: decodeMessage(form, frame.className, frame.content) };
}
