// The bytes of the first messages on a link: src/cluster/messages/hello.ts. Every release must be able to read them
// from every other release, to be able to report the fault. Fields may be added here; nothing else ever changes.

import {
  type Hello,
  type HelloAnswer,
  type HelloChallenge,
  type HelloProof,
  type NodeLink,
  type NodeRole,
  SECRET_BYTES,
} from "../messages/hello.ts";
import type { UnknownMessage } from "./format.ts";
import { NodeReader } from "./nodeReader.ts";
import { encodeMessage, type NodeWriter } from "./nodeWriter.ts";
import { readRole, writeRole } from "./role.ts";

const HELLO = 1;
const HELLO_ANSWER = 1;
const HELLO_CHALLENGE = 1;
const HELLO_PROOF = 1;
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
  writeOptionalSecret(writer, hello.nonce);
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
  const to = reader.flag() ? reader.nodeText() : undefined;
  const nonce = readOptionalSecret(reader);
  return { ...head, link, address, ...(to !== undefined && { to }), ...(nonce !== undefined && { nonce }) };
}

export function writeHelloAnswer(writer: NodeWriter, answer: HelloAnswer): void {
  writer.begin(HELLO_ANSWER);
  writer.flag(answer.accepted);
  writer.text(answer.reason);
  writer.text(answer.from);
  writer.list(answer.roles, writeRole);
  writeOptionalSecret(writer, answer.proof);
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeHelloAnswer(content: Uint8Array): HelloAnswer | UnknownMessage {
  const reader = new NodeReader(content);
  if (reader.kind !== HELLO_ANSWER) return reader.unknown();
  const answer = {
    kind: "helloAnswer",
    accepted: reader.flag(),
    reason: reader.text(),
    from: reader.nodeText(),
    roles: readRoles(reader),
  } as const;
  const proof = readOptionalSecret(reader);
  return proof === undefined ? answer : { ...answer, proof };
}

export function encodeHelloChallenge(challenge: HelloChallenge): Uint8Array {
  return encodeMessage(challenge, writeHelloChallenge);
}

export function writeHelloChallenge(writer: NodeWriter, { from, nonce }: HelloChallenge): void {
  writer.begin(HELLO_CHALLENGE);
  writer.text(from);
  writer.block(nonce);
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeHelloChallenge(content: Uint8Array): HelloChallenge | UnknownMessage {
  const reader = new NodeReader(content);
  if (reader.kind !== HELLO_CHALLENGE) return reader.unknown();
  return { kind: "helloChallenge", from: reader.nodeText(), nonce: readSecret(reader) };
}

export function encodeHelloProof(proof: HelloProof): Uint8Array {
  return encodeMessage(proof, writeHelloProof);
}

export function writeHelloProof(writer: NodeWriter, { proof }: HelloProof): void {
  writer.begin(HELLO_PROOF);
  writer.block(proof);
}

/** Throws NODE_MESSAGE_MALFORMED. */
export function decodeHelloProof(content: Uint8Array): HelloProof | UnknownMessage {
  const reader = new NodeReader(content);
  return reader.kind === HELLO_PROOF ? { kind: "helloProof", proof: readSecret(reader) } : reader.unknown();
}

function writeOptionalSecret(writer: NodeWriter, secret: Uint8Array | undefined): void {
  writer.flag(secret !== undefined);
  if (secret !== undefined) writer.block(secret);
}

/** Missing in the messages of releases that knew no secret. */
function readOptionalSecret(reader: NodeReader): Uint8Array | undefined {
  return reader.remaining > 0 && reader.flag() ? readSecret(reader) : undefined;
}

function readSecret(reader: NodeReader): Uint8Array {
  const start = reader.offset;
  const secret = reader.block();
  if (secret.length === SECRET_BYTES) return secret;
  throw reader.wrong(`${secret.length} bytes in place of ${SECRET_BYTES}`, start);
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
