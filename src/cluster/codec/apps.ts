// The bytes of the messages about applications: src/cluster/messages/apps.ts.

import { type AppRevision, REVISION_BYTES_MAX, type ServiceApps } from "../../model/appRevision.ts";
import type { AppAnswer, AppQuestion } from "../messages/apps.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

type Of<Kind extends (AppQuestion | AppAnswer)["kind"]> = Extract<AppQuestion | AppAnswer, { kind: Kind }>;

export function writeAppRevision(writer: NodeWriter, { id, application, services, content }: AppRevision): void {
  writer.name(id);
  writer.name(application);
  writer.names(services);
  writer.block(content);
  writer.endRecord();
}

export function readAppRevision(reader: NodeReader): AppRevision {
  const start = reader.offset;
  const revision = {
    id: reader.name(),
    application: reader.name(),
    services: reader.list(readName),
    content: reader.block(),
  };
  if (revision.content.length > REVISION_BYTES_MAX) throw reader.wrong("a revision that is too large", start);
  reader.endRecord();
  return revision;
}

export function writeRevisions(writer: NodeWriter, { found, unknown }: Of<"revisions">): void {
  writer.list(found, writeAppRevision);
  writer.names(unknown);
}

export function readRevisions(reader: NodeReader): Of<"revisions"> {
  return { kind: "revisions", found: reader.list(readAppRevision), unknown: reader.list(readName) };
}

export function writeRevisionsStored(writer: NodeWriter, { stored, unknown }: Of<"revisionsStored">): void {
  writer.names(stored);
  writer.names(unknown);
}

export function readRevisionsStored(reader: NodeReader): Of<"revisionsStored"> {
  return { kind: "revisionsStored", stored: reader.list(readName), unknown: reader.list(readName) };
}

export function writeRevisionRefused(writer: NodeWriter, { id, reason }: Of<"revisionRefused">): void {
  writer.name(id);
  writer.text(reason);
}

export function readRevisionRefused(reader: NodeReader): Of<"revisionRefused"> {
  return { kind: "revisionRefused", id: reader.name(), reason: reader.text() };
}

export function writeServiceApps(writer: NodeWriter, { entries }: Of<"serviceApps">): void {
  writer.list(entries, writeEntry);
}

export function readServiceApps(reader: NodeReader): Of<"serviceApps"> {
  return { kind: "serviceApps", entries: reader.list(readEntry) };
}

export function writeAppsListed(writer: NodeWriter, message: Of<"appsListed">): void {
  writer.varint(message.question);
  writer.names(message.revisions);
  writer.list(message.services, writeEntry);
  writer.flag(message.isLast);
  writer.flag(message.isCut);
}

export function readAppsListed(reader: NodeReader): Of<"appsListed"> {
  return {
    kind: "appsListed",
    question: reader.varint(),
    revisions: reader.list(readName),
    services: reader.list(readEntry),
    isLast: reader.flag(),
    isCut: reader.flag(),
  };
}

function writeEntry(writer: NodeWriter, { service, version, applications }: ServiceApps): void {
  writer.name(service);
  writer.long(version);
  writer.names(applications);
  writer.endRecord();
}

function readEntry(reader: NodeReader): ServiceApps {
  const entry = { service: reader.name(), version: reader.long(), applications: reader.list(readName) };
  reader.endRecord();
  return entry;
}

export function readName(reader: NodeReader): string {
  return reader.name();
}
