// How a publication names the revisions of its instances. In SOFARegistry's public source (December 2020, removed in
// February 2021) a publisher of an application has the attribute `!PublisherType` with the value APP_PUBLISHER, and
// each of its boxes is a JSON object `{"url": "ip:port", "revision": "…", "baseParams": {…}, "interfaceParams": {…}}`.
// The later server does not look into boxes, and the closed client is not known; a client that names its revisions in
// the attribute `!Revision` is understood as well.

import { fail } from "../../base/errors.ts";
import { stringOf } from "../../base/text.ts";
import { namingOf, REVISION_ATTRIBUTE, revisionsNamedBy } from "../../model/appRevision.ts";
import type { Box, PublisherRegister } from "./codec/messages.ts";

const PUBLISHER_TYPE = "!PublisherType";
const APP_PUBLISHER = "APP_PUBLISHER";

/** The attributes of a publication, with the revisions that it names. Throws FIELD_INVALID. */
export function withRevisions({ attributes, dataList }: PublisherRegister): ReadonlyMap<string, string> {
  if (attributes.size === 0) return attributes;
  const isOfApplication = attributes.get(PUBLISHER_TYPE)?.toUpperCase() === APP_PUBLISHER;
  if (!isOfApplication && !attributes.has(REVISION_ATTRIBUTE)) return attributes;
  const ids = [...revisionsNamedBy({ attributes })];
  if (isOfApplication) for (const [at, box] of dataList.entries()) ids.push(revisionIn(box, `dataList[${at}]`));
  return new Map(attributes).set(REVISION_ATTRIBUTE, namingOf(ids));
}

function revisionIn(box: Box, field: string): string {
  const expected = 'a JSON object with a text "revision", as a publisher of an application sends it';
  const parsed = parse(box === null ? "" : stringOf(box));
  const isObject = typeof parsed === "object" && parsed !== null && "revision" in parsed;
  if (!isObject || typeof parsed.revision !== "string") throw fail("FIELD_INVALID", { field, expected });
  return parsed.revision;
}

/** Undefined for a text that is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
