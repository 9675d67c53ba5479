// The bytes of the messages about heartbeats: src/cluster/messages/lease.ts.

import { RENEWED_HEALTH } from "../../model/publication.ts";
import type { Renew, Renewal, Renewed } from "../messages/lease.ts";
import { readServiceKey } from "./datum.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

export function writeRenew(writer: NodeWriter, { batch, renewals }: Renew): void {
  writer.varint(batch);
  writer.list(renewals, writeRenewal);
}

export function readRenew(reader: NodeReader): Renew {
  return { kind: "renew", batch: reader.varint(), renewals: reader.list(readRenewal) };
}

function writeRenewal(writer: NodeWriter, { serviceKey, registId, ageMs, health }: Renewal): void {
  writer.name(serviceKey);
  writer.text(registId);
  writer.varint(ageMs);
  writer.endRecordWith(health && (() => writer.varint(RENEWED_HEALTH.indexOf(health))));
}

function readRenewal(reader: NodeReader): Renewal {
  const renewal = { serviceKey: readServiceKey(reader), registId: reader.text(), ageMs: reader.varint() };
  const health = reader.endRecordWith(() => RENEWED_HEALTH[reader.varint()]);
  return health === undefined ? renewal : { ...renewal, health };
}

export function writeRenewed(writer: NodeWriter, { batch, unknown, later }: Renewed): void {
  writer.varint(batch);
  writer.numbers(unknown);
  writer.numbers(later);
}

export function readRenewed(reader: NodeReader): Renewed {
  return { kind: "renewed", batch: reader.varint(), unknown: reader.numbers(), later: reader.numbers() };
}
