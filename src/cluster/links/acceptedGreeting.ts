// The accepting side of a greeting: from the hello to the decision whether its sender is a node of this cluster. In a
// cluster with a secret nothing of a hello is believed, not even the name of its cluster, before its sender has proved
// that it knows the secret.

import type { PeerCertificate } from "../../base/ports.ts";
import type { UnknownMessage } from "../codec/format.ts";
import { decodeHello, decodeHelloProof, encodeHelloChallenge } from "../codec/hello.ts";
import {
  type Hello,
  type NodeLink as LinkKind,
  type NodeRole,
  PROTOCOL_VERSION,
  PROTOCOL_VERSION_MIN,
} from "../messages/hello.ts";
import { certificateRefusal } from "./certificateRule.ts";
import { type ClusterSecret, challengeOf, type Greeting, proofOf, provenSecret } from "./clusterSecret.ts";

type NodeId = Hello["from"];

/** One link of a peer, and the role for which the peer speaks on it. */
export interface Peer {
  readonly link: LinkKind;
  readonly role: NodeRole;
  readonly node: NodeId;
}

/** The identity of this node for nodes that dial it. */
export interface AcceptingNode {
  readonly id: NodeId;
  readonly clusterName: string;
  readonly slotCount: number;
  readonly roles: readonly NodeRole[];
}

/** The kinds of refusals that are counted apart: no proof of the secret, a wrong one, another certificate, the rest. */
export type RefusalCause = "no secret" | "wrong secret" | "certificate" | "hello";

/** The decision about a greeting. `proof` is that of this node, for a peer that has given its own. */
export type Verdict = { readonly proof?: Uint8Array } & (
  | { readonly kind: "welcome"; readonly peer: Peer }
  | {
      readonly kind: "refusal";
      readonly hello: Hello | UnknownMessage;
      /** The reason, with the remedy. */
      readonly reason: string;
      readonly cause: RefusalCause;
    }
);

export class AcceptedGreeting {
  readonly #self: AcceptingNode;
  readonly #secret: ClusterSecret | undefined;
  readonly #certificate: PeerCertificate | undefined;
  /** The hello that a proof is awaited for. */
  #challenged: { readonly hello: Hello; readonly greeting: Greeting } | undefined;

  constructor(self: AcceptingNode, secret: ClusterSecret | undefined, certificate: PeerCertificate | undefined) {
    this.#self = self;
    this.#secret = secret;
    this.#certificate = certificate;
  }

  /** Throws NODE_MESSAGE_MALFORMED. */
  greeted(content: Uint8Array): Verdict | { readonly kind: "challenge"; readonly challenge: Uint8Array } {
    const hello = decodeHello(content);
    const secret = this.#secret;
    if (secret === undefined) return this.#judge(hello);
    if (hello.kind === "hello" && hello.nonce !== undefined) {
      const challenge = encodeHelloChallenge(challengeOf(secret, this.#self.id));
      this.#challenged = { hello, greeting: { hello: content.slice(), challenge } };
      return { kind: "challenge", challenge };
    }
    return secret.isOptional ? this.#judge(hello) : { kind: "refusal", hello, reason: NO_SECRET, cause: "no secret" };
  }

  /** To be called once, with the answer to a challenge. Throws NODE_MESSAGE_MALFORMED. */
  proved(content: Uint8Array): Verdict {
    const message = decodeHelloProof(content);
    const { hello, greeting } = this.#challenged ?? {};
    const secret = this.#secret;
    const isProof = message.kind === "helloProof" && greeting !== undefined && secret !== undefined;
    const proven = isProof ? provenSecret(secret, message.proof, "dialling", greeting) : undefined;
    if (!isProof || hello === undefined || proven === undefined) {
      const unknown = { kind: "unknown", what: "a proof" } as const;
      return { kind: "refusal", hello: hello ?? unknown, reason: WRONG_SECRET, cause: "wrong secret" };
    }
    return { ...this.#judge(hello), proof: proofOf(secret, proven, "accepting", greeting) };
  }

  #judge(hello: Hello | UnknownMessage): Verdict {
    const { clusterName } = this.#self;
    if (this.#certificate !== undefined && hello.kind === "hello") {
      const reason = certificateRefusal(this.#certificate, { clusterName, node: hello.from });
      if (reason !== undefined) return { kind: "refusal", hello, reason, cause: "certificate" };
    }
    const reason = refusalOf(hello, this.#self);
    const peer = peerOf(hello);
    if (reason === undefined && peer !== undefined) return { kind: "welcome", peer };
    return { kind: "refusal", hello, reason: reason ?? "no role that this release knows", cause: "hello" };
  }
}

const NO_SECRET =
  "this cluster has a secret, and your node gives no proof of it: give it the cluster-secret-file of the other nodes";
const WRONG_SECRET =
  "your node does not know the secret of this cluster: give it the cluster-secret-file of the other nodes";

const WANTED_ROLES: Record<LinkKind, { readonly here: NodeRole; readonly there: readonly NodeRole[] }> = {
  meta: { here: "meta", there: ["data", "session", "meta"] },
  data: { here: "data", there: ["session"] },
  replication: { here: "data", there: ["data"] },
};

/** The reason why a node is refused, with the remedy; undefined if it is accepted. */
export function refusalOf(hello: Hello | UnknownMessage, self: AcceptingNode): string | undefined {
  if (hello.kind === "unknown") return `this release does not know what you want (${hello.what}): upgrade this node`;
  if (hello.from === self.id) return "this is the node that dials";
  if (hello.clusterName !== self.clusterName) {
    return (
      `this is a node of the cluster ${self.clusterName}, you belong to ${hello.clusterName}: give your node the ` +
      "meta-addresses of its own cluster, or the same cluster-name"
    );
  }
  if (hello.slotCount !== self.slotCount) {
    return (
      `this cluster has ${self.slotCount} slots, your release works with ${hello.slotCount}: ` +
      "run the same release on all nodes, or make a new cluster"
    );
  }
  if (hello.minProtocolVersion > PROTOCOL_VERSION || hello.protocolVersion < PROTOCOL_VERSION_MIN) {
    return (
      `this node speaks the versions ${PROTOCOL_VERSION_MIN} to ${PROTOCOL_VERSION} of the protocol between nodes, ` +
      `yours ${hello.minProtocolVersion} to ${hello.protocolVersion}: upgrade one release at a time`
    );
  }
  if (hello.to !== undefined && hello.to !== self.id) {
    return `${self.id} is here now, not ${hello.to}: wait for the next list of members`;
  }
  return roleRefusal(hello, self);
}

function roleRefusal({ link, roles }: Hello, self: AcceptingNode): string | undefined {
  const { here, there } = WANTED_ROLES[link];
  if (!self.roles.includes(here)) {
    return (
      `this node has the roles ${self.roles.join(",")} and not ${here}: ` +
      (here === "meta" ? "name only nodes with the role meta in meta-addresses" : "wait for the next list of members")
    );
  }
  if (roles.some((role) => there.includes(role))) return undefined;
  return `a link to the role ${here} is for nodes with the role ${there.join(" or ")}, yours has ${roles.join(",")}`;
}

function peerOf(hello: Hello | UnknownMessage): Peer | undefined {
  if (hello.kind === "unknown") return undefined;
  const { link, roles, from } = hello;
  const role = roles.find((each) => WANTED_ROLES[link].there.includes(each));
  return role === undefined ? undefined : { link, role, node: from };
}
