// An instance as a text, and a text as an instance: `host:port?key=value&…`, as SOFARPC writes and reads its addresses.
// Dubbo's, `dubbo://host:port/path?…`, are read too.

import type { Instance } from "./instance.ts";

/** SOFARPC's usual weight. */
const TEXT_WEIGHT = 100;
/**
 * A text that is longer, or has more parameters, is something else than an address: real ones have under a thousand.
 */
const TEXT_CHARS_MAX = 8_192;
const PARAMETERS_MAX = 256;
/** The highest whole number that NUMBER reads. */
const WEIGHT_MAX = 999_999_999;

const ADDRESS =
  /^(?:([A-Za-z][\w+.-]*):\/\/)?(\[[\da-fA-F:.]+(?:%[\w.-]+)?\]|[^\s:/?#@[\]]+):(\d{1,5})(\/[^?]*)?(?:\?(.*))?$/su;
const NUMBER = /^\d{1,9}(?:\.\d{1,9})?$/u;

/** The instance that a text names; undefined if the text is no address. `source`: the protocol of its publisher. */
export function readInstanceText(text: string, source: string): Instance | undefined {
  if (text.length > TEXT_CHARS_MAX) return undefined;
  const match = ADDRESS.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 0xffff) return undefined;
  const [, scheme, host = "", , path = "", query = ""] = match;
  const metadata = parametersOf(query);
  if (metadata === undefined) return undefined;
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

/**
 * The text of an instance, with its weight, if that is not the usual one, and its metadata; undefined if its host could
 * not be read again.
 */
export function writeInstanceText({ host, port, weight, metadata }: Instance): string | undefined {
  const parameters = [...metadata].filter(([key, value]) => key !== "weight" || (weight === 1 && !NUMBER.test(value)));
  if (weight !== 1) parameters.unshift(["weight", weightText(weight)]);
  const query = parameters.map((parameter) => parameter.map(escaped).join("=")).join("&");
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  if (!ADDRESS.test(address)) return undefined;
  return query === "" ? address : `${address}?${query}`;
}

/** Only an instance of weight 0 gets no calls. */
function weightText(weight: number): string {
  return String(Math.min(WEIGHT_MAX, weight > 0 ? Math.max(1, Math.round(weight * TEXT_WEIGHT)) : 0));
}

/** Undefined: too many. */
function parametersOf(query: string): Map<string, string> | undefined {
  const parameters = new Map<string, string>();
  const parts = query.split("&", PARAMETERS_MAX + 1);
  if (parts.length > PARAMETERS_MAX) return undefined;
  for (const part of parts) {
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

const ESCAPES = /(?:%[\da-f]{2})+/giu;
const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

// Without exceptions, which would cost some microseconds for each parameter. An escape that is no UTF-8, and a percent
// sign without one, as in "50%", stand for themselves.
function unescaped(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(ESCAPES, (escapes) => {
    const decoded = DECODER.decode(
      Uint8Array.from(escapes.slice(1).split("%"), (digits) => Number.parseInt(digits, 16)),
    );
    return decoded.includes("\ufffd") ? escapes : decoded;
  });
}
