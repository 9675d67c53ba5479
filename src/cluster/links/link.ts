// One connection between two nodes, seen from either end. It begins with a greeting: the dialling side sends its
// identity and its purpose (a Bolt request), and the other one welcomes or refuses it (the response, by its status), or
// first asks for a proof that it belongs to the cluster (a response of another class, and a second request).
// Then messages go both ways as one-way requests, in order, and are lost only with the connection. The dialling side
// sends a Bolt heartbeat when it has read or written nothing for a second. So each side hears something all the time,
// and closes a silent connection, whose peer is frozen or whose network is gone without notice.
//
// This file knows no sockets: it is given a `Connection`, and is woken like a role.

import { RegistryError } from "../../base/errors.ts";
import type { Connection, ConnectionHandler } from "../../base/ports.ts";
import { type SteppedRole, Stepper, type StepperEnvironment } from "../../base/stepper.ts";
import { BoltDecoder } from "../../encoding/bolt/decoder.ts";
import {
  encodeHeartbeat,
  encodeHeartbeatAck,
  encodeRequest,
  encodeRequestHead,
  encodeResponse,
} from "../../encoding/bolt/encode.ts";
import { BOLT_STATUS, type BoltDialect, type BoltFrame } from "../../encoding/bolt/frame.ts";
import { NODE_CODEC } from "../codec/format.ts";
import type { NodeMessageClass } from "../codec/nodeMessages.ts";

export interface LinkTimes {
  /** After this time without reading or without writing, the dialling side sends a heartbeat. */
  readonly heartbeatMs: number;
  /** A peer from which nothing was read for this long is gone. */
  readonly silenceMs: number;
  /** A link on which both sides have not greeted by then is closed. */
  readonly greetingMs: number;
}

// Four heartbeats may be lost or late before a peer counts as gone. A shorter time would let a garbage collection on a
// large heap cut links; a longer one would let a frozen data node keep its sessions waiting. A greeting is a node's
// first message, and is answered at once.
export const LINK_TIMES: LinkTimes = { heartbeatMs: 1_000, silenceMs: 5_000, greetingMs: 5_000 };

/**
 * The longest message on a link. The largest that we know is the list of one service: 10,000 instances of 1 KiB are 10
 * MiB, and a list of 256 MiB could not be pushed to any client either.
 */
export const LINK_FRAME_BYTES_MAX = 256 * 1024 * 1024;

/**
 * The most bytes that wait for a peer that takes nothing. Beyond it the link is closed after a moment: on the next link
 * both sides compare their state, which costs less than the waiting bytes.
 */
export const LINK_UNSENT_BYTES_MAX = 64 * 1024 * 1024;

// A frozen process shows by its silence; this finds a peer that sends and does not read.
const UNTAKEN_TICKS_MAX = 2;

/**
 * The most bytes that wait for a peer that takes them as fast as it can. When a data node begins to serve, it sends all
 * lists that a session has subscribers for, in one go: a million publications of 300 bytes. Closing the link then would
 * only bring the same again.
 */
export const LINK_BACKLOG_BYTES_MAX = 1024 * 1024 * 1024;

// Until a peer has identified itself, it has no right to more of our memory: names and a version are below 1 KiB.
export const GREETING_BYTES_MAX = 8 * 1024;

// Protocol 2 without a sum: TCP has one, and 256 MiB/s of CRC in JavaScript would be the most expensive part of a link.
const DIALECT: BoltDialect = { protocol: 2, version: 1, crc: false };
const GREETING_CLASS: NodeMessageClass = "roster.Hello";
const ANSWER_CLASS: NodeMessageClass = "roster.HelloAnswer";
const CHALLENGE_CLASS: NodeMessageClass = "roster.HelloChallenge";
const PROOF_CLASS: NodeMessageClass = "roster.HelloProof";
const GREETING_ID = 1;
const PROOF_ID = 2;

/** A message with its frame, made once even if it goes to many peers. */
export interface LinkMessage {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
}

export function linkMessage(className: NodeMessageClass, content: Uint8Array): LinkMessage {
  const head = encodeRequestHead(DIALECT, {
    kind: "oneway",
    id: 0,
    codec: NODE_CODEC,
    timeoutMs: -1,
    className,
    contentLength: content.length,
  });
  return { parts: [head, content], bytes: head.length + content.length };
}

/** The accepting side's answer to a greeting. */
export interface GreetingAnswer {
  readonly isWelcome: boolean;
  readonly content: Uint8Array;
}

/** The accepting side wants a proof before it answers. */
export interface GreetingChallenge {
  readonly challenge: Uint8Array;
}

/** The end of the connection. Errors thrown by these functions close the link. */
export type LinkSide =
  | {
      readonly kind: "dial";
      readonly greeting: Uint8Array;
      /** The proof that answers a challenge, or the reason why the link is of no use. */
      readonly challenged: (challenge: Uint8Array) => { readonly proof: Uint8Array } | { readonly refusal: string };
      /** The reason why the link is of no use; undefined if it is. */
      readonly answered: (answer: GreetingAnswer) => string | undefined;
    }
  | {
      readonly kind: "accept";
      readonly greeted: (greeting: Uint8Array) => GreetingAnswer | GreetingChallenge;
      /** Called at most once, after a challenge. */
      readonly proved: (proof: Uint8Array) => GreetingAnswer;
    };

