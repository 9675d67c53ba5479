// A link as another node of the cluster makes it, with whatever it says on it.

import type { Socket } from "node:net";
import { NODE_CODEC } from "../../../src/cluster/codec/format.ts";
import { decodeHelloAnswer, encodeHello } from "../../../src/cluster/codec/hello.ts";
import type { NodeMessageClass } from "../../../src/cluster/codec/nodeMessages.ts";
import type { Hello } from "../../../src/cluster/messages/hello.ts";
import { PROTOCOL_VERSION, PROTOCOL_VERSION_MIN } from "../../../src/cluster/messages/hello.ts";
import { BoltDecoder } from "../../../src/encoding/bolt/decoder.ts";
import { encodeRequest } from "../../../src/encoding/bolt/encode.ts";
import type { BoltDialect } from "../../../src/encoding/bolt/frame.ts";
import { nodeId } from "../../../src/model/ids.ts";
import { SLOT_COUNT } from "../../../src/model/slot.ts";
import type { Attacker } from "./attacker.ts";

// As the nodes speak among themselves.
const DIALECT: BoltDialect = { protocol: 2, version: 1, crc: false };
const FRAME_BYTES_MAX = 64 * 1024 * 1024;
const ANSWER_MS_MAX = 3_000;

export interface Greeting extends Pick<Hello, "roles" | "link"> {
  readonly from: string;
}

export class NodeLink {
  readonly #socket: Socket;
  isClosed = false;
  isAccepted = false;
  /** Classes of the messages that came. */
  readonly heard: string[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const decoder = new BoltDecoder({ frameBytesMax: FRAME_BYTES_MAX });
    socket.on("data", (chunk) => {
      decoder.push(chunk, (frame) => {
        if (frame.kind === "response" && frame.command !== "heartbeat") this.#answered(frame.content);
        else if (frame.kind === "oneway") this.heard.push(frame.className);
      });
    });
    socket.once("close", () => {
      this.isClosed = true;
    });
  }

  /** Dials and greets; undefined if no connection can be made. */
  static async open(attacker: Attacker, { from, roles, link }: Greeting): Promise<NodeLink | undefined> {
    const socket = await attacker.dial(attacker.target.nodePort);
    if (socket === undefined) return undefined;
    const made = new NodeLink(socket);
    const content = encodeHello({
      kind: "hello",
      protocolVersion: PROTOCOL_VERSION,
      minProtocolVersion: PROTOCOL_VERSION_MIN,
      clusterName: "default",
      slotCount: SLOT_COUNT,
      from: nodeId(from),
      roles,
      link,
      address: "127.0.0.1:9",
    });
    socket.write(
      encodeRequest(DIALECT, { id: 1, codec: NODE_CODEC, timeoutMs: 5_000, className: "roster.Hello", content }),
    );
    const endMs = performance.now() + ANSWER_MS_MAX;
    await attacker.until(() => made.isAccepted || made.isClosed || performance.now() > endMs);
    return made;
  }

  say(className: NodeMessageClass, content: Uint8Array): void {
    const head = { kind: "oneway", id: 0, codec: NODE_CODEC, timeoutMs: -1 } as const;
    if (!this.#socket.destroyed) this.#socket.write(encodeRequest(DIALECT, { ...head, className, content }));
  }

  close(): void {
    this.#socket.destroy();
  }

  #answered(content: Uint8Array): void {
    const answer = decodeHelloAnswer(content);
    this.isAccepted = answer.kind === "helloAnswer" && answer.accepted;
  }
}
