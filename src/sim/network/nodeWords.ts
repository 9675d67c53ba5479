// Messages between nodes, as bytes: a message that leaves a process is written by the server's codec and read again
// where it arrives. So no two processes ever share an object, and a loss in the codec is a loss here too.

import { assert } from "../../base/assert.ts";
import type { UnknownMessage } from "../../cluster/codec/format.ts";
import { NODE_MESSAGES, type NodeMessageClass } from "../../cluster/codec/nodeMessages.ts";

type Said<C extends NodeMessageClass> = Exclude<ReturnType<(typeof NODE_MESSAGES)[C]["decode"]>, UnknownMessage>;

/** The transfer of messages of one kind. */
export interface Words<Message> {
  /** Returns the receiver's part, which yields the message. */
  send(message: Message): () => Message;
}

/** As between roles of one process: by reference. */
export const BY_REFERENCE: Words<unknown> = { send: (message) => () => message };

/** As bytes. Roles pass one object to many peers in a row: it is written once. */
export function asBytes<C extends NodeMessageClass>(className: C): Words<Said<C>> {
  const encode = NODE_MESSAGES[className].encode as (message: Said<C>) => Uint8Array;
  const decode = NODE_MESSAGES[className].decode as (content: Uint8Array) => Said<C> | UnknownMessage;
  let last: Said<C> | undefined;
  let bytes: Uint8Array = new Uint8Array();
  return {
    send(message) {
      if (message !== last) bytes = encode(message);
      last = message;
      const sent = bytes;
      return () => {
        const read = decode(sent);
        assert(read.kind !== "unknown", "all nodes of a world are of one release");
        return read as Said<C>;
      };
    },
  };
}
