// What every HTTP port has: is it alive, is it ready, what does it count, and "stop in order, please".

import { type HttpRoute, jsonResponse, respondWith, textResponse } from "../base/http.ts";

/** What is asked of the process. */
export interface ProcessStatus {
  /** The process has been told to stop. */
  readonly isStopping: () => boolean;
  /** Begins an orderly stop of the process. */
  readonly stop: () => void;
  /** The metrics, in the format that `contentType` names. */
  readonly page: { readonly contentType: string; render(): Promise<string> };
}

/** `notReady` says why the role does not do its work yet, or any more; nothing if it does. */
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
        respond(jsonResponse({ success: true, message: "the process hands its work over and ends" }, 202));
      },
    },
  ];
}
