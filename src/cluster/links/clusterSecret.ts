// How two nodes prove to each other that they know the secret of their cluster, without sending it. Each side gives a
// nonce, 32 random bytes, and each proof is an HMAC under the secret of the whole greeting: both nonces, both node ids,
// and all that the hello says. So a recorded proof is worth nothing on another connection, a changed hello has no valid
// proof, and a proof of one side is none of the other. The dialling side proves first: a stranger that connects to a
// node gets nothing that would let it try secrets at home.
//
//   dialling                                   accepting
//      │ ── hello, with a nonce ────────────────► │
//      │ ◄──────────── challenge, with a nonce ── │
//      │ ── proof ──────────────────────────────► │  refuses, or believes the hello from here on
//      │ ◄───────────────── answer, with proof ── │
//    believes the answer

import type { Secrecy } from "../../base/ports.ts";
import type { HelloChallenge } from "../messages/hello.ts";

export interface ClusterSecret {
  /** At least one. The first is the one to prove; a peer may know any, so that a secret can be exchanged. */
  readonly secrets: readonly string[];
  /** Peers without a secret are accepted too, as long as a cluster is on its way from none to one. */
  readonly isOptional: boolean;
  readonly secrecy: Secrecy;
}

/** The two ends of a greeting; a proof belongs to one of them. */
export type GreetingEnd = "dialling" | "accepting";

/** The greeting that a proof is about, as its bytes were sent. */
export interface Greeting {
  readonly hello: Uint8Array;
  readonly challenge: Uint8Array;
}

/** The proof of one end, under one secret. */
export function proofOf(
  { secrecy }: Pick<ClusterSecret, "secrecy">,
  secret: string,
  end: GreetingEnd,
  { hello, challenge }: Greeting,
): Uint8Array {
  const label = new TextEncoder().encode(`roster greeting 1, ${end} `);
  const message = new Uint8Array(label.length + 4 + hello.length + challenge.length);
  message.set(label);
  // With its length, no part of the hello can be taken for one of the challenge.
  new DataView(message.buffer).setUint32(label.length, hello.length);
  message.set(hello, label.length + 4);
  message.set(challenge, label.length + 4 + hello.length);
  return secrecy.hmac(secret, message);
}

/** The secret under which the peer has made its proof; undefined if it knows none of ours. */
export function provenSecret(
  secret: ClusterSecret,
  proof: Uint8Array,
  end: GreetingEnd,
  greeting: Greeting,
): string | undefined {
  let proven: string | undefined;
  for (const each of secret.secrets) if (isSame(proofOf(secret, each, end, greeting), proof)) proven = each;
  return proven;
}

export function challengeOf(secret: ClusterSecret, from: HelloChallenge["from"]): HelloChallenge {
  return { kind: "helloChallenge", from, nonce: secret.secrecy.nonce() };
}

/** Takes as long for the first byte that differs as for the last. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (const [at, byte] of one.entries()) difference |= byte ^ (other[at] ?? 0);
  return difference === 0;
}