// Reasons for an end that are distinguished.
export const CLOSED_BY_PEER = "the connection was closed";
export const REFUSED = "refused";
export const NO_GREETING = "no greeting";

/** The events for the owner of a link. Nothing comes after `down`, which comes once, even if the link was never up. */
export interface LinkEvents {
  /** Both sides have greeted; messages may be sent. */
  up(link: Link): void;
  /** A RegistryError thrown here, such as a decoder's, closes the link. */
  received(className: string, content: Uint8Array): void;
  down(reason: string): void;
}

export interface LinkEnvironment extends StepperEnvironment {
  readonly times: LinkTimes;
  /** A message of this size is longer than any peer would read, and was not sent. */
  readonly dropped: (bytes: number) => void;
  readonly nowMs: number;
}

/** `proving` is between a challenge and the answer. */
type LinkState = "greeting" | "proving" | "up" | "closed";

type Woken = { readonly kind: "woken" };

export class Link implements ConnectionHandler, SteppedRole<Woken> {
  readonly #connection: Connection;
  readonly #side: LinkSide;
  readonly #events: LinkEvents;
  readonly #environment: LinkEnvironment;
  #decoder: BoltDecoder;
  #state: LinkState = "greeting";
  readonly #openedMs: number;
  #readMs: number;
  #bytesWritten = 0;
  #bytesAtTick = 0;
  #takenAtTick = 0;
  #untakenTicks = 0;
  #heartbeats = 0;
  readonly #stepper: Stepper<Woken>;
  #nextTickMs: number;
  #hasResumed = false;

  constructor(connection: Connection, side: LinkSide, events: LinkEvents, environment: LinkEnvironment) {
    this.#connection = connection;
    this.#side = side;
    this.#events = events;
    this.#environment = environment;
    this.#openedMs = environment.nowMs;
    this.#readMs = environment.nowMs;
    this.#decoder = new BoltDecoder({ frameBytesMax: GREETING_BYTES_MAX });
    this.#nextTickMs = environment.nowMs + environment.times.heartbeatMs;
    this.#stepper = new Stepper<Woken>(this, environment);
    this.#stepper.step({ kind: "woken" }, environment.nowMs);
    if (side.kind === "dial") this.#write([greetingFrame(side.greeting)]);
  }

  /** `ip:port` of the peer. */
  get remoteAddress(): string {
    return this.#connection.remoteAddress;
  }

