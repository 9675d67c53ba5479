// Registrations, versions and pushes as lines of the log at debug.

import type { MadeVersion } from "../../data/dataPorts.ts";
import type { ClientObserver, ClientRequest } from "./clientObserver.ts";
import type { SampledLines } from "./sampledLines.ts";

const EVENTS: Readonly<Record<ClientRequest["kind"], string>> = {
  published: "a publisher is registered",
  unpublished: "a publisher is unregistered",
  subscribed: "a subscriber is registered",
  unsubscribed: "a subscriber is unregistered",
};

/** Writes a line for each request with its answer, each push, and each push that is refused. */
export function debugLog(lines: SampledLines): ClientObserver {
  // A session answers a request while it handles it, or refuses it: there is one at a time.
  let asked: ClientRequest | undefined;
  return {
    requested: (request) => {
      asked = request;
    },
    answered: (client, request, outcome) => {
      if (asked === undefined || asked.client !== client || asked.request !== request) return;
      const { kind, serviceKey: service, registId, version } = asked;
      asked = undefined;
      const refused = outcome.kind === "failed" ? { refused: outcome.error.code } : {};
      lines.write(EVENTS[kind], () => ({ client, service, registId, version, ...refused }));
    },
    pushed: (client, { id, view, registIds }) =>
      lines.write("a list is pushed", () => {
        const { serviceKey: service, version, publications } = view;
        return { client, service, version, publishers: publications.size, subscribers: registIds.length, push: id };
      }),
    pushAnswered: (client, push, isTaken) => {
      lines.write(isTaken ? "a push is confirmed" : "a push is refused", () => ({ client, push }));
    },
    disconnected: () => {
      asked = undefined;
    },
  };
}

/** Writes a line for each version that a data node makes. */
export function logVersion(lines: SampledLines, { serviceKey: service, version, changes }: MadeVersion): void {
  lines.write("a list has a new version", () => ({ service, version, changes: changes.length }));
}
