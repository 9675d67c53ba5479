// Requests to servers of others as pure code makes them. `transport` has the sockets.

/** A request. Redirects are not followed. */
export interface SentRequest {
  readonly method: "POST";
  /** http or https; a certificate has to be of an authority that the process trusts. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The time that everything may take. */
  readonly timeoutMs: number;
  /** A longer body of the answer is a failure. */
  readonly answerBytesMax: number;
}

/** An answer of any status, or the reason why there is none, for people. */
export type SentOutcome = { readonly status: number; readonly body: Uint8Array } | { readonly failure: string };

/** The port for them. `done` is called once, not before this returns. */
export type HttpSender = (request: SentRequest, done: (outcome: SentOutcome) => void) => void;