  /** Bytes that the network has not taken yet. */
  get waitingBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** Sends a message; nothing happens if the link is not up. */
  send(message: LinkMessage): void {
    if (this.#state !== "up") return;
    // Closing the link would not help: the same message would come again with the next one, for ever.
    if (message.bytes > LINK_FRAME_BYTES_MAX) return this.#environment.dropped(message.bytes);
    const waiting = this.#connection.bufferedBytes;
    if (waiting > LINK_BACKLOG_BYTES_MAX) return this.close(`the peer is too slow: ${waiting} bytes wait for it`);
    this.#write(message.parts);
  }

  /** Ends the link from this side. May be called twice. */
  close(reason: string): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#stepper.close();
    this.#connection.close();
    this.#decoder.release();
    this.#events.down(reason);
  }

  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#state === "closed") return;
    this.#readMs = nowMs;
    const decoder = this.#decoder;
    try {
      decoder.push(chunk, (frame) => this.#frame(frame));
      if (decoder !== this.#decoder && decoder.hasPartialFrame) this.close("the peer did not wait for our answer");
    } catch (error) {
      if (!(error instanceof RegistryError)) this.#environment.failed(error);
      this.close(error instanceof Error ? error.message : String(error));
    }
  }

  drained(): void {
    // Nothing waits for this: excess output closes the link.
  }

  closed(): void {
    this.close(CLOSED_BY_PEER);
  }

  step(_event: Woken, nowMs: number): void {
    if (nowMs < this.#nextTickMs) return;
    this.#nextTickMs = nowMs + this.#environment.times.heartbeatMs;
    this.#tick(nowMs);
  }

  nextWakeMs(): number {
    return this.#nextTickMs;
  }

  /**
   * Input from the time of the stop may still be unread: the next tick judges the peer. A shorter delay is that of a
   * busy process, which would otherwise judge no peer.
   */
  resumed(lateMs: number): void {
    this.#hasResumed = lateMs > this.#environment.times.heartbeatMs;
  }

  #frame(frame: BoltFrame): void {
    if (this.#state === "closed") return;
    if (frame.command === "heartbeat") {
      if (frame.kind === "request") this.#write([encodeHeartbeatAck(DIALECT, frame.id, NODE_CODEC)]);
    } else if (this.#state === "up" && frame.kind === "oneway") {
      this.#events.received(frame.className, frame.content);
    } else if (this.#side.kind === "accept" && frame.kind === "request" && frame.className === GREETING_CLASS) {
      this.#greeted(this.#side, frame.content);
    } else if (this.#side.kind === "accept" && this.#state === "proving" && isProof(frame)) {
      this.#answer(this.#side.proved(frame.content), PROOF_ID);
    } else if (this.#side.kind === "dial" && this.#state === "greeting" && isChallenge(frame)) {
      this.#challenged(this.#side, frame.content);
    } else if (this.#side.kind === "dial" && this.#state !== "up" && frame.kind === "response") {
      this.#answered(this.#side, { isWelcome: frame.status === BOLT_STATUS.SUCCESS, content: frame.content });
    } else {
      this.close(`a ${frame.kind} that does not belong here: the peer is no node of a cluster, or of another release`);
    }
  }

  #greeted(side: LinkSide & { kind: "accept" }, content: Uint8Array): void {
    if (this.#state !== "greeting") return this.close("the peer greets twice");
    const answer = side.greeted(content);
    if ("content" in answer) return this.#answer(answer, GREETING_ID);
    this.#state = "proving";
    const head = { id: GREETING_ID, codec: NODE_CODEC, status: BOLT_STATUS.SUCCESS, className: CHALLENGE_CLASS };
    this.#write([encodeResponse(DIALECT, { ...head, content: answer.challenge })]);
  }

  #answer(answer: GreetingAnswer, id: number): void {
    const status = answer.isWelcome ? BOLT_STATUS.SUCCESS : BOLT_STATUS.ERROR;
    const head = { id, codec: NODE_CODEC, status, className: ANSWER_CLASS, content: answer.content };
    this.#write([encodeResponse(DIALECT, head)]);
    if (!answer.isWelcome) return this.close(REFUSED);
    // The dialling side sends nothing more before it is welcomed, so the dropped decoder holds no part of a frame.
    this.#decoder = new BoltDecoder({ frameBytesMax: LINK_FRAME_BYTES_MAX });
    this.#up();
  }

  #challenged(side: LinkSide & { kind: "dial" }, challenge: Uint8Array): void {
    const answer = side.challenged(challenge);
    if ("refusal" in answer) return this.close(answer.refusal);
    this.#state = "proving";
    const head = { id: PROOF_ID, codec: NODE_CODEC, timeoutMs: LINK_TIMES.silenceMs, className: PROOF_CLASS };
    this.#write([encodeRequest(DIALECT, { ...head, content: answer.proof })]);
  }

  #answered(side: LinkSide & { kind: "dial" }, answer: GreetingAnswer): void {
    const refusal = side.answered(answer);
    if (refusal !== undefined) return this.close(refusal);
    // Its first messages may be in the same chunk.
    this.#decoder.raiseLimit(LINK_FRAME_BYTES_MAX);
    this.#up();
  }

  #up(): void {
    this.#state = "up";
    this.#events.up(this);
  }

  #write(parts: readonly Uint8Array[]): void {
    for (const part of parts) this.#bytesWritten += part.length;
    this.#connection.write(...parts);
  }

  #tick(nowMs: number): void {
    const { heartbeatMs, silenceMs, greetingMs } = this.#environment.times;
    const isJudging = !this.#hasResumed;
    this.#hasResumed = false;
    const silentMs = nowMs - this.#readMs;
    if (silentMs >= silenceMs && isJudging) return this.close(`nothing was read for ${silentMs} ms`);
    const openMs = nowMs - this.#openedMs;
    if (this.#state !== "up" && openMs >= greetingMs && isJudging) {
      return this.close(`${NO_GREETING} within ${openMs} ms`);
    }
    if (this.#isUntaken()) return this.close(`the peer does not read: ${this.#connection.bufferedBytes} bytes wait`);
    if (this.#side.kind === "dial" && (this.#bytesWritten === this.#bytesAtTick || silentMs >= heartbeatMs)) {
      this.#write([encodeHeartbeat(DIALECT, ++this.#heartbeats, NODE_CODEC)]);
    }
    this.#bytesAtTick = this.#bytesWritten;
  }

  /** Whether too much waits for the peer, which has taken none of it for several ticks. */
  #isUntaken(): boolean {
    const waiting = this.#connection.bufferedBytes;
    const taken = this.#bytesWritten - waiting;
    this.#untakenTicks = waiting > LINK_UNSENT_BYTES_MAX && taken === this.#takenAtTick ? this.#untakenTicks + 1 : 0;
    this.#takenAtTick = taken;
    return this.#untakenTicks >= UNTAKEN_TICKS_MAX;
  }
}

function isProof({ kind, className }: BoltFrame): boolean {
  return kind === "request" && className === PROOF_CLASS;
}

function isChallenge({ kind, className }: BoltFrame): boolean {
  return kind === "response" && className === CHALLENGE_CLASS;
}

function greetingFrame(content: Uint8Array): Uint8Array {
  const head = { id: GREETING_ID, codec: NODE_CODEC, timeoutMs: LINK_TIMES.silenceMs, className: GREETING_CLASS };
  return encodeRequest(DIALECT, { ...head, content });
}
