// One call of a client: its bytes as messages of gRPC.

import type { RegistryError } from "../../base/errors.ts";
import type { Http2Call, Http2CallHandler } from "../../base/http2.ts";
import { grpcError } from "../../encoding/grpc/errors.ts";
import { GrpcMessages } from "../../encoding/grpc/messages.ts";
import { GRPC_HEADERS, GRPC_STATUS, type GrpcStatus, grpcTrailers } from "../../encoding/grpc/status.ts";

/** The connection's side of its calls. */
export interface CallOwner {
  /** A whole message has come; it is valid during the call. */
  received(call: IncomingCall, message: Uint8Array, nowMs: number): void;
  /** So much output was written. */
  wrote(bytes: number): void;
  /** Input was read: what it takes is counted. */
  settle(nowMs: number): void;
  failed(call: IncomingCall, error: unknown, nowMs: number): void;
  /** The client has said everything in this call. */
  callEnded(call: IncomingCall, nowMs: number): void;
  callClosed(call: IncomingCall, nowMs: number): void;
}

// As the real server and its clients.
const MESSAGE_BYTES_MAX = 10 * 1024 * 1024;

const STATUSES: Readonly<Record<string, GrpcStatus>> = {
  GRPC_COMPRESSED: GRPC_STATUS.UNIMPLEMENTED,
  GRPC_METHOD_UNKNOWN: GRPC_STATUS.UNIMPLEMENTED,
  GRPC_MESSAGE_TOO_LARGE: GRPC_STATUS.RESOURCE_EXHAUSTED,
};

export class IncomingCall implements Http2CallHandler {
  readonly path: string;
  readonly #call: Http2Call;
  readonly #owner: CallOwner;
  readonly #messages = new GrpcMessages({ messageBytesMax: MESSAGE_BYTES_MAX });
  #isOpen = false;
  #isOver = false;

  constructor(call: Http2Call, owner: CallOwner) {
    this.path = call.path;
    this.#call = call;
    this.#owner = owner;
  }

  /** The memory of a message that is not whole yet. */
  get pendingBytes(): number {
    return this.#messages.pendingBytes;
  }

  /** The client has ended the call, or was answered. */
  get isOver(): boolean {
    return this.#isOver;
  }

  received(chunk: Uint8Array, nowMs: number): void {
    if (this.#isOver) return;
    try {
      this.#messages.push(chunk, (message) => this.#owner.received(this, message, nowMs));
      this.#owner.settle(nowMs);
    } catch (error) {
      this.#owner.failed(this, error, nowMs);
    }
  }

  ended(nowMs: number): void {
    if (this.#isOver) return;
    if (!this.#messages.isPartial) return this.#owner.callEnded(this, nowMs);
    this.#owner.failed(this, grpcError("GRPC_MALFORMED", { reason: "the call ends within a message" }), nowMs);
  }

  closed(nowMs: number): void {
    this.#isOver = true;
    this.#owner.callClosed(this, nowMs);
  }

  /** Sends the headers of the answer, if that was not done. */
  open(): void {
    if (!this.#isOpen && !this.#isOver) this.#call.open(GRPC_HEADERS);
    this.#isOpen = true;
  }

  write(parts: readonly Uint8Array[]): void {
    this.open();
    if (this.#isOver) return;
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    this.#owner.wrote(bytes);
    this.#call.write(...parts);
  }

  end(status: GrpcStatus, message = ""): void {
    if (this.#isOver) return;
    this.open();
    this.#isOver = true;
    this.#call.end(grpcTrailers(status, message));
  }

  /** Ends the call with the status of an error. */
  refuse(error: RegistryError): void {
    this.end(
      STATUSES[error.code] ?? (error.retry ? GRPC_STATUS.UNAVAILABLE : GRPC_STATUS.INVALID_ARGUMENT),
      error.message,
    );
  }
}
