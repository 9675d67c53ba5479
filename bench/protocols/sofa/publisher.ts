// A publisher that can ask for more than a server takes: frames are written from templates, many into one buffer, and
// of each answer only what tells success is looked at.

import { Buffer } from "node:buffer";
import { decodeMessage } from "../../../src/protocols/sofa/codec/codec.ts";
import type { Instance } from "../../instances.ts";
import type { Publisher, PublisherOptions } from "../protocol.ts";
import type { SeenFrame } from "./boltReader.ts";
import { BoltConnection } from "./connection.ts";
import { REGISTER, UNREGISTER } from "./registerFrames.ts";

interface Request {
  readonly isRegister: boolean;
  readonly instance: Instance;
  readonly version: number;
}

const BATCH_BYTES = 64 * 1024;
const BATCH_MAX = Math.floor(BATCH_BYTES / REGISTER.bytes);
// The Java client's.
const RETRY_MS = 500;
const RESPONSE_HEAD_BYTES = 20;

export class SofaPublisher implements Publisher {
  readonly #window: number;
  #connection: BoltConnection | undefined;
  // From `#next` on they wait to be sent; what is before was.
  #queue: Request[] = [];
  #next = 0;
  readonly #unanswered = new Map<number, Request>();
  #nextId = 1;
  #retrying = 0;
  #settle: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  // Answers of these lengths have been decoded and say success.
  readonly #successBytes = new Set<number>();
  retries = 0;

  private constructor(window: number) {
    this.#window = window;
  }

  static async open({ address, window }: PublisherOptions): Promise<SofaPublisher> {
    const publisher = new SofaPublisher(window);
    publisher.#connection = await BoltConnection.open({
      address,
      onFrame: (frame) => publisher.#answered(frame),
      onClose: () => publisher.#closed(),
    });
    return publisher;
  }

  // Each revision is a version of one registration, and its end is the version after.
  register(instance: Instance): void {
    this.#ask({ isRegister: true, instance, version: instance.revision * 2 + 1 });
  }

  deregister(instance: Instance): void {
    this.#ask({ isRegister: false, instance, version: instance.revision * 2 + 2 });
  }

  async settled(): Promise<void> {
    if (this.#isClosed) throw new Error("the server closed a publisher's connection");
    if (this.#isSettled()) return;
    this.#settle ??= Promise.withResolvers<void>();
    await this.#settle.promise;
  }

  close(): void {
    this.#isClosed = true;
    this.#connection?.close();
  }

  #isSettled(): boolean {
    return this.#next === this.#queue.length && this.#unanswered.size === 0 && this.#retrying === 0;
  }

  #ask(request: Request): void {
    this.#queue.push(request);
    this.#pump();
  }

  #pump(): void {
    while (this.#next < this.#queue.length && this.#unanswered.size < this.#window) {
      const room = this.#window - this.#unanswered.size;
      const count = Math.min(this.#queue.length - this.#next, room, BATCH_MAX);
      const batch = Buffer.allocUnsafe(count * REGISTER.bytes);
      let length = 0;
      for (let at = 0; at < count; at++) length += this.#write(batch, length, this.#queue[this.#next++] as Request);
      this.#connection?.write(batch.subarray(0, length));
    }
    if (this.#next === this.#queue.length) {
      this.#queue = [];
      this.#next = 0;
    }
  }

  #write(batch: Buffer, at: number, request: Request): number {
    const id = this.#nextId++;
    const frames = request.isRegister ? REGISTER : UNREGISTER;
    frames.write(batch, at, { id, instance: request.instance, version: request.version });
    this.#unanswered.set(id, request);
    return frames.bytes;
  }

  #answered(frame: SeenFrame): void {
    const request = this.#unanswered.get(frame.id);
    if (!frame.isResponse || request === undefined) return;
    this.#unanswered.delete(frame.id);
    if (!this.#isSuccess(frame)) this.#retry(request);
    // Sending single requests into a full window would be a system call for each.
    if (this.#unanswered.size <= this.#window / 2) this.#pump();
    if (this.#settle !== undefined && this.#isSettled()) {
      this.#settle.resolve();
      this.#settle = undefined;
    }
  }

  #isSuccess(frame: SeenFrame): boolean {
    if (frame.status !== 0) return false;
    if (this.#successBytes.has(frame.bytes)) return true;
    const classBytes = frame.first.readUInt16BE(RESPONSE_HEAD_BYTES - 8);
    const contentAt = RESPONSE_HEAD_BYTES + classBytes;
    const className = frame.first.toString("latin1", RESPONSE_HEAD_BYTES, contentAt);
    const message = decodeMessage("hessian-draft", className, frame.first.subarray(contentAt, frame.bytes));
    const isSuccess = message.kind === "registerResponse" && message.success && !message.refused;
    // A failure says why, so it has another length.
    if (isSuccess) this.#successBytes.add(frame.bytes);
    return isSuccess;
  }

  #retry(request: Request): void {
    this.retries++;
    this.#retrying++;
    setTimeout(() => {
      this.#retrying--;
      if (!this.#isClosed) this.#ask(request);
    }, RETRY_MS);
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#settle?.reject(new Error(`the server closed a publisher's connection with ${this.#unanswered.size} open`));
  }
}
