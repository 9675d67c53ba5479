// Every class of message, with the operations that the tests apply to all of them alike.

import type fc from "fast-check";
import { writeHello, writeHelloAnswer, writeHelloChallenge, writeHelloProof } from "../hello.ts";
import { writeMemberToMeta, writeMetaToMember } from "../membership.ts";
import { NODE_MESSAGES, type NodeMessageClass } from "../nodeMessages.ts";
import { NodeWriter } from "../nodeWriter.ts";
import { writeOperation } from "../operation.ts";
import { writeFollowerToLeader, writeLeaderToFollower } from "../replication.ts";
import { writeDataToSession, writeSessionToData } from "../sessionData.ts";
import * as arbitraries from "./arbitraries.ts";
import * as greetings from "./greetings.ts";

/** A message and its bytes. */
interface Sample {
  readonly message: unknown;
  readonly content: Uint8Array;
  /** The message as a later release writes it, with fields added to it and to each record in it. */
  readonly grown: Uint8Array;
}

export interface LinkCodec {
  readonly samples: fc.Arbitrary<Sample>;
  /** Takes a message of this class. */
  readonly encode: (message: unknown) => Uint8Array;
  readonly decode: (content: Uint8Array) => unknown;
}

/** Writes as a later release may: every record has a tail, which uses names of its own. */
class LaterWriter extends NodeWriter {
  override endRecordWith(write: (() => void) | undefined): void {
    const start = this.length;
    this.u8(0);
    this.flag(write !== undefined);
    write?.();
    this.addedFields();
    this.target()[start] = this.length - start - 1;
  }

  addedFields(): void {
    this.name(`added ${this.length % 5}`);
    this.text("more");
    this.f64(0.5);
  }
}

interface Codec<Message> {
  readonly encode: (message: Message) => Uint8Array;
  readonly decode: (content: Uint8Array) => unknown;
}

function link<Message>(
  { encode, decode }: Codec<Message>,
  messages: fc.Arbitrary<Message>,
  write: (writer: NodeWriter, message: Message) => void,
): LinkCodec {
  const sampleOf = (message: Message): Sample => {
    const later = new LaterWriter();
    write(later, message);
    later.addedFields();
    return { message, content: encode(message), grown: later.content() };
  };
  return { samples: messages.map(sampleOf), encode: (message) => encode(message as Message), decode };
}

export const LINKS: Readonly<Record<NodeMessageClass, LinkCodec>> = {
  "roster.Hello": link(NODE_MESSAGES["roster.Hello"], greetings.hello, writeHello),
  "roster.HelloAnswer": link(NODE_MESSAGES["roster.HelloAnswer"], greetings.helloAnswer, writeHelloAnswer),
  "roster.HelloChallenge": link(NODE_MESSAGES["roster.HelloChallenge"], greetings.helloChallenge, writeHelloChallenge),
  "roster.HelloProof": link(NODE_MESSAGES["roster.HelloProof"], greetings.helloProof, writeHelloProof),
  "roster.MemberToMeta": link(NODE_MESSAGES["roster.MemberToMeta"], arbitraries.memberToMeta, writeMemberToMeta),
  "roster.MetaToMember": link(NODE_MESSAGES["roster.MetaToMember"], arbitraries.metaToMember, writeMetaToMember),
  "roster.SessionToData": link(NODE_MESSAGES["roster.SessionToData"], arbitraries.sessionToData, writeSessionToData),
  "roster.DataToSession": link(NODE_MESSAGES["roster.DataToSession"], arbitraries.dataToSession, writeDataToSession),
  "roster.FollowerToLeader": link(
    NODE_MESSAGES["roster.FollowerToLeader"],
    arbitraries.followerToLeader,
    writeFollowerToLeader,
  ),
  "roster.LeaderToFollower": link(
    NODE_MESSAGES["roster.LeaderToFollower"],
    arbitraries.leaderToFollower,
    writeLeaderToFollower,
  ),
  "roster.Operation": link(NODE_MESSAGES["roster.Operation"], arbitraries.operation, writeOperation),
};
