// The routes of every HTTP port: liveness, readiness, metrics, and an orderly stop.

import { type HttpRoute, jsonResponse, respondWith, textResponse } from "../base/http.ts";

/** The view of the process that the routes need. */
export interface ProcessStatus {
  /** Whether the process has been told to stop. */
  readonly isStopping: () => boolean;
  /** Begins an orderly stop of the process. */
  readonly stop: () => void;
  /** The metrics, in the format given by `contentType`. */
  readonly page: { readonly contentType: string; render(): Promise<string> };
}

/** `notReady` returns the reason why the role does not work yet, or no longer works; undefined if it works. */
export function processRoutes(
  { isStopping, stop, page }: ProcessStatus,
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
    {
      method: "POST",
      path: "/drain",
      handle: ({ respond }) => {
        stop();
        respond(jsonResponse({ success: true, message: "the process is handing over its work and will stop" }, 202));
      },
    },
  ];
}
