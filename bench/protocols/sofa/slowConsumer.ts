// A subscriber that reads next to nothing, or nothing at all.

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeHeartbeat } from "../../../src/encoding/bolt/encode.ts";
import { BOLT_CODEC, BOLT_V1 } from "../../../src/encoding/bolt/frame.ts";
import { type Service, serviceText } from "../../instances.ts";
import { nowMs } from "../clock.ts";
import { type Address, connect } from "../sockets.ts";
import { BoltReader, type SeenFrame } from "./boltReader.ts";
import { subscriberFrame } from "./registerFrames.ts";

export interface SlowConsumerOptions {
  readonly address: Address;
  readonly service: Service;
  /** How many bytes it takes at once and how often; undefined if it has stopped and sends nothing either. */
  readonly reads: { readonly bytes: number; readonly everyMs: number } | undefined;
  readonly registId: string;
}

const HEARTBEAT_MS = 10_000;
const QUIET_MS = 3_000;
const QUIET_MS_MAX = 60_000;

export class SlowConsumer {
  readonly #reads: SlowConsumerOptions["reads"];
  #socket: Socket | undefined;
  #isSlow = true;
  #newestMs = 0;
  #lists = 0;
  #fingerprint = 0;
  #isClosed = false;
  #bytes = 0;

  private constructor(reads: SlowConsumerOptions["reads"]) {
    this.#reads = reads;
  }

  static async open({ address, service, reads, registId }: SlowConsumerOptions): Promise<SlowConsumer> {
    const consumer = new SlowConsumer(reads);
    const reader = new BoltReader((frame) => consumer.#take(frame));
    const socket = await connect(address, {
      buffer: Buffer.allocUnsafe(reads?.bytes ?? 1),
      onRead: (chunk) => {
        reader.read(chunk);
        return consumer.#read(chunk.length);
      },
      onClose: () => {
        consumer.#isClosed = true;
      },
    });
    consumer.#socket = socket;
    const dataId = serviceText(service);
    socket.write(subscriberFrame({ id: 1, form: "hessian-draft", acceptEncoding: null, dataId, registId }));
    if (reads !== undefined) consumer.#beat(socket);
    return consumer;
  }

  /** The bytes read so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Reads all that there is, as fast as it comes, until nothing more comes. Says how it ended. */
  async catchUp(): Promise<{ isClosed: boolean; lists: number; fingerprint: number }> {
    const endMs = nowMs() + QUIET_MS_MAX;
    this.#isSlow = false;
    this.#newestMs = nowMs();
    this.#socket?.resume();
    while (!this.#isClosed && nowMs() - this.#newestMs < QUIET_MS && nowMs() < endMs) await sleep(QUIET_MS / 10);
    const found = { isClosed: this.#isClosed, lists: this.#lists, fingerprint: this.#fingerprint };
    this.#socket?.destroy();
    return found;
  }

  /** Returns whether to go on reading. */
  #read(bytes: number): boolean {
    this.#bytes += bytes;
    this.#newestMs = nowMs();
    if (!this.#isSlow) return true;
    if (this.#reads !== undefined) setTimeout(() => this.#socket?.resume(), this.#reads.everyMs).unref();
    return false;
  }

  #take(frame: SeenFrame): void {
    if (frame.isResponse || frame.isHeartbeat) return;
    this.#lists++;
    this.#fingerprint = frame.fingerprint();
  }

  #beat(socket: Socket): void {
    const beats = setInterval(
      () => socket.write(encodeHeartbeat(BOLT_V1, 2, BOLT_CODEC.HESSIAN)),
      HEARTBEAT_MS,
    ).unref();
    socket.once("close", () => clearInterval(beats));
  }
}
