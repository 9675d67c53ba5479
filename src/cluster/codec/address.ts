// The bytes of the messages about addresses: src/cluster/messages/address.ts.

import type { Registration } from "../../model/publication.ts";
import type { AddressAnswerPart, AddressQuestion } from "../messages/address.ts";
import { readServiceKey } from "./datum.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";
import { readOwner, readStamp, writeOwner, writeStamp } from "./publication.ts";

type Of<Kind extends AddressQuestion["kind"]> = Extract<AddressQuestion, { kind: Kind }>;

export function writeAddressAsk(writer: NodeWriter, { question, host, slots, entriesMax }: Of<"addressAsk">): void {
  writer.varint(question);
  writer.text(host);
  writer.numbers(slots);
  writer.varint(entriesMax);
}

export function readAddressAsk(reader: NodeReader): Of<"addressAsk"> {
  return {
    kind: "addressAsk",
    question: reader.varint(),
    host: reader.text(),
    slots: reader.numbers(),
    entriesMax: reader.varint(),
  };
}

export function writeAddressRelease(writer: NodeWriter, { questions }: Of<"addressRelease">): void {
  writer.numbers(questions);
}

export function readAddressRelease(reader: NodeReader): Of<"addressRelease"> {
  return { kind: "addressRelease", questions: reader.numbers() };
}

export function writeAddressAnswer(writer: NodeWriter, message: AddressAnswerPart): void {
  writer.varint(message.question);
  writer.numbers(message.slots);
  writer.numbers(message.held);
  writer.list(message.entries, writeRegistration);
  writer.flag(message.isCut);
}

export function readAddressAnswer(reader: NodeReader): AddressAnswerPart {
  return {
    kind: "addressAnswer",
    question: reader.varint(),
    slots: reader.numbers(),
    held: reader.numbers(),
    entries: reader.list(readRegistration),
    isCut: reader.flag(),
  };
}

function writeRegistration(writer: NodeWriter, registration: Registration): void {
  writer.name(registration.serviceKey);
  writer.text(registration.registId);
  writeStamp(writer, registration);
  writeOwner(writer, registration.owner);
  writer.endRecord();
}

function readRegistration(reader: NodeReader): Registration {
  const registration = {
    serviceKey: readServiceKey(reader),
    registId: reader.text(),
    ...readStamp(reader),
    owner: readOwner(reader),
  };
  reader.endRecord();
  return registration;
}
