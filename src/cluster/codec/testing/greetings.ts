// Any greeting, for property tests.

import fc from "fast-check";
import type { Hello, HelloAnswer, HelloChallenge, HelloProof, NodeRole } from "../../messages/hello.ts";
import { is, list, natural, plain, record, string } from "./fields.ts";
import { node } from "./publications.ts";

const roles = list(fc.constantFrom<NodeRole>("meta", "data", "session"));
const secret = fc.uint8Array({ minLength: 32, maxLength: 32 });

export const hello = record<Hello>(
  {
    kind: is("hello"),
    protocolVersion: natural,
    minProtocolVersion: natural,
    clusterName: plain,
    slotCount: natural,
    from: node,
    roles,
    link: fc.constantFrom("meta", "data", "replication"),
    address: plain,
    to: node,
    nonce: secret,
  },
  "to",
  "nonce",
);

export const helloAnswer = record<HelloAnswer>(
  {
    kind: is("helloAnswer"),
    accepted: fc.boolean(),
    reason: string,
    from: node,
    roles,
    proof: secret,
  },
  "proof",
);

export const helloChallenge = record<HelloChallenge>({ kind: is("helloChallenge"), from: node, nonce: secret });

export const helloProof = record<HelloProof>({ kind: is("helloProof"), proof: secret });
