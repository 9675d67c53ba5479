// The one entry to the protocol's messages: any message, in any of the three forms, in both directions.
//
// Pushes are the hot path. A push is encoded once for all subscribers of a service in one form: the body holds
// everything except the registIds, and the tail, made for each connection, holds only those. Body and tail together are
// one message, because fields may come in any order in every form.

import { assert } from "../../../base/assert.ts";
import { boltError } from "../../../encoding/bolt/errors.ts";
import { BOLT_CODEC } from "../../../encoding/bolt/frame.ts";
import type { HessianDialect } from "../../../encoding/hessian/tokenReader.ts";
import { encodeRevisionsResponse } from "./appMessages.ts";
import { HESSIAN_CLASSES } from "./hessianClasses.ts";
import { decodeHessian } from "./hessianDecode.ts";
import { encodeHessian } from "./hessianEncode.ts";
import { encodeHessianMultiPushBody, encodeHessianPushBody, encodeHessianPushTail } from "./hessianPush.ts";
import type { Box, ServiceMessage, SofaMessage, WireForm } from "./messages.ts";
import { PB, PROTOBUF_CLASS_NAMES } from "./protobufClasses.ts";
import { decodeProtobufBoxes, decodeProtobufMessage } from "./protobufDecode.ts";
import { encodeProtobufMessage } from "./protobufEncode.ts";
import {
  encodeProtobufBoxes,
  encodeProtobufMultiPushBody,
  encodeProtobufMultiPushTail,
  encodeProtobufPushBody,
  encodeProtobufPushTail,
} from "./protobufPush.ts";
import { compact, type MultiPush, type PushMessage, type PushZone } from "./push.ts";

/** The content of a Bolt frame. */
export interface Encoded {
  /** The frame's codec byte. */
  readonly codec: number;
  readonly className: string;
  readonly content: Uint8Array;
}

/**
 * The form of a content. The real server's protobuf pushes carry Hessian's codec byte, so the class name counts as
 * well. The dialects of Hessian differ in the first byte: a class definition is `O` in the draft and `C` in the final.
 */
export function wireForm(encoded: Encoded): WireForm {
  if (encoded.codec === BOLT_CODEC.PROTOBUF || encoded.className.startsWith(PB)) return "protobuf";
  return encoded.content[0] === FINAL_CLASS_DEFINITION ? "hessian-final" : "hessian-draft";
}

const FINAL_CLASS_DEFINITION = 0x43;

/** Decodes a message. Texts in it are views of `content`. Throws BOLT_CLASS_UNKNOWN, HESSIAN_* or PROTOBUF_*. */
export function decodeMessage(form: WireForm, className: string, content: Uint8Array): SofaMessage {
  const message =
    form === "protobuf"
      ? decodeProtobufMessage(className, content)
      : decodeHessian(dialectOf(form), className, content);
  if (message === undefined) throw boltError("BOLT_CLASS_UNKNOWN", { className });
  return message;
}

/**
 * Encodes a message into fresh memory. The caller knows that it has this form: a ConfiguratorRegister has no protobuf
 * form, and app-level messages have no other. An exception is always Hessian, under Hessian's codec byte.
 */
export function encodeMessage(form: WireForm, message: SofaMessage): Encoded {
  if (form !== "protobuf") return encodedHessian(dialectOf(form), message);
  if (message.kind === "rpcServerException") return encodedHessian("draft", message);
  assert(message.kind !== "configuratorRegister", "a ConfiguratorRegister has no protobuf form");
  return {
    codec: BOLT_CODEC.PROTOBUF,
    className: PROTOBUF_CLASS_NAMES[message.kind],
    content: encodeProtobufMessage(message),
  };
}

function encodedHessian(dialect: HessianDialect, message: SofaMessage): Encoded {
  assert(hasHessianForm(message), "an app-level message has no Hessian form");
  return {
    codec: BOLT_CODEC.HESSIAN,
    className: HESSIAN_CLASSES[message.kind].className,
    content: encodeHessian(dialect, message),
  };
}

function hasHessianForm(message: SofaMessage): message is ServiceMessage {
  return Object.hasOwn(HESSIAN_CLASSES, message.kind);
}

function dialectOf(form: "hessian-draft" | "hessian-final"): HessianDialect {
  return form === "hessian-draft" ? "draft" : "final";
}

/** A GetRevisionsResponse, with each revision as it was registered. */
export function encodeGetRevisionsResponse(response: Parameters<typeof encodeRevisionsResponse>[0]): Encoded {
  const className = PROTOBUF_CLASS_NAMES.getRevisionsResponse;
  return { codec: BOLT_CODEC.PROTOBUF, className, content: encodeRevisionsResponse(response) };
}

/** The class names of the requests about applications, whose contents may be as large as a revision. */
export function appClassNames(): readonly string[] {
  const { metaRegister, getRevisionsRequest, serviceAppMappingRequest, metaHeartbeatRequest } = PROTOBUF_CLASS_NAMES;
  return [metaRegister, getRevisionsRequest, serviceAppMappingRequest, metaHeartbeatRequest];
}

/** The class names of a PublisherRegister, whose content may be large. */
export function publisherClassNames(): readonly string[] {
  return [HESSIAN_CLASSES.publisherRegister.className, PROTOBUF_CLASS_NAMES.publisherRegister];
}

/** A ReceivedData without its subscriberRegistIds. */
export function encodePushBody(form: WireForm, push: PushMessage): Uint8Array {
  return compact(form === "protobuf" ? encodeProtobufPushBody(push) : encodeHessianPushBody(dialectOf(form), push));
}

/** The end of a push body: the registIds of one connection's receiving subscribers. */
export function encodePushTail(form: WireForm, registIds: readonly string[]): Uint8Array {
  return form === "protobuf" ? encodeProtobufPushTail(registIds) : encodeHessianPushTail(dialectOf(form), registIds);
}

/** The class name in the head of a push. */
export function pushClassName(form: WireForm): string {
  return form === "protobuf" ? PROTOBUF_CLASS_NAMES.receivedData : HESSIAN_CLASSES.receivedData.className;
}

/** A MultiReceivedData without its subscriberRegistIds. */
export function encodeMultiPushBody(form: WireForm, push: MultiPush): Uint8Array {
  if (form === "protobuf") return compact(encodeProtobufMultiPushBody(push));
  return compact(encodeHessianMultiPushBody(dialectOf(form), push));
}

/** The end of a multi push body. */
export function encodeMultiPushTail(form: WireForm, registIds: readonly string[]): Uint8Array {
  return form === "protobuf"
    ? encodeProtobufMultiPushTail(registIds)
    : encodeHessianPushTail(dialectOf(form), registIds);
}

/** The class name in the head of a multi push. */
export function multiPushClassName(form: WireForm): string {
  return form === "protobuf" ? PROTOBUF_CLASS_NAMES.multiReceivedData : HESSIAN_CLASSES.multiReceivedData.className;
}

/** The ReceivedDataBodyPb that is compressed for a push; its length is the push's originBodySize. */
export function encodeReceivedDataBody(zones: Iterable<PushZone>): Uint8Array {
  return encodeProtobufBoxes(zones);
}

/** The boxes by zone of a decompressed ReceivedDataBodyPb. Throws PROTOBUF_*. */
export function decodeReceivedDataBody(body: Uint8Array): ReadonlyMap<string, readonly Box[]> {
  return decodeProtobufBoxes(body);
}
