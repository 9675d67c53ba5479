// The bytes of the messages about heartbeats: src/cluster/messages/lease.ts.

import { RENEWED_HEALTH } from "../../model/publication.ts";
import type { Renew, Renewal, Renewed } from "../messages/lease.ts";
import { readServiceKey } from "./datum.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

export function writeRenew(writer: NodeWriter, { batch, renewals, elsewhere }: Renew): void {
  writer.varint(batch);
  writer.list(renewals, writeRenewal);
  writer.flag(elsewhere !== undefined);
  if (elsewhere !== undefined) writer.numbers(elsewhere);
}

export function readRenew(reader: NodeReader): Renew {
  const renew = { kind: "renew", batch: reader.varint(), renewals: reader.list(readRenewal) } as const;
  // Sessions of earlier releases write only the fields above.
  return reader.remaining > 0 && reader.flag() ? { ...renew, elsewhere: reader.numbers() } : renew;
}

function writeRenewal(writer: NodeWriter, renewal: Renewal): void {
  const { serviceKey, registId, ageMs, health, version } = renewal;
  writer.name(serviceKey);
  writer.text(registId);
  writer.varint(ageMs);
  // Nearly all have neither: no closure for them.
  if (health === undefined && version === undefined) writer.endRecord();
  else writer.endRecordWith(() => writeBeside(writer, renewal));
}

type Beside = Pick<Renewal, "health" | "version">;

function writeBeside(writer: NodeWriter, { health, version }: Beside): void {
  writer.varint(health === undefined ? 0 : RENEWED_HEALTH.indexOf(health) + 1);
  writer.flag(version !== undefined);
  if (version !== undefined) writer.long(version);
}

function readBeside(reader: NodeReader): Beside {
  const health = RENEWED_HEALTH[reader.varint() - 1];
  const version = reader.flag() ? reader.long() : undefined;
  return { ...(health !== undefined && { health }), ...(version !== undefined && { version }) };
}

function readRenewal(reader: NodeReader): Renewal {
  const renewal = { serviceKey: readServiceKey(reader), registId: reader.text(), ageMs: reader.varint() };
  const beside = reader.endRecordWith(() => readBeside(reader));
  return beside === undefined ? renewal : { ...renewal, ...beside };
}

export function writeRenewed(writer: NodeWriter, { batch, unknown, later }: Renewed): void {
  writer.varint(batch);
  writer.numbers(unknown);
  writer.numbers(later);
}

export function readRenewed(reader: NodeReader): Renewed {
  return { kind: "renewed", batch: reader.varint(), unknown: reader.numbers(), later: reader.numbers() };
}
