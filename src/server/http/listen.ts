// The common part of all HTTP ports: strict paths, small bodies, errors that name the remedy, and a stop that does not
// hang.

import { lookup } from "node:dns/promises";
import type { Socket } from "node:net";
import {
  type FastifyInstance,
  type FastifyListenOptions,
  type FastifyReply,
  type FastifyRequest,
  type FastifySchemaValidationError,
  fastify,
} from "fastify";
import { accessStatusOf } from "../../access/accessStatus.ts";
import type { ConnectionShares } from "../../base/connectionShares.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import { type HttpResponse, type HttpRouteTable, refusal } from "../../base/http.ts";
import { visible } from "../../base/visible.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import { formatAddress } from "../../transport/address.ts";
import { type ListenAddress, type ListenOptions, listenError } from "../../transport/listen.ts";
import { TlsGate, type TlsPort } from "../../transport/tls/tlsGate.ts";
import { parseJsonBodies } from "./jsonBody.ts";
import type { WrongMethod } from "./wrongMethod.ts";

// Enough for names; the one route that takes more has a bound of its own.
const BODY_BYTES_MAX = 64 * 1024;

type RequestForm = NonNullable<HttpRouteTable["requests"]>;

export interface HttpTimes {
  /** The time in which a client must finish a request, and begin its first one after connecting. */
  readonly requestMs: number;
  /** The interval of that check. */
  readonly checkMs: number;
}

// All requests are small and clients are near. A client that dribbles a header holds a descriptor only for this long.
const HTTP_TIMES: HttpTimes = { requestMs: 10_000, checkMs: 1_000 };
// For the request line and all headers; a query that names a service takes at most 5 KiB.
const HEADER_BYTES_MAX = 16 * 1024;

// A segment of a plain path, and one that may have escapes: three characters each for the longest name of ours.
const SEGMENT_CHARS_MAX = { plain: 100, any: 3 * KEY_PART_CHARS_MAX } as const;

/**
 * An HTTP server without routes. Paths that would change under normalisation are refused before any route sees them;
 * `refusalOf` makes the form of what is refused before or outside of a route, and `wrongMethod` answers some of it.
 */
export function createHttp(
  { requestMs, checkMs }: HttpTimes = HTTP_TIMES,
  refusalOf: HttpRouteTable["refusal"] = refusal,
  requests: RequestForm = "plain",
  wrongMethod: WrongMethod = () => undefined,
): FastifyInstance {
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
    routerOptions: { ignoreTrailingSlash: false, caseSensitive: true, maxParamLength: SEGMENT_CHARS_MAX[requests] },
    // An escape that can't be decoded is found before any hook.
    frameworkErrors: (error, request, reply) => refuse(reply, messageOf(error, request), error.statusCode ?? 400),
  });
  addParsers(app, requests);
  app.addHook("onRequest", async (request) => {
    const path = request.raw.url?.split("?", 1)[0] ?? "";
    // Pages of other origins have no business here; a browser names its origin, even after DNS rebinding.
    if (request.headers.origin !== undefined) throw fail("HTTP_BAD_REQUEST", { origin: request.headers.origin });
    // Without an origin come images and the like, and SOFARegistry changes something by GET.
    const site = request.headers["sec-fetch-site"];
    if (site === "cross-site" || site === "same-site") throw fail("HTTP_BAD_REQUEST", { "sec-fetch-site": site });
    if (requests === "plain" && !isPlainPath(path))
      throw fail("HTTP_BAD_REQUEST", { path, expected: "a path without //, dot segments or escapes" });
    if (requests === "any" && !isWholePath(path))
      throw fail("HTTP_BAD_REQUEST", { path, expected: "a path without //, dot segments or broken escapes" });
  });
  const respond = (reply: FastifyReply, { status, headers = {}, body }: HttpResponse) =>
    void reply.code(status).headers(headers).send(body);
  const refuse = (reply: FastifyReply, message: string, statusCode: number) =>
    respond(reply, refusalOf(visible(message), statusCode));
  app.setNotFoundHandler(({ method, url }, reply) => {
    const path = url.split("?", 1)[0] ?? "";
    const answer = wrongMethod(method, path);
    if (answer === undefined) refuse(reply, `no route ${method} ${path}`, 404);
    else respond(reply, answer);
  });
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    refuse(reply, messageOf(error, request), statusOf(error));
  });
  return app;
}

const FORM = "application/x-www-form-urlencoded";

