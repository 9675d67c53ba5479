// A connection of SOFARegistry's protocol that a driver has hundreds or ten thousand of: it answers heartbeats, sends
// its own when it was silent, and hands on everything else.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { encodeHeartbeat, encodeHeartbeatAck } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import { type Address, connect } from "../sockets.ts";
import { BoltReader, type OnFrame } from "./boltReader.ts";

export interface BoltConnectionOptions {
  readonly address: Address;
  /** Responses and pushes, never heartbeats. The frame is only valid during the call. */
  readonly onFrame: OnFrame;
  readonly onClose?: (() => void) | undefined;
  /** Frames bring all their bytes. */
  readonly keepsWhole?: boolean;
}

export class BoltConnection {
  readonly #socket: Socket;
  #wroteAtMs = performance.now();

  static async open({ address, onFrame, onClose, keepsWhole = false }: BoltConnectionOptions): Promise<BoltConnection> {
    let connection: BoltConnection | undefined;
    const reader = new BoltReader(
      (frame) => {
        if (!frame.isHeartbeat) return onFrame(frame);
        if (!frame.isResponse) connection?.write(encodeHeartbeatAck(BOLT_V1, frame.id, BOLT_CODEC.HESSIAN));
      },
      { keepsWhole },
    );
    const closed = () => {
      if (connection !== undefined) open.delete(connection);
      onClose?.();
    };
    const onRead = (chunk: Buffer) => {
      reader.read(chunk);
      return true;
    };
    connection = new BoltConnection(await connect(address, { onRead, onClose: closed }));
    open.add(connection);
    return connection;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Bytes that wait until the server reads. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  write(bytes: Uint8Array): void {
    this.#wroteAtMs = performance.now();
    this.#socket.write(bytes);
  }

  onceDrained(then: () => void): void {
    this.#socket.once("drain", then);
  }

  close(): void {
    open.delete(this);
    this.#socket.destroy();
  }

  beatIfSilent(now: number): void {
    if (now - this.#wroteAtMs > SILENT_MS) this.write(HEARTBEAT);
  }
}

const SILENT_MS = 10_000;
// A registration's request ids count up from 1; nothing waits for the answers to these.
const HEARTBEAT = Buffer.from(encodeHeartbeat(BOLT_V1, 0x7fff_0000, BOLT_CODEC.HESSIAN));
const open = new Set<BoltConnection>();

/**
 * One clock for the heartbeats of all connections, each at the time that its own silence gives it: ten thousand at once
 * would fall into a measurement.
 */
setInterval(() => {
  const now = performance.now();
  for (const connection of open) connection.beatIfSilent(now);
}, 500).unref();
