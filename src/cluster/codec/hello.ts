// The bytes of the first messages on a link: src/cluster/messages/hello.ts. Every release must be able to read them
// from every other release, to be able to report the fault. Fields may be added here; nothing else ever changes.

import type { Hello, HelloAnswer, NodeLink, NodeRole } from "../messages/hello.ts";
import type { UnknownMessage } from "./format.ts";
import { NodeReader } from "./nodeReader.ts";
import { encodeMessage, type NodeWriter } from "./nodeWriter.ts";
import { readRole, writeRole } from "./role.ts";

const HELLO = 1;
const HELLO_ANSWER = 1;
const LINK = { meta: 1, data: 2, replication: 3 } as const satisfies Record<NodeLink, number>;

export function encodeHello(hello: Hello): Uint8Array {
  return encodeMessage(hello, writeHello);
}

export function encodeHelloAnswer(answer: HelloAnswer): Uint8Array {
  return encodeMessage(answer, writeHelloAnswer);
}

export function writeHello(writer: NodeWriter, hello: Hello): void {
  writer.begin(HELLO);
  writer.varint(hello.protocolVersion);
  writer.varint(hello.minProtocolVersion);
  writer.text(hello.clusterName);
  writer.varint(hello.slotCount);
  writer.text(hello.from);
  writer.list(hello.roles, writeRole);
  writer.varint(LINK[hello.link]);
  writer.text(hello.address);
  writer.optionalText(hello.to);
}

/** A hello for a link that this release does not have is unknown too. Throws NODE_MESSAGE_MALFORMED. */
export function decodeHello(content: Uint8Array): Hello | UnknownMessage {
  const reader = new NodeReader(content);
  if (reader.kind !== HELLO) return reader.unknown();
  const head = {
    kind: "hello",
    protocolVersion: reader.varint(),
    minProtocolVersion: reader.varint(),
    clusterName: reader.plainText(),
    slotCount: reader.varint(),
    from: reader.nodeText(),
    roles: readRoles(reader),
  } as const;
  const link = linkOf(reader.varint());
  if (link === undefined) return reader.unknown("a kind of link");
  const address = reader.plainText();
  return { ...head, link, address, ...(reader.flag() && { to: reader.nodeText() }) };
}

export function writeHelloAnswer(writer: NodeWriter, answer: HelloAnswer): void {
  writer.begin(HELLO_ANSWER);
  writer.flag(answer.accepted);
  writer.text(answer.reason);
  writer.text(answer.from);
  writer.list(answer.roles, writeRole);
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeHelloAnswer(content: Uint8Array): HelloAnswer | UnknownMessage {
  const reader = new NodeReader(content);
  if (reader.kind !== HELLO_ANSWER) return reader.unknown();
  return {
    kind: "helloAnswer",
    accepted: reader.flag(),
    reason: reader.text(),
    from: reader.nodeText(),
    roles: readRoles(reader),
  };
}

function readRoles(reader: NodeReader): NodeRole[] {
  return reader.list(readRole).filter((role) => role !== undefined);
}

function linkOf(number: number): NodeLink | undefined {
  switch (number) {
    case LINK.meta:
      return "meta";
    case LINK.data:
      return "data";
    case LINK.replication:
      return "replication";
    default:
      return undefined;
  }
}
