// Questions of operators on their way between nodes. A node asks through a meta node, which passes the question on to
// the node that is to answer, and the answer back. Nothing is kept at the meta node in between: an answer names the
// node that it is for. A question ends with the link that it was sent on, and one that is lost elsewhere at its time.

import type { Metrics } from "../../base/metrics.ts";
import type { Cancel, Log, Timers } from "../../base/ports.ts";
import type { NodeId } from "../../model/ids.ts";
import { ANSWER_UNITS_MAX, type OperationMessage, RELAYS_MAX } from "../messages/operation.ts";
import type { LinkMessage } from "./link.ts";
import { NodeMessages } from "./nodeMessages.ts";

/** The class of these messages, on both ends of a link. */
export const OPERATION_CLASS = "roster.Operation";

/** Sends on one link. */
export type Way = (message: LinkMessage) => void;

/** The links of this node that carry operations. */
export interface OperationWays {
  /** To the meta nodes, for a node that is none itself. */
  readonly metas: () => ReadonlyMap<NodeId, Way>;
  /** To any node, for a meta node; undefined if there is no link to it. */
  readonly to: (node: NodeId) => Way | undefined;
}

/** The node's part that answers operations. */
export interface OperationHost {
  /** Calls `reply` once, soon: with a status as of HTTP, and a body in JSON. */
  readonly answer: (asked: AskedOperation, reply: (status: number, body: string) => void) => void;
  /** The leading meta node, as a meta node knows it. */
  readonly leader: () => NodeId | undefined;
}

/** An operation by its name, with its parameters as an object in JSON. */
export interface AskedOperation {
  readonly operation: string;
  readonly parameters: string;
  /** The principal that asks, in JSON; none from a node of an earlier release. */
  readonly by?: string;
}

export type OperationOutcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "unreachable"; readonly reason: string };

/** The node that is to answer: the leading meta node, or any. */
export type OperationTarget = NodeId | "leader";

interface OpenCall {
  readonly message: OperationMessage & { readonly kind: "operationAsked" };
  readonly outcome: (outcome: OperationOutcome) => void;
  /** Meta nodes that were not tried yet. */
  readonly metas: (readonly [NodeId, Way])[];
  /** The meta node that has the question. */
  askedMeta?: NodeId;
  readonly cancel: Cancel;
}

// Operators ask a few at a time, each with an answer of megabytes perhaps; a node's watches of records ask one each.
const OPEN_MAX = 1_000;
// Each watch of records of each node without a store waits here for the next change, in the largest cluster.
const ANSWERING_MAX = 5_000;

export class OperationCalls {
  readonly #self: { readonly id: NodeId; readonly isMeta: boolean };
  readonly #ways: OperationWays;
  readonly #timers: Timers;
  readonly #words: NodeMessages<typeof OPERATION_CLASS>;
  readonly #open = new Map<number, OpenCall>();
  #host: OperationHost | undefined;
  #requests = 0;
  /** Questions of other nodes that this one has not answered yet. */
  #answering = 0;

  constructor(
    self: { readonly id: NodeId; readonly isMeta: boolean },
    ways: OperationWays,
    environment: { readonly timers: Timers; readonly metrics: Metrics; readonly log: Log },
  ) {
    this.#self = self;
    this.#ways = ways;
    this.#timers = environment.timers;
    this.#words = new NodeMessages(OPERATION_CLASS, environment);
  }

  /** Sets the part of the node that answers. Until then it answers nothing. */
  attach(host: OperationHost): void {
    this.#host = host;
  }

