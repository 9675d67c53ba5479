// The first words of a client on its stream.

import { type JsonFields, textField, textsField } from "../../encoding/json/fields.ts";
import type { ClientSetup } from "./part.ts";

const ENTRIES_MAX = 64;
const CHARS_MAX = 256;

/** Throws JSON_FIELD_INVALID. */
export function readSetup(fields: JsonFields): ClientSetup {
  const abilities = textsField(fields, "abilityTable", ENTRIES_MAX) ?? new Map<string, string>();
  return {
    version: (textField(fields, "clientVersion") ?? "").slice(0, CHARS_MAX),
    namespace: (textField(fields, "tenant") ?? "").slice(0, CHARS_MAX),
    labels: new Map(
      [...(textsField(fields, "labels", ENTRIES_MAX) ?? [])].map(([key, value]) => [key, value.slice(0, CHARS_MAX)]),
    ),
    abilities: new Map([...abilities].map(([name, value]) => [name, value === "true"])),
  };
}
