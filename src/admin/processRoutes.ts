// The routes of every HTTP port: whether the process lives, has started and is ready, and its metrics. Nothing is
// changed by them.

import {
  type HttpExchange,
  type HttpResponse,
  type HttpRoute,
  refusal,
  respondWith,
  textResponse,
} from "../base/http.ts";

/** The view of the process that the routes need. */
export interface ProcessStatus {
  /** Whether all roles and ports of the process have begun. It stays so, whatever fails later. */
  readonly hasStarted: () => boolean;
  /** Whether the process has been told to stop. */
  readonly isStopping: () => boolean;
  /** The ways in that are open to the network, in words. */
  readonly open?: () => readonly string[];
  /** The names by which programs on this machine may call the ports that are not for clients. */
  readonly hostNames: ReadonlySet<string>;
  /** The metrics, in a format that the caller accepts: `accept` is its header. Undefined: they are off. */
  readonly page: { render(accept: string): Promise<MetricsPageText | undefined> };
}

interface MetricsPageText {
  readonly contentType: string;
  readonly body: string;
}

/** `notReady` returns the reason why the role does not work yet, or no longer works; undefined if it works. */
export function processRoutes(
  { hasStarted, isStopping, page, open = () => [] }: ProcessStatus,
  notReady: () => string | undefined,
): readonly HttpRoute[] {
  return [
    { method: "GET", path: "/livez", handle: ({ respond }) => respond(textResponse("ok")) },
    {
      method: "GET",
      path: "/startupz",
      handle: ({ respond }) => respond(hasStarted() ? textResponse("ok") : textResponse("starting", 503)),
    },
    {
      method: "GET",
      path: "/readyz",
      handle: ({ respond }) => {
        const reason = isStopping() ? "stopping" : notReady();
        if (reason !== undefined) return respond(textResponse(reason, 503));
        respond(textResponse(["ok", ...open().map((door) => `open: ${door}`)].join("\n")));
      },
    },
    {
      method: "GET",
      path: "/metrics",
      handle: (exchange) => {
        respondWith(exchange, page.render(acceptOf(exchange)).then(metricsResponse));
      },
    },
  ];
}

function metricsResponse(page: MetricsPageText | undefined): HttpResponse {
  if (page === undefined) return refusal("this process counts nothing: the setting metrics is false", 404);
  return { status: 200, headers: { "content-type": page.contentType }, body: page.body };
}

function acceptOf({ headers }: Pick<HttpExchange, "headers">): string {
  const accept = headers["accept"] ?? "";
  return typeof accept === "string" ? accept : accept.join(",");
}