  /** Asks another node; `outcome` is called once, at the latest after `waitMs`, and perhaps before this returns. */
  ask(
    to: OperationTarget,
    { asked, waitMs }: { readonly asked: AskedOperation; readonly waitMs: number },
    outcome: (outcome: OperationOutcome) => void,
  ): void {
    if (this.#open.size >= OPEN_MAX) return outcome({ kind: "unreachable", reason: "too many questions are open" });
    const request = ++this.#requests;
    const message = {
      kind: "operationAsked",
      request,
      from: this.#self.id,
      ...(to !== "leader" && { to }),
      relaysLeft: RELAYS_MAX,
      ...asked,
    } as const;
    const cancel = this.#timers.after(waitMs, () =>
      this.#end(request, { kind: "unreachable", reason: `no answer came within ${waitMs} ms` }),
    );
    // One that can't reach the answerer is no reason to give up while there are others.
    const metas = this.#self.isMeta ? [] : nearestFirst(this.#ways.metas(), to);
    this.#open.set(request, { message, outcome, metas, cancel });
    if (this.#self.isMeta) this.#pass(message, (refusal) => this.#received(refusal, undefined));
    else this.#tryNext(request, "no meta node can be reached");
  }

  /**
   * Takes a message of a link. Returns false for one of another class. Throws NODE_MESSAGE_MALFORMED.
   */
  received(className: string, content: Uint8Array, back: Way): boolean {
    if (className !== OPERATION_CLASS) return false;
    const message = this.#words.decode(className, content);
    if (message !== undefined) this.#received(message, back);
    return true;
  }

  /** The link to a meta node has ended. It may have answered questions that it had; no other node is asked those. */
  lost(meta: NodeId): void {
    for (const [request, { askedMeta }] of [...this.#open]) {
      if (askedMeta === meta) this.#end(request, { kind: "unreachable", reason: `the link to ${meta} has ended` });
    }
  }

  /** Ends all open questions. */
  close(): void {
    for (const request of [...this.#open.keys()]) {
      this.#end(request, { kind: "unreachable", reason: "this node stops" });
    }
  }

  #received(message: OperationMessage, back: Way | undefined): void {
    if (message.kind === "operationAsked") {
      return this.#pass(message, (answer) => back?.(this.#words.encode(answer)));
    }
    const { request, to } = message;
    if (to !== this.#self.id) {
      // Only meta nodes have links to others.
      if (this.#self.isMeta) this.#ways.to(to)?.(this.#words.encode(message));
    } else if (message.kind === "operationUnreachable") this.#tryNext(request, message.reason);
    else this.#end(request, { kind: "answered", status: message.status, body: message.body });
  }

  /** Answers a question here, or passes it on. */
  #pass(
    message: OperationMessage & { readonly kind: "operationAsked" },
    answer: (answer: OperationMessage) => void,
  ): void {
    const { id, isMeta } = this.#self;
    const { request, from, relaysLeft } = message;
    const refuse = (reason: string) => answer({ kind: "operationUnreachable", request, to: from, reason });
    const target = message.to ?? (isMeta ? this.#host?.leader() : undefined);
    if (target === id) return this.#answer(message, answer);
    if (target === undefined) return refuse("no meta node leads at the moment");
    const way = isMeta && relaysLeft > 0 ? this.#ways.to(target) : undefined;
    if (way === undefined) return refuse(`the meta node ${id} has no link to ${target}`);
    way(this.#words.encode({ ...message, relaysLeft: relaysLeft - 1 }));
  }

  #answer(
    { request, from: to, operation, parameters, by }: OperationMessage & { readonly kind: "operationAsked" },
    answer: (answer: OperationMessage) => void,
  ): void {
    const refuse = (reason: string) => answer({ kind: "operationUnreachable", request, to, reason });
    if (this.#host === undefined) return refuse(`${this.#self.id} has just started`);
    if (this.#answering >= ANSWERING_MAX) return refuse(`${this.#self.id} has too many questions to answer`);
    this.#answering++;
    this.#host.answer({ operation, parameters, ...(by !== undefined && { by }) }, (status, body) => {
      this.#answering--;
      if (body.length > ANSWER_UNITS_MAX) return refuse("the answer is too long to be passed on; ask that node itself");
      answer({ kind: "operationAnswered", request, to, status, body });
    });
  }

  #tryNext(request: number, reason: string): void {
    const open = this.#open.get(request);
    const next = open?.metas.shift();
    if (open === undefined || next === undefined) return this.#end(request, { kind: "unreachable", reason });
    const [meta, way] = next;
    open.askedMeta = meta;
    way(this.#words.encode(open.message));
  }

  #end(request: number, outcome: OperationOutcome): void {
    const open = this.#open.get(request);
    this.#open.delete(request);
    open?.cancel();
    open?.outcome(outcome);
  }
}

/** The node that is to answer comes first, if it is one of them. */
function nearestFirst(metas: ReadonlyMap<NodeId, Way>, to: OperationTarget): (readonly [NodeId, Way])[] {
  return [...metas].sort(([a], [b]) => Number(b === to) - Number(a === to));
}