function addParsers(app: FastifyInstance, requests: RequestForm): void {
  if (requests === "any") {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    return;
  }
  parseJsonBodies(app);
  // SOFARegistry's operators send forms.
  app.addContentTypeParser(FORM, { parseAs: "string" }, (_request, body, done) => done(null, formFields(String(body))));
}

/** The fields of a form. A name that occurs several times has all its values. */
function formFields(body: string): Record<string, string | string[]> {
  const fields: Record<string, string | string[]> = Object.create(null);
  const form = new URLSearchParams(body);
  for (const name of new Set(form.keys())) {
    const values = form.getAll(name);
    fields[name] = values.length === 1 ? (values[0] ?? "") : values;
  }
  return fields;
}

// Clients ask each 30 s on a kept connection; dropping the connection just then costs them a failed request.
const KEEP_ALIVE_MS = 65_000;

export interface HttpListenOptions extends ListenAddress {
  readonly isShared?: boolean;
  /** Counts the connections of each address. */
  readonly shares: ConnectionShares;
  /** As for a TCP port. */
  readonly refused: ListenOptions["refused"];
  readonly notAccepted: ListenOptions["notAccepted"];
  /** Undefined for a port without TLS. */
  readonly tls?: TlsPort | undefined;
}

/** Listens and returns the port. Rejects with ADDRESS_IN_USE or CONFIG_INVALID. */
export async function listenHttp(
  app: FastifyInstance,
  { key, host, port, isShared = false, shares, refused, notAccepted, tls }: HttpListenOptions,
): Promise<number> {
  const serve = tls && secured(app, tls);
  app.server.on("connection", (socket: Socket) => {
    const address = formatAddress(socket.remoteAddress, socket.remotePort);
    const refusal = shares.take(address);
    if (refusal !== undefined) {
      refused(refusal, address, shares.explain(address));
      return void socket.destroy();
    }
    socket.once("close", () => shares.release(address));
    serve?.(socket);
  });
  try {
    // Its types don't know the option, which it passes on to Node.
    const options: FastifyListenOptions & { reusePort: boolean } = {
      // For a name with several addresses the library would open further servers, which would know nothing of TLS.
      host: tls === undefined ? host : (await lookup(host)).address,
      port,
      reusePort: isShared,
    };
    await app.listen(options);
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, { key, host, port });
  }
  app.server.on("error", notAccepted);
  const address = app.server.address();
  return typeof address === "object" && address !== null ? address.port : port;
}

/** Has the server read only what has come through TLS. Returns its way in for accepted sockets. */
function secured(app: FastifyInstance, tls: TlsPort): (socket: Socket) => void {
  const readers = app.server.listeners("connection");
  app.server.removeAllListeners("connection");
  const gate = new TlsGate({ ...tls, protocols: ["http/1.1"] });
  app.addHook("preClose", async () => gate.close());
  return (raw) =>
    gate.secure(raw, (socket) => {
      for (const read of readers) Reflect.apply(read, app.server, [socket]);
    });
}

/** Whether a path means the same before and after any normalisation. */
export function isPlainPath(path: string): boolean {
  return /^(\/[A-Za-z0-9_.-]+)*\/?$/.test(path) && path !== "" && !/\/\.{1,2}(\/|$)/.test(path);
}

/**
 * Whether the segments of a path are names, whatever characters these have: a path with escapes means the same before
 * and after they are decoded, but for the escapes of a slash, which belong to the name.
 */
export function isWholePath(path: string): boolean {
  const segments = path.split("/").slice(1);
  if (segments.at(-1) === "") segments.pop();
  return path.startsWith("/") && segments.every(isName);
}

function isName(segment: string): boolean {
  try {
    const name = decodeURIComponent(segment);
    return name !== "" && name !== "." && name !== "..";
  } catch {
    return false;
  }
}

/** The fault of a query or a body, by its field. */
function fieldInvalid(errors: readonly FastifySchemaValidationError[], part: string): RegistryError {
  const { params = {}, instancePath = "", message = "" } = errors[0] ?? {};
  const field = params["additionalProperty"] ?? params["missingProperty"] ?? instancePath.slice(1);
  return fail("FIELD_INVALID", { field: String(field === "" ? part : field), in: part, reason: message });
}

/** Refusals of the library come without their values, which are added here. */
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

/** The HTTP status of an error: of our own by whether it may succeed later, of the library's its own. */
export function statusOf(error: Error & { statusCode?: number }): number {
  if (!(error instanceof RegistryError)) return error.statusCode ?? 500;
  return accessStatusOf(error) ?? (error.retry ? 503 : 400);
}
