// The HTTP routes of the operations: `/v1/…`, and the document that describes them.

import type { Principal } from "../access/principal.ts";
import { fail } from "../base/errors.ts";
import {
  type HttpExchange,
  type HttpResponse,
  type HttpRoute,
  type HttpRouteTable,
  jsonResponse,
  respondWith,
} from "../base/http.ts";
import type { Reply } from "./operatedNode.ts";
import type { Operation } from "./operation.ts";
import { parametersOfQuery, type RawParameters } from "./parameter.ts";
import { httpRefusal, refusalOf } from "./refusal.ts";
import type { OperationRouter } from "./router.ts";
import type { Json } from "./schema.ts";

/** Before the path of each operation. A change that breaks callers would be `/v2`. */
export const API_PREFIX = "/v1";

interface Environment {
  readonly router: Pick<OperationRouter, "ask" | "refused">;
  /** The principal that sends a request. Rejects with a RegistryError if its proof is none. */
  readonly identify: (exchange: HttpExchange) => Promise<Principal>;
  /** The largest configuration value. */
  readonly valueBytesMax: number;
  /** The OpenAPI document. */
  readonly document: Json;
}

// A real value never has more quotes and control characters than other bytes.
const JSON_BYTES_PER_BYTE = 2;
const NAMES_BYTES_MAX = 64 * 1024;

/** All routes, with their form of a refusal. */
export function operationRoutes(operations: readonly Operation[], environment: Environment): HttpRouteTable {
  const document = jsonResponse(environment.document);
  return {
    routes: [
      ...operations.map((operation) => routeOf(operation, environment)),
      { method: "GET", path: `${API_PREFIX}/openapi.json`, handle: ({ respond }) => respond(document) },
    ],
    refusal: httpRefusal,
  };
}

function routeOf(operation: Operation, environment: Environment): HttpRoute {
  const { valueBytesMax } = environment;
  const { takesValue } = operation;
  const bodyBytesMax = takesValue ? valueBytesMax * JSON_BYTES_PER_BYTE + NAMES_BYTES_MAX : operation.bodyBytesMax;
  return {
    method: operation.method,
    path: API_PREFIX + operation.path,
    areCredentialsChecked: true,
    ...(bodyBytesMax !== undefined && { bodyBytesMax }),
    handle: (exchange) => {
      respondWith(exchange, answer(operation, exchange, environment).then(responseOf));
    },
  };
}

/** A caller without credentials is told which ones would do. */
function responseOf({ status, body }: Reply): HttpResponse {
  const response = jsonResponse(body, status);
  if (status !== 401) return response;
  return { ...response, headers: { ...response.headers, "www-authenticate": 'Bearer realm="roster"' } };
}

async function answer(operation: Operation, exchange: HttpExchange, environment: Environment): Promise<Reply> {
  const { router, identify } = environment;
  let caller: Principal | undefined;
  let raw: RawParameters;
  try {
    caller = await identify(exchange);
    raw = parametersOf(operation, exchange);
  } catch (error) {
    const refusal = refusalOf(error);
    router.refused({ operation, raw: {}, caller }, exchange.remoteAddress, refusal);
    return refusal;
  }
  return router.ask(operation.name, raw, caller);
}

/** Questions and removals have their parameters in the query, other changes in the body. */
function parametersOf({ method, parameters }: Operation, { query, body, headers }: HttpExchange): RawParameters {
  if (method === "GET" || method === "DELETE") {
    if (body !== undefined)
      throw fail("FIELD_INVALID", { field: "body", expected: "no body: parameters in the query" });
    return parametersOfQuery(parameters, query);
  }
  const [inQuery] = Object.keys(query);
  if (inQuery !== undefined) {
    throw fail("FIELD_INVALID", { field: inQuery, expected: "parameters in the body, as a JSON object" });
  }
  if (body === undefined && !hasBody(headers)) return {};
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw fail("FIELD_INVALID", { field: "body", expected: "a JSON object with the parameters" });
  }
  return body as RawParameters;
}

/** A body of `null` is not the same as no body: it may be the slip of a script that meant a parameter. */
function hasBody(headers: HttpExchange["headers"]): boolean {
  return (headers["content-length"] ?? "0") !== "0" || headers["transfer-encoding"] !== undefined;
}
