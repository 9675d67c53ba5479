// Clients that are gone, or seem to be.

import { VICTIM_HOST, VICTIM_SESSION } from "../clients/workload.ts";
import { SESSIONS } from "../cluster/cluster.ts";
import { monotonicMs } from "../history/event.ts";
import type { Scenario } from "./scenario.ts";
import { USUAL_CHURN } from "./steps.ts";

// A second of grace for the return, and the push.
const DEAD_MS = 4_000;
// Nothing read for 20 s, looked at each half second, and the grace.
const SILENT_MS = 23_000;
// A connection that was cut for half a minute sends again after as long.
const RETURN_MS = 60_000;

export const CLIENT_SCENARIOS: readonly Scenario[] = [
  {
    name: "clients-killed",
    about: "kill -9 of a process with publishers: they are removed from all lists",
    lane: 1,
    run: async (stage) => {
      const sinceMs = await stage.act(`kill -9 of the clients on ${VICTIM_HOST}`, async () => {
        await stage.fleet.killHost(VICTIM_HOST);
      });
      const isRemoved = await stage.fleet.until(() => stage.fleet.difference() === undefined, DEAD_MS);
      if (isRemoved) stage.times.detectionMs = monotonicMs() - sinceMs;
      else stage.fail(`dead clients are shown after ${DEAD_MS} ms: ${stage.fleet.difference()}`);
    },
  },
  {
    name: "half-open-client",
    about: "clients and their session hear nothing of each other for 30 s: removed after 20 s, back after the end",
    lane: 1,
    run: async (stage) => {
      const victims = new Set([...stage.clientsOf(VICTIM_SESSION)].filter((client) => client.startsWith("v")));
      const isVictim = (client: string) => victims.has(client);
      stage.startChurn(USUAL_CHURN, ({ client }) => !client.startsWith("v"));
      const sinceMs = await stage.act("clients | session", () => stage.network.cut([VICTIM_HOST], SESSIONS));
      // Whether the client or the network is dead can't be told from outside; by then it is due to be removed.
      stage.absences.push({ clients: victims, fromMs: sinceMs + 15_000, untilMs: sinceMs + 30_000 + RETURN_MS });
      const isShown = () =>
        [...stage.fleet.records.subscriptions.values()].some(({ shown }) =>
          shown?.tokens.some((token) => isVictim(token.split(".")[0] ?? "")),
        );
      const isRemoved = await stage.fleet.until(() => !isShown(), SILENT_MS);
      if (isRemoved) stage.times.detectionMs = monotonicMs() - sinceMs;
      else stage.fail(`silent clients are shown after ${SILENT_MS} ms`);
      await stage.pause(30_000 - stage.sinceMs(sinceMs));
      await stage.heal("the network is whole", () => stage.network.heal());
    },
  },
];
