// The bytes of the messages about heartbeats: src/cluster/messages/lease.ts.

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

function writeRenewal(writer: NodeWriter, { serviceKey, registId, ageMs }: Renewal): void {
  writer.name(serviceKey);
  writer.text(registId);
  writer.varint(ageMs);
  writer.endRecord();
}

function readRenewal(reader: NodeReader): Renewal {
  const renewal = { serviceKey: readServiceKey(reader), registId: reader.text(), ageMs: reader.varint() };
  reader.endRecord();
  return renewal;
}

export function writeRenewed(writer: NodeWriter, { batch, unknown, later }: Renewed): void {
  writer.varint(batch);
  writer.numbers(unknown);
  writer.numbers(later);
}

export function readRenewed(reader: NodeReader): Renewed {
  return { kind: "renewed", batch: reader.varint(), unknown: reader.numbers(), later: reader.numbers() };
}
