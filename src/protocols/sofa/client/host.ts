// The parameters of a client, and the calls that it makes to its program.

import type { WireText } from "../../../base/text.ts";
import type { BoltDialect } from "../../../encoding/bolt/frame.ts";
import type { WireForm } from "../codec/messages.ts";
import type { ClientIdentity, Decompress, SegmentPush } from "./messages.ts";
import type { Configurator, Registration, Subscriber } from "./registration.ts";
import type { RequestMode } from "./requests.ts";

/** A client's options. */
export interface SofaClientOptions extends ClientIdentity {
  readonly mode: RequestMode;
  readonly form: WireForm;
  readonly dialect: BoltDialect;
  readonly dataCenter: string;
  /** MOSN's client of 2018 never answers a push; with false, this one does not answer heartbeats either. */
  readonly answersPushes: boolean;
}

/** The client's requests and reports to its host. */
export interface SofaClientHost {
  /** Ids for requests, each used once on a connection. */
  nextRequestId(): number;
  /** Ids for registrations, each unique in the world. */
  nextRegistId(): string;
  /** The client wants a connection: `connected` or `refused` follows. */
  connect(nowMs: number): void;
  readonly decompress: Decompress;
  /** A subscriber has accepted a newer list. */
  onPush?(subscriber: Subscriber, push: SegmentPush, nowMs: number): void;
  /** A subscriber received a list that is not newer, and dropped it. */
  onStalePush?(subscriber: Subscriber, push: SegmentPush, nowMs: number): void;
  onConfig?(configurator: Configurator, config: { version: bigint; data: WireText | null }, nowMs: number): void;
  /** A configurator received a value that is not newer, and dropped it. */
  onStaleConfig?(configurator: Configurator, config: { version: bigint; data: WireText | null }, nowMs: number): void;
  /** The server has this version of the registration. */
  onAcknowledged?(registration: Registration, nowMs: number): void;
  /** The server has refused a registration; it is sent again, as the Java client does. */
  onRefused?(message: string, nowMs: number): void;
}
