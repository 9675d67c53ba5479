// Requests of clients, each a call of its own: found by their types in the tables of all parts, and answered in the
// protocol's words.

import { anonymous, type Principal } from "../../access/principal.ts";
import { RegistryError } from "../../base/errors.ts";
import { GRPC_STATUS } from "../../encoding/grpc/status.ts";
import { decodeJson, fieldsOf, NO_FIELDS } from "../../encoding/json/fields.ts";
import { Caller } from "../kit/judgedRoutes.ts";
import type { IncomingCall } from "./call.ts";
import { requestCredentials } from "./callers.ts";
import type { ClientConnection } from "./clientConnection.ts";
import { refusalBody, successBody } from "./codec/bodies.ts";
import { decodePayload, encodePayload } from "./codec/payload.ts";
import { NACOS_CODE, nacosCodeOf } from "./errors.ts";
import { nacosError } from "./errorTable.ts";
import type { JsonObject, NacosRequest, RequestHandler, Responder, SharedField } from "./part.ts";

type Unjudged = Omit<NacosRequest, "caller" | "client"> & { readonly client: ClientConnection };

interface Unary {
  readonly call: IncomingCall;
  readonly message: Uint8Array;
  readonly connection: ClientConnection;
  readonly nowMs: number;
}

/**
 * The type of an answer to a request that no handler takes. A client takes it for a sign of a broken connection, so
 * refusals of a handler have the type of the handler's answers.
 */
const ERROR_RESPONSE = "ErrorResponse";
const UNKNOWN_TYPE = "unknown";
const SERVER_CHECK = "ServerCheckRequest";

/** Answers a call with one message. Throws what is no RegistryError: a bug. */
export function answerUnary({ call, message, connection, nowMs }: Unary): void {
  let answers: Answers = new Answers(call, connection, { type: UNKNOWN_TYPE, answer: ERROR_RESPONSE });
  try {
    const { type, headers, json } = decodePayload(message);
    const handler = handlerOf(type, connection);
    if (connection.known === undefined && type !== SERVER_CHECK) throw nacosError("NACOS_CONNECTION_UNREGISTERED");
    if (handler === undefined) throw nacosError("NACOS_REQUEST_UNKNOWN", { type: type.slice(0, 100) });
    const fields = json.length === 0 ? NO_FIELDS : fieldsOf(decodeJson(json), "body");
    answers = new Answers(call, connection, { type, answer: handler.answer });
    const request = { type, headers, fields, client: connection, nowMs };
    judge(handler, request, answers);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    answers.refuse(error);
  }
}

/** Finds the principal, and has the request handled: by a handler that needs one, once it is known. */
function judge(handler: RequestHandler, request: Unjudged, answers: Answers): void {
  const { client, headers } = request;
  const { access } = client.environment;
  const { address: from, certificate } = client;
  const handle = (principal: Principal) => {
    handler.handle({ ...request, caller: new Caller(principal, access) }, answers);
  };
  if (handler.asks === "open") return handle(anonymous(from));
  access.identify({ from, certificate, credentials: requestCredentials(headers) }, (found) => {
    try {
      if (found instanceof RegistryError) throw found;
      handle(found);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      answers.refuse(error);
    }
  });
}

function handlerOf(type: string, connection: ClientConnection): RequestHandler | undefined {
  const { requests } = connection.environment;
  if (type === SERVER_CHECK) return serverCheck(connection);
  if (type === "HealthCheckRequest") return HEALTH_CHECK;
  return Object.hasOwn(requests, type) ? requests[type] : undefined;
}

const HEALTH_CHECK: RequestHandler = {
  answer: "HealthCheckResponse",
  asks: "open",
  handle: (_request, { answer }) => answer(),
};

/** The first request of a connection. A server that says that it negotiates has to acknowledge the setup. */
function serverCheck({ connectionId, environment }: ClientConnection): RequestHandler {
  if (environment.isServing()) {
    const fields = { connectionId, supportAbilityNegotiation: true };
    return { answer: "ServerCheckResponse", asks: "open", handle: (_request, { answer }) => answer(fields) };
  }
  const message = "this server does not serve clients yet, or not any more";
  return {
    answer: ERROR_RESPONSE,
    asks: "open",
    handle: (_request, { refuseWith }) => refuseWith(NACOS_CODE.SERVER_NOT_READY, message),
  };
}

class Answers implements Responder {
  readonly #call: IncomingCall;
  readonly #connection: ClientConnection;
  readonly #names: { readonly type: string; readonly answer: string };

  constructor(
    call: IncomingCall,
    connection: ClientConnection,
    names: { readonly type: string; readonly answer: string },
  ) {
    this.#call = call;
    this.#connection = connection;
    this.#names = names;
  }

  readonly answer = (fields: JsonObject = {}, last?: SharedField): void => {
    this.#send(successBody(fields, last), "ok");
  };

  readonly refuse = (error: Error): void => {
    if (!(error instanceof RegistryError)) return this.#connection.fail(error, this.#connection.heardMs);
    const { account, environment, id: client } = this.#connection;
    const { type } = this.#names;
    if (account.mayLog(this.#connection.heardMs)) {
      environment.log.warn("a request was refused", { client, type, reason: error.message });
    }
    this.#send(refusalBody(nacosCodeOf(error), error.message), error.code);
  };

  readonly refuseWith = (errorCode: number, message: string, fields: JsonObject = {}): void => {
    this.#send(refusalBody(errorCode, message, fields), String(errorCode));
  };

  #send(body: readonly Uint8Array[], outcome: string): void {
    if (this.#call.isOver || this.#connection.isEnded) return;
    const { type, answer } = this.#names;
    this.#connection.environment.metrics.add("roster_nacos_requests_total", 1, { type, outcome });
    this.#call.write(encodePayload(answer, body));
    this.#call.end(GRPC_STATUS.OK);
  }
}
