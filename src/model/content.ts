// The two forms of a content, boxes and an instance, each as the other. Gateways ask for the one that their clients
// know, once for each body that they make of a list.

import { stringOf, textOf, type WireText } from "../base/text.ts";
import { type Instance, takesCalls, unpackInstance } from "./instance.ts";
import { readInstanceText, writeInstanceText } from "./instanceText.ts";
import { formOf, type Payload, textsOf } from "./payload.ts";

/** The protocol whose clients publish boxes. */
const BOXES_SOURCE = "sofa";

/**
 * Appends the boxes of a content to `boxes`, and returns that: SOFARegistry's own as views into the payload, an
 * instance as one text if it takes calls, since SOFARegistry's clients know no other ones, and what a later release has
 * added not at all.
 */
export function boxesOf(payload: Payload, boxes: (WireText | null)[] = []): (WireText | null)[] {
  if (formOf(payload) === "boxes") return textsOf(payload, boxes);
  const instance = unpackInstance(payload);
  const text = instance !== undefined && takesCalls(instance) ? writeInstanceText(instance) : undefined;
  if (text !== undefined) boxes.push(textOf(text));
  return boxes;
}

/** The instances of a content: each box that is an address is one; the others are for SOFARegistry's clients only. */
export function instancesOf(payload: Payload): Instance[] {
  if (formOf(payload) !== "boxes") {
    const instance = unpackInstance(payload);
    return instance === undefined ? [] : [instance];
  }
  const instances: Instance[] = [];
  for (const box of textsOf(payload)) {
    const instance = box === null ? undefined : readInstanceText(stringOf(box), BOXES_SOURCE);
    if (instance !== undefined) instances.push(instance);
  }
  return instances;
}
