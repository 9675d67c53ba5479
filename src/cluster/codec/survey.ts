// The bytes of the messages of surveys: src/cluster/messages/survey.ts.

import { unreachable } from "../../base/assert.ts";
import { brandServiceKey, clientId } from "../../model/ids.ts";
import { SCOPES, type Scope } from "../../model/scope.ts";
import {
  type ClientRow,
  type CountRow,
  type PublisherRow,
  SURVEY_KINDS,
  type SubscriberRow,
  type Survey,
  type SurveyKind,
  type SurveyRows,
  type WatchRow,
} from "../../model/survey.ts";
import type { SurveyFromSession, SurveyToSession } from "../messages/survey.ts";
import type { UnknownMessage } from "./format.ts";
import type { NodeReader } from "./nodeReader.ts";
import type { NodeWriter } from "./nodeWriter.ts";

type Of<Kind extends (SurveyFromSession | SurveyToSession)["kind"]> = Extract<
  SurveyFromSession | SurveyToSession,
  { kind: Kind }
>;

// Numbers on the wire are places in these lists, which only grow at their ends.
const UNKNOWN_KIND = "a kind of survey";

export function writeSurveyAsk(writer: NodeWriter, { question, survey, except }: Of<"surveyAsk">): void {
  writer.varint(question);
  writeSurvey(writer, survey);
  writer.names(except);
}

export function readSurveyAsk(reader: NodeReader): Of<"surveyAsk"> | UnknownMessage {
  const question = reader.varint();
  const survey = readSurvey(reader);
  if (survey === undefined) return reader.unknown(UNKNOWN_KIND);
  return { kind: "surveyAsk", question, survey, except: reader.list((names) => names.nodeName()) };
}

export function writeSurveyPart(writer: NodeWriter, message: Of<"surveyPart">): void {
  writer.name(message.asker);
  writePart(writer, message);
}

export function readSurveyPart(reader: NodeReader): Of<"surveyPart"> | UnknownMessage {
  const asker = reader.nodeName();
  const part = readPart(reader);
  return part === undefined ? reader.unknown(UNKNOWN_KIND) : { kind: "surveyPart", asker, ...part };
}

export function writeSurveySpread(writer: NodeWriter, { question, sessions }: Of<"surveySpread">): void {
  writer.varint(question);
  writer.names(sessions);
}

export function readSurveySpread(reader: NodeReader): Of<"surveySpread"> {
  return { kind: "surveySpread", question: reader.varint(), sessions: reader.list((names) => names.nodeName()) };
}

export function writeSurveyAnswer(writer: NodeWriter, message: Of<"surveyAnswer">): void {
  writer.name(message.session);
  writePart(writer, message);
}

export function readSurveyAnswer(reader: NodeReader): Of<"surveyAnswer"> | UnknownMessage {
  const session = reader.nodeName();
  const part = readPart(reader);
  return part === undefined ? reader.unknown(UNKNOWN_KIND) : { kind: "surveyAnswer", session, ...part };
}

export function writeSurveyLost(writer: NodeWriter, { question, session }: Of<"surveyLost">): void {
  writer.varint(question);
  writer.name(session);
}

export function readSurveyLost(reader: NodeReader): Of<"surveyLost"> {
  return { kind: "surveyLost", question: reader.varint(), session: reader.nodeName() };
}

export function writeSurveyAsked(writer: NodeWriter, { asker, question, survey }: Of<"surveyAsked">): void {
  writer.name(asker);
  writer.varint(question);
  writeSurvey(writer, survey);
}

export function readSurveyAsked(reader: NodeReader): Of<"surveyAsked"> | UnknownMessage {
  const asker = reader.nodeName();
  const question = reader.varint();
  const survey = readSurvey(reader);
  return survey === undefined ? reader.unknown(UNKNOWN_KIND) : { kind: "surveyAsked", asker, question, survey };
}

export function writeSurveyEnded(writer: NodeWriter, { asker, questions }: Of<"surveyEnded">): void {
  writer.name(asker);
  writer.numbers(questions);
}

export function readSurveyEnded(reader: NodeReader): Of<"surveyEnded"> {
  return { kind: "surveyEnded", asker: reader.nodeName(), questions: reader.numbers() };
}

function writeSurvey(writer: NodeWriter, { of, serviceKey, host, appName, rowsMax }: Survey): void {
  writer.varint(SURVEY_KINDS.indexOf(of));
  writer.optionalText(serviceKey);
  writer.text(host);
  writer.text(appName);
  writer.varint(rowsMax);
  writer.endRecord();
}

/** Undefined if a later release asks for something that this one does not know. */
function readSurvey(reader: NodeReader): Survey | undefined {
  const of = SURVEY_KINDS[reader.varint()];
  if (of === undefined) return undefined;
  const service = reader.optionalText();
  const survey = {
    of,
    serviceKey: service === undefined ? undefined : brandServiceKey(service),
    host: reader.text(),
    appName: reader.text(),
    rowsMax: reader.varint(),
  };
  reader.endRecord();
  return survey;
}

interface Part {
  readonly question: number;
  readonly rows: SurveyRows;
  readonly isLast: boolean;
  readonly isCut: boolean;
}

