// What all HTTP ports have in common: strict paths, small bodies, errors that say what to do, and a stop that does not
// hang.

import type { Socket } from "node:net";
import {
  type FastifyInstance,
  type FastifyListenOptions,
  type FastifyRequest,
  type FastifySchemaValidationError,
  fastify,
} from "fastify";
import { fail, RegistryError } from "../../base/errors.ts";
import { visible } from "../../base/visible.ts";
import { formatAddress } from "../../transport/address.ts";
import type { ConnectionShares } from "../../transport/connectionShares.ts";
import { type ListenAddress, listenError, type TcpOptions } from "../../transport/tcp.ts";

// Names; the one route that takes more has a bound of its own.
const BODY_BYTES_MAX = 64 * 1024;

export interface HttpTimes {
  /** A client finishes a request within so long, and begins its first one within so long of connecting. */
  readonly requestMs: number;
  /** How often that is looked at. */
  readonly checkMs: number;
}

// All requests are small and clients are near. A client that dribbles a header in holds a descriptor for so long only.
const HTTP_TIMES: HttpTimes = { requestMs: 10_000, checkMs: 1_000 };
// Of the request line and all headers; a query that names a service takes 5 KiB at the most.
const HEADER_BYTES_MAX = 16 * 1024;

/**
 * An HTTP server without routes. Paths that would change under normalisation are refused before any route sees them.
 */
export function createHttp({ requestMs, checkMs }: HttpTimes = HTTP_TIMES): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: requestMs,
    http: {
      requestTimeout: requestMs,
      headersTimeout: requestMs,
      connectionsCheckingInterval: checkMs,
      maxHeaderSize: HEADER_BYTES_MAX,
    },
    keepAliveTimeout: KEEP_ALIVE_MS,
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    schemaErrorFormatter: fieldInvalid,
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true, maxParamLength: 100 },
  });
  app.addHook("onRequest", async (request) => {
    const path = request.raw.url?.split("?", 1)[0] ?? "";
    // No page of another origin has business here; a browser says where it comes from, also after DNS rebinding.
    if (request.headers.origin !== undefined) throw fail("HTTP_BAD_REQUEST", { origin: request.headers.origin });
    if (!isPlainPath(path))
      throw fail("HTTP_BAD_REQUEST", { path, expected: "a path without //, dot segments or escapes" });
  });
  app.setNotFoundHandler((request, reply) => {
    void reply
      .code(404)
      .send({ success: false, message: visible(`no route ${request.method} ${request.url.split("?", 1)[0]}`) });
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    void reply.code(statusOf(error)).send({ success: false, message: visible(messageOf(error, request)) });
  });
  return app;
}

// Clients ask each 30 s on a kept connection; a connection that is dropped just then costs it a failed
// request.
const KEEP_ALIVE_MS = 65_000;

export interface HttpListenOptions extends ListenAddress {
  readonly isShared?: boolean;
  /** Of which address how many connections are taken. */
  readonly shares: ConnectionShares;
  /** As those of a TCP port. */
  readonly refused: TcpOptions["refused"];
  readonly notAccepted: TcpOptions["notAccepted"];
}

/** Listens and returns the port. Rejects with ADDRESS_IN_USE or CONFIG_INVALID. */
export async function listenHttp(
  app: FastifyInstance,
  { key, host, port, isShared = false, shares, refused, notAccepted }: HttpListenOptions,
): Promise<number> {
  app.server.on("connection", (socket: Socket) => {
    const address = formatAddress(socket.remoteAddress, socket.remotePort);
    const refusal = shares.take(address);
    if (refusal !== undefined) {
      refused(refusal, address, shares.explain(address));
      return void socket.destroy();
    }
    socket.once("close", () => shares.release(address));
  });
  try {
    // Its types don't know the option, which it passes on to Node.
    const options: FastifyListenOptions & { reusePort: boolean } = { host, port, reusePort: isShared };
    await app.listen(options);
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, { key, host, port });
  }
  app.server.on("error", notAccepted);
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** Whether a path means the same before and after any normalisation. */
export function isPlainPath(path: string): boolean {
  return /^(\/[A-Za-z0-9_.-]+)*\/?$/.test(path) && path !== "" && !/\/\.{1,2}(\/|$)/.test(path);
}

/** What is wrong with a query or a body, by its field. */
function fieldInvalid(errors: readonly FastifySchemaValidationError[], part: string): RegistryError {
  const { params = {}, instancePath = "", message = "" } = errors[0] ?? {};
  const field = params["additionalProperty"] ?? params["missingProperty"] ?? instancePath.slice(1);
  return fail("FIELD_INVALID", { field: String(field === "" ? part : field), in: part, reason: message });
}

/** What the library refuses without its values is said with them. */
export function messageOf(error: Error & { statusCode?: number }, { headers, routeOptions }: FastifyRequest): string {
  switch (error.statusCode) {
    case 413: {
      const bytes = headers["content-length"] ?? "unknown";
      return fail("HTTP_BAD_REQUEST", { bodyBytes: bytes, bodyBytesMax: routeOptions.bodyLimit ?? 0 }).message;
    }
    case 415: {
      const contentType = headers["content-type"] ?? "";
      return fail("HTTP_BAD_REQUEST", { contentType, expected: "application/json" }).message;
    }
    default:
      return error.message;
  }
}

/** HTTP's status for an error: of ours whether it may go well later, of the library's its own. */
export function statusOf(error: Error & { statusCode?: number }): number {
  if (!(error instanceof RegistryError)) return error.statusCode ?? 500;
  return error.retry ? 503 : 400;
}
