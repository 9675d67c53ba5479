// Registrations of publishers as frames, without encoding each: a message is encoded once with marks in its fields, and
// each frame is a copy with the fields written over the marks. So ten connections can ask for more than any server
// takes.

import { Buffer } from "node:buffer";
import { encodeRequest } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import { encodeMessage } from "../../../src/protocols/sofa/codec/codec.ts";
import {
  ABSENT_LIST,
  ABSENT_MAP,
  type PublisherRegister,
  type WireForm,
} from "../../../src/protocols/sofa/codec/messages.ts";
import { INSTANCE_BYTES, type Instance, instanceText, registIdText, serviceText } from "../../instances.ts";

export const INSTANCE_ID = "DEFAULT_INSTANCE_ID";
export const GROUP = "DEFAULT_GROUP";
export const ZONE = "DEFAULT_ZONE";
export const TIMEOUT_MS = 3_000;

const ID_AT = 5;
// Hessian writes these in full length; so does a decoder take any smaller number in that length.
const VERSION_MARK = 0x7a5a_5a5a_5a5a_5a01n;
const TIME_MARK = 0x7a5a_5a5a_5a5a_5a02n;
const REGIST_ID_MARK = "#".repeat(36);
const TEXT_MARK = "%".repeat(INSTANCE_BYTES);
const SERVICE_MARK = serviceText({ workload: "@@", number: 99_999 });

class RegisterFrames {
  readonly #template: Buffer;
  readonly #serviceAt: number;
  readonly #registIdAt: number;
  readonly #versionAt: number;
  readonly #timeAt: number;
  /** -1 in unregisters, which carry no payload. */
  readonly #textAt: number;

  constructor(eventType: "REGISTER" | "UNREGISTER") {
    const encoded = encodeMessage("hessian-draft", marked(eventType));
    this.#template = Buffer.from(encodeRequest(BOLT_V1, { id: 0, timeoutMs: TIMEOUT_MS, ...encoded }));
    this.#serviceAt = this.#template.indexOf(SERVICE_MARK);
    this.#registIdAt = this.#template.indexOf(REGIST_ID_MARK);
    this.#versionAt = this.#template.indexOf(longBytes(VERSION_MARK));
    this.#timeAt = this.#template.indexOf(longBytes(TIME_MARK));
    this.#textAt = this.#template.indexOf(TEXT_MARK);
  }

  get bytes(): number {
    return this.#template.length;
  }

  /** Writes a frame; there must be room for `bytes`. */
  write(into: Buffer, at: number, { id, instance, version }: FrameFields): void {
    this.#template.copy(into, at);
    into.writeInt32BE(id, at + ID_AT);
    into.write(serviceText(instance.service), at + this.#serviceAt, "latin1");
    into.write(registIdText(instance), at + this.#registIdAt, "latin1");
    into.writeBigInt64BE(BigInt(version), at + this.#versionAt);
    into.writeBigInt64BE(BigInt(Date.now()), at + this.#timeAt);
    if (this.#textAt >= 0) into.write(instanceText(instance), at + this.#textAt, "latin1");
  }
}

export interface FrameFields {
  readonly id: number;
  readonly instance: Instance;
  /** Of the registration: 1 at first, more at each change. */
  readonly version: number;
}

export const REGISTER = new RegisterFrames("REGISTER");
export const UNREGISTER = new RegisterFrames("UNREGISTER");
export type { RegisterFrames };

function marked(eventType: "REGISTER" | "UNREGISTER"): PublisherRegister {
  const text = { utf8: new TextEncoder().encode(TEXT_MARK), units: TEXT_MARK.length };
  return {
    ...baseRegister(SERVICE_MARK, REGIST_ID_MARK),
    kind: "publisherRegister",
    eventType,
    version: VERSION_MARK,
    timestamp: TIME_MARK,
    dataList: eventType === "REGISTER" ? [text] : ABSENT_LIST,
  };
}

/** The common part of all registrations of a driver. */
export function baseRegister(dataId: string, registId: string) {
  return {
    dataId,
    instanceId: INSTANCE_ID,
    group: GROUP,
    zone: ZONE,
    appName: "bench",
    processId: null,
    registId,
    clientId: null,
    dataInfoId: null,
    ip: null,
    port: null,
    eventType: "REGISTER",
    version: 1n,
    timestamp: BigInt(Date.now()),
    attributes: ABSENT_MAP,
  };
}

/** How a subscriber registers. */
export interface SubscriberFrame {
  readonly id: number;
  readonly form: WireForm;
  readonly acceptEncoding: string | null;
  readonly dataId: string;
  readonly registId: string;
}

export function subscriberFrame({ id, form, acceptEncoding, dataId, registId }: SubscriberFrame): Uint8Array {
  const message = {
    ...baseRegister(dataId, registId),
    kind: "subscriberRegister" as const,
    scope: "dataCenter",
    acceptEncoding,
    acceptMulti: false,
  };
  return encodeRequest(BOLT_V1, { id, timeoutMs: TIMEOUT_MS, ...encodeMessage(form, message) });
}

function longBytes(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
}
