// One of the attacker's connections: it sends as fast as the server reads, reads all that comes, and counts what it
// is answered.

import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { connect } from "../../../bench/protocols/sockets.ts";
import { answerFrame } from "../../../bench/protocols/sofa/answers.ts";
import { BoltReader, type SeenFrame } from "../../../bench/protocols/sofa/boltReader.ts";
import { encodeHeartbeatAck } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import { decodeMessage, wireForm } from "../../../src/protocols/sofa/codec/codec.ts";
import type { Tally } from "./tally.ts";

export interface AttackConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
  /** How pushes are answered; at once if nothing is said. */
  readonly onPush?: (push: SeenFrame, connection: AttackConnection) => void;
  /** Where reads go; a small one makes for small reads. */
  readonly buffer?: Buffer;
  /** Nothing more is read when this gives false, until `resume`. */
  readonly onBytes?: (bytes: number, connection: AttackConnection) => boolean;
}

const RESPONSE_HEAD_BYTES = 20;

export class AttackConnection {
  readonly #tally: Tally;
  readonly #options: AttackConnectionOptions;
  readonly #reader: BoltReader;
  // Answers of these lengths have been decoded and say success.
  readonly #successBytes = new Set<number>();
  #socket: Socket | undefined;
  /** Answers to requests so far. */
  answers = 0;
  pushes = 0;
  bytesRead = 0;
  isClosed = false;

  private constructor(options: AttackConnectionOptions, tally: Tally) {
    this.#options = options;
    this.#tally = tally;
    this.#reader = new BoltReader((frame) => this.#frame(frame));
  }

  /** Rejects if no connection can be made. */
  static async open(options: AttackConnectionOptions, tally: Tally): Promise<AttackConnection> {
    const connection = new AttackConnection(options, tally);
    const { host, port, localAddress, buffer } = options;
    const address = { host, port, ...(localAddress !== undefined && { localAddress }) };
    connection.#socket = await connect(address, {
      onRead: (chunk) => connection.#read(chunk),
      onClose: () => connection.#closed(),
      ...(buffer !== undefined && { buffer }),
    });
    return connection;
  }

  /** Sends, and waits while the server does not read. Resolves also when the connection is closed. */
  async send(bytes: Uint8Array): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return;
    this.#tally.bytesSent += bytes.length;
    if (socket.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        socket.off("drain", done).off("close", done);
        resolve();
      };
      socket.on("drain", done).on("close", done);
    });
  }

  resume(): void {
    this.#socket?.resume();
  }

  close(): void {
    this.isClosed = true;
    this.#socket?.destroy();
  }

  #read(chunk: Buffer): boolean {
    this.bytesRead += chunk.length;
    const goesOn = this.#options.onBytes?.(chunk.length, this) ?? true;
    try {
      this.#reader.read(chunk);
    } catch {
      // The answer to garbage need not be Bolt; it is not read here.
      this.#tally.note("answers that are no Bolt frame");
    }
    return goesOn;
  }

  #frame(frame: SeenFrame): void {
    if (frame.isHeartbeat) {
      const ack = encodeHeartbeatAck(BOLT_V1, frame.id, BOLT_CODEC.HESSIAN);
      if (!frame.isResponse) this.#socket?.write(ack);
    } else if (frame.isResponse) {
      this.answers++;
      this.#tally.answered(this.#outcomeOf(frame));
    } else {
      this.pushes++;
      this.#tally.pushes++;
      const { onPush } = this.#options;
      if (onPush === undefined) this.answerPush(frame.id);
      else onPush(frame, this);
    }
  }

  /** Confirms a push. */
  answerPush(id: number): void {
    this.#socket?.write(answerFrame("hessian-draft", id));
  }

  #outcomeOf(frame: SeenFrame): string {
    // An exception says its code somewhere in its text.
    const text = frame.status === 0 ? "" : frame.first.toString("latin1", 0, frame.bytes);
    if (frame.status !== 0) return /[A-Z]{3,}(_[A-Z]{3,})+/.exec(text)?.[0] ?? `Bolt status ${frame.status}`;
    if (this.#successBytes.has(frame.bytes)) return "success";
    const classBytes = frame.first.readUInt16BE(RESPONSE_HEAD_BYTES - 8);
    const contentAt = RESPONSE_HEAD_BYTES + classBytes;
    const className = frame.first.toString("latin1", RESPONSE_HEAD_BYTES, contentAt);
    const content = frame.first.subarray(contentAt, frame.bytes);
    const form = wireForm({ codec: frame.first[9] ?? 0, className, content });
    const message = decodeMessage(form, className, content);
    if (message.kind !== "registerResponse") return message.kind;
    if (!message.success) return message.message ?? "refused without a word";
    this.#successBytes.add(frame.bytes);
    return "success";
  }

  #closed(): void {
    if (!this.isClosed) this.#tally.closed++;
    this.isClosed = true;
  }
}
