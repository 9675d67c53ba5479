// Names of DNS as texts, and back.

import { LABEL_BYTES_MAX, NAME_BYTES_MAX } from "./decodeQuery.ts";
import type { DnsName } from "./message.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8");

/** The labels of `web.service.consul`, with a dot at the end or without; undefined for what is no name. */
export function nameOfText(text: string): DnsName | undefined {
  const labels = text.replace(/\.$/, "").split(".").map(labelOf);
  return isName(labels) ? labels : undefined;
}

/** Whether the labels can be sent as a name. */
export function isName(labels: DnsName): boolean {
  const bytes = labels.reduce((sum, label) => sum + label.length + 1, 1);
  return bytes <= NAME_BYTES_MAX && labels.every((label) => label !== "" && label.length <= LABEL_BYTES_MAX);
}

/** A text as a label: its bytes in UTF-8. */
export function labelOf(text: string): string {
  return String.fromCharCode(...ENCODER.encode(text.slice(0, NAME_BYTES_MAX)));
}

/** Labels as the text that they have in UTF-8, with dots between, in lower case: DNS compares without it. */
export function textOfLabels(labels: DnsName): string {
  const text = labels.join(".");
  return DECODER.decode(Uint8Array.from(text, (letter) => letter.charCodeAt(0))).toLowerCase();
}
