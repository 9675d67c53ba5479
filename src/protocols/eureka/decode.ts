// Bodies of requests: JSON or XML, by their content-type.

import { RegistryError } from "../../base/errors.ts";
import type { XmlElement, XmlReader } from "../../base/xml.ts";
import { type FieldValue, fieldsOfJson, fieldsOfXml } from "./codec/fields.ts";
import { METADATA_ENTRIES_MAX } from "./codec/readInstance.ts";
import { eurekaError } from "./errorTable.ts";

// An instance has some 40 elements, and one for each entry of its metadata; an Amazon one has two maps.
const XML_LIMITS = { elementsMax: 2 * METADATA_ENTRIES_MAX + 100, depthMax: 8 };
const DECODER = new TextDecoder("utf-8", { fatal: true });

/** The kind of a body by its content-type; undefined for one that Eureka does not know. */
export function bodyKind(contentType: string): "json" | "xml" | undefined {
  const [type = ""] = contentType.toLowerCase().split(";", 1);
  const name = type.trim();
  if (name === "application/json" || name.endsWith("+json")) return "json";
  return name === "application/xml" || name === "text/xml" || name.endsWith("+xml") ? "xml" : undefined;
}

/**
 * The fields of the value in the body's envelope, `{"instance": …}` or `<instance>`. JSON without an envelope is taken
 * as well. Throws EUREKA_BODY_INVALID or XML_INVALID.
 */
export function decodeBody(body: Uint8Array, kind: "json" | "xml", envelope: string, readXml: XmlReader): FieldValue {
  const text = textOf(body);
  if (kind === "xml") return fieldsOfXml(rootOf(readXml(text, XML_LIMITS), envelope));
  const value = fieldsOfJson(parsed(text));
  return value instanceof Map ? (value.get(envelope) ?? value) : value;
}

/** As `decodeBody`, of a body that is JSON. Throws EUREKA_BODY_INVALID. */
export function decodeJsonBody(body: Uint8Array, envelope: string): FieldValue {
  return decodeBody(body, "json", envelope, () => {
    throw eurekaError("EUREKA_BODY_INVALID", { expected: "JSON" });
  });
}

function rootOf(root: XmlElement, envelope: string): XmlElement {
  if (root.name === envelope || root.name.endsWith(`.${envelope}`)) return root;
  throw eurekaError("EUREKA_BODY_INVALID", { element: root.name.slice(0, 100), expected: envelope });
}

function textOf(body: Uint8Array): string {
  try {
    return DECODER.decode(body);
  } catch {
    throw eurekaError("EUREKA_BODY_INVALID", { bytes: body.length, expected: "UTF-8" });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof RegistryError || !(error instanceof SyntaxError)) throw error;
    throw eurekaError("EUREKA_BODY_INVALID", { reason: error.message.slice(0, 200) });
  }
}
