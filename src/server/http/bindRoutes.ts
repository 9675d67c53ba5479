// Tables of routes, bound to an HTTP server.

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { HttpExchange, HttpResponse, HttpRouteTable } from "../../base/http.ts";
import { visible } from "../../base/visible.ts";
import { formatHost } from "../../transport/address.ts";
import { certificateShownOn } from "../../transport/tls/peerCertificate.ts";
import { foreignHost } from "./hostCheck.ts";
import { messageOf, statusOf } from "./listen.ts";

/** The URL to which a caller is redirected if this node does not have the answer; undefined if it has. */
export type Elsewhere = (request: Pick<FastifyRequest, "method" | "protocol" | "url">) => string | undefined;

export interface Binding {
  /** Called for routes that only the leading meta node can answer. */
  readonly elsewhere?: Elsewhere | undefined;
  /** The names by which programs on this machine may call routes that are not for clients; undefined: any. */
  readonly hostNames: ReadonlySet<string> | undefined;
}

/** Adds the routes to the server. */
export function bindRoutes(
  app: FastifyInstance,
  { routes, refusal }: HttpRouteTable,
  { elsewhere, hostNames }: Binding,
): void {
  const refuse = (error: Error & { statusCode?: number }, request: FastifyRequest, reply: FastifyReply) => {
    const response = refusal(visible(messageOf(error, request)), statusOf(error));
    send(reply, response.status === 401 ? { ...response, headers: { ...response.headers, ...CHALLENGE } } : response);
  };
  for (const route of routes) {
    const { method, path, schema, bodyBytesMax, isForLeader = false, isForClients = false, handle } = route;
    const { areCredentialsChecked = false } = route;
    app.route({
      method,
      url: path,
      ...(schema !== undefined && { schema }),
      ...(bodyBytesMax !== undefined && { bodyLimit: bodyBytesMax }),
      errorHandler: refuse,
      onRequest: async (request) => {
        if (isForClients || hostNames === undefined) return;
        const fault = foreignHost(request, { names: hostNames, areCredentialsChecked });
        if (fault !== undefined) throw fault;
      },
      handler: (request, reply) => {
        const location = isForLeader ? elsewhere?.(request) : undefined;
        if (location === undefined) return handle(exchangeOf(request, reply, refuse));
        const response = refusal(`the leader is at ${new URL(location).host}`, 307);
        send(reply, { ...response, headers: { ...response.headers, location } });
      },
    });
  }
}

// Clients that have a name and a password send it when they are asked for it, if not before.
const CHALLENGE = { "www-authenticate": 'Basic realm="roster"' } as const;

function exchangeOf(
  request: FastifyRequest,
  reply: FastifyReply,
  refuse: (error: Error, request: FastifyRequest, reply: FastifyReply) => void,
): HttpExchange {
  const { method, url, params, query, headers, body, socket } = request;
  return {
    method,
    path: url.split("?", 1)[0] ?? "",
    params: params as HttpExchange["params"],
    query: query as HttpExchange["query"],
    headers,
    body: body ?? undefined,
    localAddress: formatHost(socket.localAddress ?? ""),
    remoteAddress: formatHost(socket.remoteAddress ?? ""),
    certificate: certificateShownOn(socket),
    respond: (response) => send(reply, response),
    refuse: (error) => refuse(error, request, reply),
    onGone: (gone) =>
      void reply.raw.once("close", () => {
        if (!reply.raw.writableFinished) gone();
      }),
  };
}

function send(reply: FastifyReply, { status, headers = {}, body }: HttpResponse): void {
  if (reply.raw.destroyed) return;
  void reply.code(status).headers(headers).send(body);
}
