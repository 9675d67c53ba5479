// One client of a registry that the test plays, and an observer between the two.

import { anonymous } from "../../../access/principal.ts";
import { defined } from "../../../base/assert.ts";
import { unlimitedBudget } from "../../../base/budget.ts";
import { fail } from "../../../base/errors.ts";
import { clientId } from "../../../model/ids.ts";
import { versionAt } from "../../../model/version.ts";
import type { ClientChannel, ClientEvent } from "../../../registry/registry.ts";
import { Channel } from "../../../session/testing/harness.ts";
import { ORDERS, publication, publishRequest, subscribeRequest } from "../../../session/testing/parts.ts";
import { type ClientObserver, observedRegistry } from "../clientObserver.ts";

export const CLIENT = clientId("10.0.0.9:4711_10.0.0.1:9600");
/** The time of the scene, and of the versions in it. */
export const SCENE_MS = 1_700_000_000_000;
export const VERSION = versionAt(SCENE_MS);

/** A connected client. `isRefused` is read at each request: the registry answers with it. */
export function scene(observers: readonly ClientObserver[]) {
  const events: ClientEvent["kind"][] = [];
  const answers = { isRefused: false };
  const channel = new Channel();
  let given: ClientChannel | undefined;
  const registry = observedRegistry(
    {
      step: (event) => {
        if (!("client" in event)) return;
        events.push(event.kind);
        if (event.kind === "connected") given = event.channel;
        if (!("request" in event)) return;
        const key = { registId: "p1", version: 1n };
        given?.answer(
          event.request,
          answers.isRefused ? { ...key, kind: "failed", error: fail("DATA_FULL", {}) } : { ...key, kind: "accepted" },
        );
      },
    },
    observers,
  );
  const account = unlimitedBudget().open("10.0.0.9");
  const step = (event: ClientEvent) => registry.step(event, SCENE_MS);
  step({ kind: "connected", client: CLIENT, channel, principal: anonymous("10.0.0.9"), account });
  return {
    events,
    answers,
    channel,
    publish: (request: number) => step({ kind: "published", client: CLIENT, request, publication: publishRequest() }),
    unpublish: (request: number) => step({ kind: "unpublished", client: CLIENT, request, key: publishRequest() }),
    subscribe: (request: number) =>
      step({ kind: "subscribed", client: CLIENT, request, subscription: subscribeRequest() }),
    /** The registry pushes a list of one publisher. */
    push: (id: number, version = VERSION) => {
      const view = { serviceKey: ORDERS, version, publications: new Map([["p1", publication()]]) };
      return defined(given, "the client is connected").push({
        id,
        view,
        scope: "dataCenter",
        zone: "Z",
        variant: "v",
        registIds: ["s1"],
      });
    },
    confirm: (push: number, isTaken = true) => step({ kind: "pushAnswered", client: CLIENT, push, isTaken }),
    disconnect: () => step({ kind: "disconnected", client: CLIENT }),
    /** The channel as the registry has it. */
    given: () => defined(given, "the client is connected"),
  };
}
