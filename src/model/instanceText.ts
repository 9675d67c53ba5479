// An instance as a text, and a text as an instance: `host:port?key=value&…`, as SOFARPC writes and reads its addresses.
// Dubbo's, `dubbo://host:port/path?…`, are read too.

import type { Instance } from "./instance.ts";

/** SOFARPC's usual weight. */
const TEXT_WEIGHT = 100;
/** A text that is longer is something else than an address. */
const TEXT_CHARS_MAX = 65_536;

const ADDRESS = /^(?:([A-Za-z][\w+.-]*):\/\/)?(\[[\da-fA-F:.]+\]|[^\s:/?#@[\]]+):(\d{1,5})(\/[^?]*)?(?:\?(.*))?$/su;
const NUMBER = /^\d{1,9}(?:\.\d{1,9})?$/u;

/** The instance that a text names; undefined if the text is no address. `source`: the protocol of its publisher. */
export function readInstanceText(text: string, source: string): Instance | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined;
  const match = ADDRESS.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 0xffff) return undefined;
  const [, scheme, host = "", , path = "", query = ""] = match;
  const metadata = parametersOf(query);
  const weight = metadata.get("weight") ?? "";
  if (NUMBER.test(weight)) metadata.delete("weight");
  if (scheme !== undefined && !metadata.has("protocol")) metadata.set("protocol", scheme);
  if (path.length > 1 && !metadata.has("path")) metadata.set("path", path.slice(1));
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port,
    securePort: undefined,
    weight: NUMBER.test(weight) ? Number(weight) / TEXT_WEIGHT : 1,
    isEnabled: true,
    isHealthy: true,
    isPersistent: false,
    zone: "",
    metadata,
    source,
    bags: new Map(),
  };
}

/** The text of an instance, with its weight, if that is not the usual one, and its metadata. */
export function writeInstanceText({ host, port, weight, metadata }: Instance): string {
  const parameters = [...metadata].filter(([key]) => key !== "weight");
  if (weight !== 1) parameters.unshift(["weight", String(Math.round(weight * TEXT_WEIGHT))]);
  const query = parameters.map((parameter) => parameter.map(escaped).join("=")).join("&");
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return query === "" ? address : `${address}?${query}`;
}

function parametersOf(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const part of query.split("&")) {
    const end = part.indexOf("=");
    const key = unescaped(end < 0 ? part : part.slice(0, end));
    if (key !== "" && !parameters.has(key)) parameters.set(key, end < 0 ? "" : unescaped(part.slice(end + 1)));
  }
  return parameters;
}

// SOFARPC escapes nothing. A character that would end a value, or the text, is escaped as in any URL.
function escaped(text: string): string {
  return text.replace(/[%&=#?\s]/gu, encodeURIComponent);
}

function unescaped(text: string): string {
  try {
    return text.includes("%") ? decodeURIComponent(text) : text;
  } catch {
    // A percent sign that stands for itself.
    return text;
  }
}
