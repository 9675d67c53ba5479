// Converts messages of one kind to bytes and back. A message for many nodes is encoded once: roles pass the same object
// to each of them in a row.

import type { Metrics } from "../../base/metrics.ts";
import type { Log } from "../../base/ports.ts";
import type { UnknownMessage } from "../codec/format.ts";
import { NODE_MESSAGES, type NodeMessageClass } from "../codec/nodeMessages.ts";
import { type LinkMessage, linkMessage } from "./link.ts";

type Decoded<C extends NodeMessageClass> = Exclude<ReturnType<(typeof NODE_MESSAGES)[C]["decode"]>, UnknownMessage>;

export class NodeMessages<C extends NodeMessageClass> {
  readonly #className: C;
  readonly #metrics: Metrics;
  readonly #log: Log;
  #last: Decoded<C> | undefined;
  #encoded: LinkMessage | undefined;

  constructor(className: C, { metrics, log }: { metrics: Metrics; log: Log }) {
    this.#className = className;
    this.#metrics = metrics;
    this.#log = log;
  }

  /** The bytes to send to one more node. */
  encode(message: Decoded<C>): LinkMessage {
    const encoded = this.#last === message && this.#encoded !== undefined ? this.#encoded : this.#encode(message);
    this.#metrics.add("roster_node_messages_sent_total", 1, { message: this.#className });
    this.#metrics.add("roster_node_bytes_sent_total", encoded.bytes, { message: this.#className });
    return encoded;
  }

  /**
   * The message; undefined if it is of a later release, since such a message is dispensable. Throws
   * NODE_MESSAGE_MALFORMED.
   */
  decode(className: string, content: Uint8Array): Decoded<C> | undefined {
    if (className !== this.#className) return this.#unknown(className);
    const message = NODE_MESSAGES[this.#className].decode(content);
    if (message.kind === "unknown") return this.#unknown(message.what);
    // The table pairs each class with its own decoder.
    return message as Decoded<C>;
  }

  #encode(message: Decoded<C>): LinkMessage {
    const encode = NODE_MESSAGES[this.#className].encode as (message: Decoded<C>) => Uint8Array;
    this.#last = message;
    this.#encoded = linkMessage(this.#className, encode(message));
    return this.#encoded;
  }

  #unknown(what: string): undefined {
    this.#log.debug("a message of a later release was ignored", { what, expected: this.#className });
  }
}