function writePart(writer: NodeWriter, { question, rows, isLast, isCut }: Part): void {
  writer.varint(question);
  writer.flag(isLast);
  writer.flag(isCut);
  writer.varint(SURVEY_KINDS.indexOf(rows.of));
  writeRows(writer, rows);
}

function readPart(reader: NodeReader): Part | undefined {
  const question = reader.varint();
  const isLast = reader.flag();
  const isCut = reader.flag();
  const of = SURVEY_KINDS[reader.varint()];
  const rows = of === undefined ? undefined : readRows(reader, of);
  return rows === undefined ? undefined : { question, rows, isLast, isCut };
}

function writeRows(writer: NodeWriter, rows: SurveyRows): void {
  switch (rows.of) {
    case "publishers":
      return writer.list(rows.rows, writePublisher);
    case "subscribers":
      return writer.list(rows.rows, writeSubscriber);
    case "watches":
      return writer.list(rows.rows, writeWatch);
    case "clients":
      return writer.list(rows.rows, writeClient);
    case "services":
    case "applications":
    case "sessions":
      return writer.list(rows.rows, writeCount);
    default:
      return unreachable(rows);
  }
}

function readRows(reader: NodeReader, of: SurveyKind): SurveyRows | undefined {
  switch (of) {
    case "publishers":
      return { of, rows: reader.list(readPublisher) };
    case "subscribers": {
      const rows = reader.listIfKnown(readSubscriber);
      return rows && { of, rows };
    }
    case "watches":
      return { of, rows: reader.list(readWatch) };
    case "clients":
      return { of, rows: reader.list(readClient) };
    case "services":
    case "applications":
    case "sessions":
      return { of, rows: reader.list(readCount) };
    default:
      return unreachable(of);
  }
}

function writeOfClient(
  writer: NodeWriter,
  row: Pick<WatchRow, "serviceKey" | "registId" | "client" | "version">,
): void {
  writer.name(row.serviceKey);
  writer.text(row.registId);
  writer.name(row.client);
  writer.long(row.version);
}

function readOfClient(reader: NodeReader) {
  return {
    serviceKey: brandServiceKey(reader.name()),
    registId: reader.text(),
    client: clientId(reader.name()),
    version: reader.long(),
  };
}

function writePublisher(writer: NodeWriter, row: PublisherRow): void {
  writeOfClient(writer, row);
  writer.name(row.appName);
  writer.name(row.zone);
  writer.f64(row.registeredMs);
  writer.endRecord();
}

function readPublisher(reader: NodeReader): PublisherRow {
  const row = {
    ...readOfClient(reader),
    appName: reader.name(),
    zone: reader.name(),
    registeredMs: reader.f64(),
  };
  reader.endRecord();
  return row;
}

function writeSubscriber(writer: NodeWriter, row: SubscriberRow): void {
  writeOfClient(writer, row);
  writer.name(row.appName);
  writer.name(row.zone);
  writer.varint(SCOPES.indexOf(row.scope));
  writer.f64(row.registeredMs);
  writer.long(row.pushedVersion);
  writer.f64(row.pushedMs);
  writer.long(row.seenVersion);
  writer.endRecord();
}

function readSubscriber(reader: NodeReader): SubscriberRow | undefined {
  const of = readOfClient(reader);
  const appName = reader.name();
  const zone = reader.name();
  const scope: Scope | undefined = SCOPES[reader.varint()];
  if (scope === undefined) return undefined;
  const row = {
    ...of,
    appName,
    zone,
    scope,
    registeredMs: reader.f64(),
    pushedVersion: reader.long(),
    pushedMs: reader.f64(),
    seenVersion: reader.long(),
  };
  reader.endRecord();
  return row;
}

function writeWatch(writer: NodeWriter, row: WatchRow): void {
  writeOfClient(writer, row);
  writer.long(row.seenVersion);
  writer.endRecord();
}

function readWatch(reader: NodeReader): WatchRow {
  const row = { ...readOfClient(reader), seenVersion: reader.long() };
  reader.endRecord();
  return row;
}

function writeClient(writer: NodeWriter, row: ClientRow): void {
  writer.text(row.client);
  writer.name(row.principal);
  writer.f64(row.connectedMs);
  writeCounts(writer, row);
  writer.endRecord();
}

function readClient(reader: NodeReader): ClientRow {
  const row = {
    client: clientId(reader.text()),
    principal: reader.name(),
    connectedMs: reader.f64(),
    ...readCounts(reader),
  };
  reader.endRecord();
  return row;
}

function writeCount(writer: NodeWriter, row: CountRow): void {
  writer.text(row.name);
  writer.varint(row.clients);
  writeCounts(writer, row);
  writer.endRecord();
}

function readCount(reader: NodeReader): CountRow {
  const row = { name: reader.text(), clients: reader.varint(), ...readCounts(reader) };
  reader.endRecord();
  return row;
}

type Counts = Pick<CountRow, "publishers" | "subscribers" | "watches">;

function writeCounts(writer: NodeWriter, { publishers, subscribers, watches }: Counts): void {
  writer.varint(publishers);
  writer.varint(subscribers);
  writer.varint(watches);
}

function readCounts(reader: NodeReader): Counts {
  return { publishers: reader.varint(), subscribers: reader.varint(), watches: reader.varint() };
}
