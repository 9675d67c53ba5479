// The facts of clients that register and ask by HTTP.

import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Lease } from "../model/publication.ts";
import type { HttpProtocol, HttpState } from "./httpServices.ts";

/** Clients by HTTP. Requests are numbered. */
export type HttpFact =
  /** A client begins, falls silent, or goes on: with a heartbeat as if nothing had happened, or by registering. */
  | {
      readonly kind: "httpClient";
      readonly client: string;
      readonly service: ServiceKey;
      readonly lease: Lease;
      readonly isAlive: boolean;
    }
  /** A request has come to a session. */
  | {
      readonly kind: "httpAsked";
      readonly client: string;
      readonly request: number;
      readonly node: NodeId;
      readonly what: HttpWhat;
      /** The token that it registers. */
      readonly token: string;
    }
  /** Its answer has come to the client. `state`: as the registration is by all answers; undefined: not known. */
  | {
      readonly kind: "httpAnswered";
      readonly client: string;
      readonly request: number;
      readonly node: NodeId;
      readonly outcome: "done" | "unknown" | "failed";
      readonly state: HttpState | undefined;
    }
  /** A client has gone on without an answer, or a session was behind: the outcome of a request is not known. */
  | { readonly kind: "httpUnsure"; readonly client: string }
  /**
   * A poller was told changes. `kept`: what it has after them, with the hash that makes, and the one that it was told;
   * `whole`: everything, as the process told it in the same turn. `isOther`: another process had told it what it had
   * before.
   */
  | {
      readonly kind: "httpChanges";
      readonly poller: string;
      readonly node: NodeId;
      readonly isOther: boolean;
      readonly kept: string;
      readonly keptHash: string;
      readonly told: string;
      readonly whole: string;
      readonly wholeHash: string;
    }
  /** A list as a protocol shows it (`httpEntry`); undefined: the session refuses it. */
  | {
      readonly kind: "httpListed";
      readonly node: NodeId;
      readonly protocol: HttpProtocol;
      readonly service: ServiceKey;
      readonly list: readonly string[] | undefined;
    };

/** The kinds of requests about a registration by HTTP. */
export type HttpWhat = "register" | "renew" | "end" | "takeOut" | "takeBack";
