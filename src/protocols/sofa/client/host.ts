// What a client is made with, and what it asks of the program around it.

import type { WireText } from "../../../base/text.ts";
import type { BoltDialect } from "../../../encoding/bolt/frame.ts";
import type { WireForm } from "../codec/messages.ts";
import type { ClientIdentity, Decompress, SegmentPush } from "./messages.ts";
import type { Configurator, Registration, Subscriber } from "./registration.ts";
import type { RequestMode } from "./requests.ts";

/** How a client speaks and behaves. */
export interface SofaClientOptions extends ClientIdentity {
  readonly mode: RequestMode;
  readonly form: WireForm;
  readonly dialect: BoltDialect;
  readonly dataCenter: string;
  /** MOSN's client of 2018 never answers a push; this one then answers no heartbeat either. */
  readonly answersPushes: boolean;
}

/** What the client asks of its host, and tells it. */
export interface SofaClientHost {
  /** For requests; each id once on a connection. */
  nextRequestId(): number;
  /** For registrations; each once in the world. */
  nextRegistId(): string;
  /** The client wants a connection: `connected` or `refused` is to follow. */
  connect(nowMs: number): void;
  readonly decompress: Decompress;
  /** A subscriber has taken a newer list. */
  onPush?(subscriber: Subscriber, push: SegmentPush, nowMs: number): void;
  /** A subscriber was sent a list that is not newer, and dropped it. */
  onStalePush?(subscriber: Subscriber, push: SegmentPush, nowMs: number): void;
  onConfig?(configurator: Configurator, config: { version: bigint; data: WireText | null }, nowMs: number): void;
  /** A value that is not newer came, and was dropped. */
  onStaleConfig?(configurator: Configurator, config: { version: bigint; data: WireText | null }, nowMs: number): void;
  /** The server has this version of the registration. */
  onAcknowledged?(registration: Registration, nowMs: number): void;
}
