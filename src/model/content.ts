// The two forms of a content, boxes and an instance, each as the other. Gateways ask for the one that their clients
// know, once for each body that they make of a list.

import { stringOf, textOf, type WireText } from "../base/text.ts";
import { type Instance, takesCalls, unpackInstance } from "./instance.ts";
import { readInstanceText, writeInstanceText } from "./instanceText.ts";
import { formOf, textsOf } from "./payload.ts";
import type { Condition, Publication } from "./publication.ts";

/** The protocol whose clients publish boxes. */
const BOXES_SOURCE = "sofa";

/** The parts of a publication that its boxes and instances are made of. */
type Shown = Pick<Publication, "payload" | "condition">;

/**
 * Appends the boxes of a publication to `boxes`, and returns that: SOFARegistry's own as views into the payload, an
 * instance as one text if it takes calls, since SOFARegistry's clients know no other ones, and what a later release has
 * added not at all. A condition changes the weight in SOFARegistry's own boxes only where these are addresses.
 */
export function boxesOf({ payload, condition }: Shown, boxes: (WireText | null)[] = []): (WireText | null)[] {
  if (condition === undefined && formOf(payload) === "boxes") return textsOf(payload, boxes);
  if (condition?.isHealthy === false || condition?.isEnabled === false) return boxes;
  if (formOf(payload) === "boxes") {
    for (const box of textsOf(payload)) boxes.push(box && weighted(box, condition?.weight));
    return boxes;
  }
  const instance = unpackInstance(payload);
  const shown = instance && withCondition(instance, condition);
  const text = shown !== undefined && takesCalls(shown) ? writeInstanceText(shown) : undefined;
  if (text !== undefined) boxes.push(textOf(text));
  return boxes;
}

/**
 * The instances of a publication: each box that is an address is one; the others are for SOFARegistry's clients only.
 */
export function instancesOf({ payload, condition }: Shown): Instance[] {
  if (formOf(payload) !== "boxes") {
    const instance = unpackInstance(payload);
    return instance === undefined ? [] : [withCondition(instance, condition)];
  }
  const instances: Instance[] = [];
  for (const box of textsOf(payload)) {
    const instance = box === null ? undefined : readInstanceText(stringOf(box), BOXES_SOURCE);
    if (instance !== undefined) instances.push(withCondition(instance, condition));
  }
  return instances;
}

/** The instance as it is shown: what is known beside its content counts. */
function withCondition(instance: Instance, condition: Condition | undefined): Instance {
  if (condition === undefined) return instance;
  const { isHealthy = instance.isHealthy, isEnabled = instance.isEnabled, weight = instance.weight } = condition;
  return { ...instance, isHealthy, isEnabled, weight };
}

function weighted(box: WireText, weight: number | undefined): WireText {
  const instance = weight === undefined ? undefined : readInstanceText(stringOf(box), BOXES_SOURCE);
  const text = instance && weight !== undefined ? writeInstanceText({ ...instance, weight }) : undefined;
  return text === undefined ? box : textOf(text);
}
