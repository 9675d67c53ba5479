// The clients' records, in the order of the events. Times are milliseconds of the machine's monotonic clock, which all
// its processes share. A history is a list of these; the suite judges everything from them.

/** One row of a history. `registration` and `subscription` are names, each once in a scenario. */
export type HistoryEvent =
  /** A client decided what a registration is to be from now on; `token` is what it shows, null if it is taken back. */
  | (ClientRow & {
      readonly kind: "call";
      readonly registration: string;
      readonly service: string;
      readonly version: number;
      readonly token: string | null;
    })
  /** The registry has answered that it has this version of the registration. */
  | (ClientRow & { readonly kind: "ack"; readonly registration: string; readonly version: number })
  | (ClientRow & { readonly kind: "subscribe"; readonly subscription: string; readonly service: string })
  /** A list came. The client shows it if its version is higher than that of all before, and drops it otherwise. */
  | (ClientRow & {
      readonly kind: "push";
      readonly subscription: string;
      readonly connection: number;
      /** Datum version, in decimal: it is larger than a JavaScript number holds. */
      readonly version: string;
      readonly tokens: readonly string[];
    })
  | (ClientRow & { readonly kind: "connected"; readonly connection: number; readonly session: string })
  | (ClientRow & { readonly kind: "closed"; readonly connection: number })
  /** The client's process was killed, or the client closed for good: its registrations have to go. */
  | (ClientRow & { readonly kind: "died" })
  /** The suite did something to the cluster or its network. */
  | { readonly kind: "fault"; readonly t: number; readonly what: string }
  /** All subscribers showed exactly what all living clients publish, and everything was acknowledged. */
  | { readonly kind: "converged"; readonly t: number };

interface ClientRow {
  readonly t: number;
  readonly client: string;
}

/** Milliseconds of the monotonic clock that all processes of this machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The content that one version of a registration publishes: each token is shown by one call only. */
export function tokenOf(registration: string, version: number): string {
  return `${registration}~${version}`;
}

/** The registration and the version that a token stands for; undefined if it is none of ours. */
export function readToken(token: string): { readonly registration: string; readonly version: number } | undefined {
  const at = token.lastIndexOf("~");
  const version = Number(token.slice(at + 1));
  return at > 0 && Number.isInteger(version) ? { registration: token.slice(0, at), version } : undefined;
}
