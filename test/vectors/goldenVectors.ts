// Golden vectors: where they are, and how a decoded value is compared with the meaning written beside them.

import { readdirSync, readFileSync } from "node:fs";
import { stringOf, type WireText } from "../../src/base/text.ts";
import type { HessianNode, HessianTree } from "../../src/encoding/hessian/tree.ts";
import type { SofaMessage } from "../../src/protocols/sofa/codec/messages.ts";

const DIRECTORY = new URL("./sofa/", import.meta.url);

export interface Vector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly meaning: unknown;
}

/** All vectors whose name begins so. */
export function readVectors(prefix: string): Vector[] {
  return vectorNames()
    .filter((name) => name.startsWith(prefix))
    .map(readVector);
}

export function vectorNames(): string[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith(".hex"))
    .map((file) => file.slice(0, -".hex".length));
}

export function readVector(name: string): Vector {
  const bytes = Uint8Array.from(Buffer.from(readFileSync(new URL(`${name}.hex`, DIRECTORY), "utf8").trim(), "hex"));
  return { name, bytes, meaning: JSON.parse(readFileSync(new URL(`${name}.json`, DIRECTORY), "utf8")) };
}

/** The form in which meanings are compared: maps as objects, numbers of every kind as strings, boxes as their text. */
export function plain(value: unknown): unknown {
  if (typeof value === "number" || typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString("hex") };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return plainFields(Object.fromEntries(value));
  if ("utf8" in value) return stringOf(value as WireText);
  if ("$long" in value) return value.$long;
  if ("$date" in value) return String(value.$date);
  if ("$map" in value) return plain(value.$map);
  if ("$enum" in value && Array.isArray(value.$enum)) return { name: value.$enum[1] };
  const { $class, ...fields } = value as Record<string, unknown>;
  const names = Object.keys(fields);
  // A box, in Hessian or protobuf, or protobuf's list of boxes.
  const isLone = names.length === 1 && names[0] === "data";
  const isBox = isLone && ($class !== undefined || typeof fields["data"] === "string");
  if (isBox || (isLone && Array.isArray(fields["data"]))) return plain(fields["data"]);
  return plainFields(fields);
}

function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
}

/** The plain form of a tree; a reference stands for what it refers to, or for "(seen)" within that. */
export function plainTree(tree: HessianTree): unknown {
  const seen: { value: unknown }[] = [];
  const of = (node: HessianTree): unknown => {
    if (node === null || typeof node !== "object" || node instanceof Uint8Array) return plain(node);
    if (node.kind === "date") return String(node.ms);
    if (node.kind === "ref") return seen[node.index]?.value;
    const entry = { value: "(seen)" as unknown };
    seen.push(entry);
    entry.value = ofContainer(node, of);
    return entry.value;
  };
  return of(tree);
}

type Container = Exclude<HessianNode, { kind: "date" | "ref" }>;

function ofContainer(node: Container, of: (node: HessianTree) => unknown): unknown {
  if (node.kind === "list") return node.elements.map(of);
  if (node.kind === "map") return Object.fromEntries(node.entries.map(([key, value]) => [String(key), of(value)]));
  const fields = node.fields.map(([name, value]) => [name, of(value)] as const);
  return node.className.endsWith(".DataBox") ? fields[0]?.[1] : Object.fromEntries(fields);
}

/** The meaning of a message: its fields in plain form, without defaults, named as in the vectors. */
export function meaningOf(message: SofaMessage): unknown {
  const { kind, ...fields } = message;
  return withoutDefaults(plain(fields));
}

/** The meaning of a vector, in the shape of our messages. */
export function expectedOf(meaning: unknown): unknown {
  const { baseRegister, result, encoding, body, originBodySize, pushDataCount, multiData, ...rest } = plain(
    meaning,
  ) as Record<string, object>;
  const segments = Object.entries(multiData ?? {}).map(([name, segment]) => [name, withDataCount(segment)] as const);
  return withoutDefaults({
    ...rest,
    ...baseRegister,
    ...result,
    dataCount: pushDataCount ?? rest["dataCount"],
    compressed: body !== undefined ? { encoding, body, originBodySize } : undefined,
    multiData: Object.fromEntries(segments),
  });
}

function withDataCount(segment: { pushDataCount?: unknown; dataCount?: unknown }): unknown {
  const { pushDataCount, ...rest } = segment;
  return { ...rest, dataCount: pushDataCount ?? rest.dataCount };
}

// Protobuf can't tell defaults from nothing, and the vectors leave them out.
function withoutDefaults(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const kept = Object.entries(value)
    .map(([name, field]) => [name, withoutDefaults(field)] as const)
    .filter(([, field]) => !isDefault(field));
  return Object.fromEntries(kept);
}

function isDefault(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === "0" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
