// Every message between nodes by the class name of its frame, which tells the speaker and the link.

import {
  decodeHello,
  decodeHelloAnswer,
  decodeHelloChallenge,
  decodeHelloProof,
  encodeHello,
  encodeHelloAnswer,
  encodeHelloChallenge,
  encodeHelloProof,
} from "./hello.ts";
import { decodeMemberToMeta, decodeMetaToMember, encodeMemberToMeta, encodeMetaToMember } from "./membership.ts";
import { decodeOperation, encodeOperation } from "./operation.ts";
import {
  decodeFollowerToLeader,
  decodeLeaderToFollower,
  encodeFollowerToLeader,
  encodeLeaderToFollower,
} from "./replication.ts";
import { decodeDataToSession, decodeSessionToData, encodeDataToSession, encodeSessionToData } from "./sessionData.ts";

/** The writer and the reader of each class. */
export const NODE_MESSAGES = {
  "roster.Hello": { encode: encodeHello, decode: decodeHello },
  "roster.HelloAnswer": { encode: encodeHelloAnswer, decode: decodeHelloAnswer },
  "roster.HelloChallenge": { encode: encodeHelloChallenge, decode: decodeHelloChallenge },
  "roster.HelloProof": { encode: encodeHelloProof, decode: decodeHelloProof },
  "roster.MemberToMeta": { encode: encodeMemberToMeta, decode: decodeMemberToMeta },
  "roster.MetaToMember": { encode: encodeMetaToMember, decode: decodeMetaToMember },
  "roster.SessionToData": { encode: encodeSessionToData, decode: decodeSessionToData },
  "roster.DataToSession": { encode: encodeDataToSession, decode: decodeDataToSession },
  "roster.FollowerToLeader": { encode: encodeFollowerToLeader, decode: decodeFollowerToLeader },
  "roster.LeaderToFollower": { encode: encodeLeaderToFollower, decode: decodeLeaderToFollower },
  // The class of messages on both ends of a link.
  "roster.Operation": { encode: encodeOperation, decode: decodeOperation },
} as const;

export type NodeMessageClass = keyof typeof NODE_MESSAGES;
