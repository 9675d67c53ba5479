// The parts of the gateway: naming, configuration, and what else Nacos has, each in files of its own. A part has the
// requests by gRPC and the paths by HTTP that it answers; the gateway puts the tables of all of them together.

import type { Account } from "../../base/budget.ts";
import type { HttpRoute } from "../../base/http.ts";
import type { JsonFields } from "../../encoding/json/fields.ts";
import type { ClientId } from "../../model/ids.ts";
import type { Blocked, Outcome } from "../../registry/registry.ts";
import type { Asked } from "../kit/clientAccess.ts";
import type { Caller } from "../kit/judgedRoutes.ts";

/** One part of the gateway. */
export interface NacosPart {
  /** By the type of the request: the simple name of its Java class. */
  readonly requests: RequestHandlers;
  /** Paths begin with `/nacos`. */
  readonly routes: readonly HttpRoute[];
  /** The client's connection is over: what the part keeps for it goes. */
  ended?(client: NacosClient, nowMs: number): void;
  /** A client to which `pushRequest` was blocked reads again. */
  drained?(client: NacosClient, nowMs: number): void;
  /** Called twice a second. */
  check?(nowMs: number): void;
}

export type RequestHandlers = Readonly<Record<string, RequestHandler>>;

/** The handler of one type of request. */
export interface RequestHandler {
  /** The type of the answer, of a refusal too: clients take any other type for a broken connection. */
  readonly answer: string;
  /** The action by which it is judged. */
  readonly asks: Asked;
  /** Answers once, now or later. Throws a RegistryError to refuse the request at once. */
  handle(request: NacosRequest, respond: Responder): void;
}

/** One request of a client, by gRPC. */
export interface NacosRequest {
  readonly type: string;
  /** The headers of its metadata: the token, the client's application, and so on. */
  readonly headers: ReadonlyMap<string, string>;
  readonly fields: JsonFields;
  readonly client: NacosClient;
  /** Its principal, by which the handler judges what the request is about. */
  readonly caller: Caller;
  readonly nowMs: number;
}

/** The way back of an answer. An answer after the connection is over is dropped. */
export interface Responder {
  /**
   * Answers with success. The fields of every answer are added. `last` is one more field, whose value is JSON in UTF-8:
   * bytes that answers to others may share.
   */
  answer(fields?: JsonObject, last?: SharedField): void;
  /** Answers with another code than that of the error's own; a RegistryError has its own. */
  refuse(error: Error): void;
  refuseWith(errorCode: number, message: string, fields?: JsonObject): void;
}

/** An object to be written as JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

export interface SharedField {
  readonly name: string;
  readonly json: Uint8Array;
}

/** The words of a client when it sets its connection up. */
export interface ClientSetup {
  /** `Nacos-Java-Client:v3.1.1` */
  readonly version: string;
  /** Its namespace; empty for the default one. */
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  /** Whether it has each ability that it names. */
  readonly abilities: ReadonlyMap<string, boolean>;
}

/** A client's connection by gRPC, once it is set up. */
export interface NacosClient {
  /** Its connection, as Nacos names it: `<milliseconds>_<host>_<port>`. */
  readonly connectionId: string;
  /** Its name in the registry. */
  readonly id: ClientId;
  /** The host that it connects from. */
  readonly address: string;
  readonly setup: ClientSetup;
  /** Charged for what is kept for it. */
  readonly account: Account;
  readonly isEnded: boolean;
  /** Its side of the registry, for naming. */
  readonly channel: RequestChannel;
  /**
   * Sends it a request of the server. `answered` is called once: with the fields of its answer, or with undefined if
   * none has come within five seconds, or the connection is over. "blocked": it has too much unread output, nothing was
   * sent, and `drained` tells when to try again.
   */
  pushRequest(request: ServerRequest, answered: Answered): "sent" | Blocked;
  /** Ends the connection for a reason that is counted and logged. Not within a step of the registry. */
  fail(error: unknown, nowMs: number): void;
}

/** The requests of a client to the registry, as naming makes them. */
export interface RequestChannel {
  /** A mark for a request to the registry, whose outcome goes to `done`, within a step of the registry. */
  request(done: (outcome: Outcome) => void): number;
}

/** Called once with the fields of a client's answer; undefined: there will be none. */
export type Answered = (answer: JsonFields | undefined, nowMs: number) => void;

/** A request of the server to a client. Its requestId is added. */
export interface ServerRequest {
  readonly type: string;
  readonly fields: JsonObject;
}
