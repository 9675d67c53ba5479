// The dialling side of a greeting. In a cluster with a secret each connection begins with a new nonce, and nothing of
// the answer is believed, not even the sender's id, before its proof.

import type { PeerCertificate } from "../../base/ports.ts";
import { decodeHelloAnswer, decodeHelloChallenge, encodeHello, encodeHelloProof } from "../codec/hello.ts";
import type { Hello, HelloAnswer } from "../messages/hello.ts";
import { certificateRefusal } from "./certificateRule.ts";
import { type ClusterSecret, type Greeting, proofOf, provenSecret } from "./clusterSecret.ts";

/** The answer, or the reason why there is none to believe. */
export type BelievedAnswer =
  | { readonly kind: "answer"; readonly answer: HelloAnswer }
  | { readonly kind: "refusal"; readonly reason: string };

export class DialledGreeting {
  /** The bytes of the hello. */
  readonly content: Uint8Array;
  readonly #hello: Hello;
  readonly #secret: ClusterSecret | undefined;
  readonly #certificate: PeerCertificate | undefined;
  #challenged: Greeting | undefined;

  constructor(hello: Hello, secret: ClusterSecret | undefined, certificate: PeerCertificate | undefined) {
    this.#hello = hello;
    this.#secret = secret;
    this.#certificate = certificate;
    this.content = encodeHello(secret === undefined ? hello : { ...hello, nonce: secret.secrecy.nonce() });
  }

  /** The proof that answers a challenge, or the reason why there is none. Throws NODE_MESSAGE_MALFORMED. */
  challenged(content: Uint8Array): { readonly proof: Uint8Array } | { readonly refusal: string } {
    const challenge = decodeHelloChallenge(content);
    const [own] = this.#secret?.secrets ?? [];
    if (challenge.kind === "unknown" || this.#secret === undefined || own === undefined) {
      return { refusal: "the node there asks for a proof that this one can't give: set cluster-secret-file" };
    }
    this.#challenged = { hello: this.content, challenge: content.slice() };
    const proof = proofOf(this.#secret, own, "dialling", this.#challenged);
    return { proof: encodeHelloProof({ kind: "helloProof", proof }) };
  }

  /** Throws NODE_MESSAGE_MALFORMED. */
  answered(content: Uint8Array): BelievedAnswer {
    const answer = decodeHelloAnswer(content);
    if (answer.kind === "unknown") {
      return { kind: "refusal", reason: `an answer that this release does not know: ${answer.what}` };
    }
    const doubt = this.#doubt(answer);
    if (doubt === undefined) return { kind: "answer", answer };
    // A refusal needs no proof: it grants nothing.
    const isRefusal = !answer.accepted && answer.reason !== "" && answer.proof === undefined;
    return { kind: "refusal", reason: isRefusal ? answer.reason : doubt };
  }

  /** The reason not to believe that the sender belongs to the cluster and is the one that it claims to be. */
  #doubt({ from, proof }: HelloAnswer): string | undefined {
    if (!this.#isProved(proof)) return NO_PROOF;
    if (this.#certificate === undefined) return undefined;
    return certificateRefusal(this.#certificate, { clusterName: this.#hello.clusterName, node: from });
  }

  #isProved(proof: Uint8Array | undefined): boolean {
    const secret = this.#secret;
    if (secret === undefined) return true;
    const greeting = this.#challenged;
    if (greeting === undefined || proof === undefined) return secret.isOptional;
    return provenSecret(secret, proof, "accepting", greeting) !== undefined;
  }
}

const NO_PROOF =
  "the node there gives no proof that it belongs to this cluster: give it the cluster-secret-file of the other " +
  "nodes, or, while a cluster gets its first secret, set cluster-secret-optional here";
