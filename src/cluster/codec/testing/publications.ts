// Arbitrary publications, and what many messages have.

import fc from "fast-check";
import { textOf } from "../../../base/text.ts";
import type { DatumVersion } from "../../../model/datum.ts";
import { brandServiceKey, clientId, isNodeId, nodeId } from "../../../model/ids.ts";
import { packBoxes } from "../../../model/payload.ts";
import type { Condition, Lease, Publication, Stamp } from "../../../model/publication.ts";
import { list, long, natural, record, string } from "./fields.ts";

export const node = fc
  .stringMatching(/^[A-Za-z0-9._-]{1,128}$/)
  .filter(isNodeId)
  .map(nodeId);
export const serviceKey = string.map(brandServiceKey);
export const stamp = record<Stamp>({ version: long, registeredMs: fc.double() });
export const version = record<DatumVersion>({ version: long, origin: long });
const condition = fc.constantFrom<Condition>({ isHealthy: false }, { isHealthy: true, isEnabled: false, weight: 0.5 });
const removedAfterMs = fc.integer({ min: 1, max: 2 ** 40 });
const lease = record<Lease>({ unhealthyAfterMs: natural, removedAfterMs }, "unhealthyAfterMs");
export const publication = record<Publication>(
  {
    serviceKey,
    registId: string,
    version: long,
    registeredMs: fc.double(),
    owner: record({ session: node, client: string.map(clientId) }),
    zone: string,
    appName: string,
    attributes: list(fc.tuple(string, string)).map((entries): ReadonlyMap<string, string> => new Map(entries)),
    payload: fc.array(string, { maxLength: 3 }).map((boxes) => packBoxes(boxes.map(textOf))),
    condition,
    lease,
  },
  "condition",
  "lease",
);
