// The routes of every HTTP port: liveness, readiness and metrics. Nothing is changed by them.

import { type HttpRoute, respondWith, textResponse } from "../base/http.ts";

/** The view of the process that the routes need. */
export interface ProcessStatus {
  /** Whether the process has been told to stop. */
  readonly isStopping: () => boolean;
  /** The metrics, in the format given by `contentType`. */
  readonly page: { readonly contentType: string; render(): Promise<string> };
}

/** `notReady` returns the reason why the role does not work yet, or no longer works; undefined if it works. */
export function processRoutes(
  { isStopping, page }: ProcessStatus,
  notReady: () => string | undefined,
): readonly HttpRoute[] {
  return [
    { method: "GET", path: "/livez", handle: ({ respond }) => respond(textResponse("ok")) },
    {
      method: "GET",
      path: "/readyz",
      handle: ({ respond }) => {
        const reason = isStopping() ? "stopping" : notReady();
        respond(textResponse(reason ?? "ok", reason === undefined ? 200 : 503));
      },
    },
    {
      method: "GET",
      path: "/metrics",
      handle: (exchange) => {
        const headers = { "content-type": page.contentType };
        respondWith(
          exchange,
          page.render().then((body) => ({ status: 200, headers, body })),
        );
      },
    },
  ];
}
