// The messages to and from a process with clients in it, one at a time, over the pipe between the processes.

import type { HistoryEvent } from "../history/event.ts";

/** Where a session takes clients. */
export interface SessionPlace {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export type ClientCommand =
  /** Makes a client. It begins at the session of that name, and goes to any other whenever it lost its connection. */
  | {
      readonly kind: "open";
      readonly client: string;
      readonly sessions: readonly SessionPlace[];
      readonly first: string;
      readonly settings: ClientSettings;
    }
  /** Publishes, or changes what is published, or publishes again what was taken back. */
  | { readonly kind: "publish"; readonly client: string; readonly registration: string; readonly service: string }
  | { readonly kind: "unpublish"; readonly client: string; readonly registration: string }
  | { readonly kind: "subscribe"; readonly client: string; readonly subscription: string; readonly service: string };

export interface ClientSettings {
  /** How long after a lost connection the next one is tried; the Java client takes half a second. */
  readonly reconnectMs: number;
  /** How long after a refused connection; the Java client takes longer, and then goes on to another session. */
  readonly retryMs: number;
  /** After so long without an answer a connection attempt is given up. */
  readonly connectTimeoutMs: number;
}

/** The reports: everything that happened, in batches. */
export interface ClientReport {
  readonly events: readonly HistoryEvent[];
}
