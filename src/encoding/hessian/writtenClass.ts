import { DraftWriter } from "./draftWriter.ts";
import { FinalWriter } from "./finalWriter.ts";
import type { HessianWriter, WrittenClass } from "./writer.ts";

/** A class as we write it, with the values of its instances in the order of `fieldNames`. */
export function writtenClass(className: string, fieldNames: readonly string[]): WrittenClass {
  const draft = new DraftWriter();
  draft.out.u8(0x4f); // O: the draft gives the name's length as an int and then its bare bytes
  draft.int(className.length);
  for (let at = 0; at < className.length; at++) draft.out.u8(className.charCodeAt(at));
  const final = new FinalWriter();
  final.out.u8(0x43); // C
  final.string(className);
  return {
    className,
    fieldNames,
    encoded: { draft: withFields(draft, fieldNames), final: withFields(final, fieldNames) },
  };
}

function withFields(writer: HessianWriter, fieldNames: readonly string[]): Uint8Array {
  writer.int(fieldNames.length);
  for (const name of fieldNames) writer.string(name);
  return writer.out.done().slice();
}
