// The words that clients of a protocol by HTTP have for what they all do.

import type { Lease } from "../../model/publication.ts";
import type { HttpAnswer, HttpRequest } from "../cluster/gatewayHost.ts";

/** A client, as its requests name it. */
export interface Registering {
  readonly name: string;
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly token: string;
  /** The time of its last change, by its own clock. */
  readonly changedMs: number;
}

/** The requests of a protocol; `takeOut` and `takeBack` are those of its operators. */
export interface HttpWords {
  readonly lease: Lease;
  /** The id of a client's registration in the registry. */
  registIdOf(name: string): string;
  register(client: Registering): HttpRequest;
  renew(client: Registering): HttpRequest;
  end(client: Registering): HttpRequest;
  takeOut(client: Registering): HttpRequest;
  takeBack(client: Registering): HttpRequest;
  /** `unknown`: the client has to register again. */
  outcomeOf(answer: HttpAnswer): "done" | "unknown" | "failed";
  /** A question for the list of a service. */
  list(service: string, from: string): HttpRequest;
  /** The entries of the list (`httpEntry`); undefined: the session refuses the question. */
  listIn(answer: HttpAnswer): readonly string[] | undefined;
}
