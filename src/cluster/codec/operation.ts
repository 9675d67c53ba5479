// The bytes of the messages about operations: src/cluster/messages/operation.ts.

import { unreachable } from "../../base/assert.ts";
import type { OperationMessage } from "../messages/operation.ts";
import type { UnknownMessage } from "./format.ts";
import { NodeReader } from "./nodeReader.ts";
import { encodeMessage, type NodeWriter } from "./nodeWriter.ts";

const KIND = {
  operationAsked: 1,
  operationAnswered: 2,
  operationUnreachable: 3,
} as const satisfies Record<OperationMessage["kind"], number>;

export function encodeOperation(message: OperationMessage): Uint8Array {
  return encodeMessage(message, writeOperation);
}

export function writeOperation(writer: NodeWriter, message: OperationMessage): void {
  writer.begin(KIND[message.kind]);
  writer.varint(message.request);
  switch (message.kind) {
    case "operationAsked":
      writer.text(message.from);
      writer.optionalText(message.to);
      writer.varint(message.relaysLeft);
      writer.text(message.operation);
      writer.text(message.parameters);
      return writer.optionalText(message.by);
    case "operationAnswered":
      writer.text(message.to);
      writer.varint(message.status);
      return writer.text(message.body);
    case "operationUnreachable":
      writer.text(message.to);
      return writer.text(message.reason);
    default:
      return unreachable(message);
  }
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeOperation(content: Uint8Array): OperationMessage | UnknownMessage {
  const reader = new NodeReader(content);
  switch (reader.kind) {
    case KIND.operationAsked: {
      const [request, from] = [reader.varint(), reader.nodeText()];
      const to = reader.flag() ? { to: reader.nodeText() } : {};
      const rest = { relaysLeft: reader.varint(), operation: reader.text(), parameters: reader.text() };
      // Earlier releases wrote nothing after the parameters.
      const by = reader.remaining > 0 && reader.flag() ? { by: reader.text() } : {};
      return { kind: "operationAsked", request, from, ...to, ...rest, ...by };
    }
    case KIND.operationAnswered: {
      const head = { kind: "operationAnswered", request: reader.varint(), to: reader.nodeText() } as const;
      return { ...head, status: reader.varint(), body: reader.text() };
    }
    case KIND.operationUnreachable: {
      const head = { kind: "operationUnreachable", request: reader.varint(), to: reader.nodeText() } as const;
      return { ...head, reason: reader.text() };
    }
    default:
      return reader.unknown();
  }
}
