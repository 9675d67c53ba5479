// Clients of several protocols on one cluster while its nodes are killed: the instances of each are found by all the
// others, at every session, and nothing that lives is missing for a moment.

import { HttpClients, type HttpProvider } from "../clients/httpClients.ts";
import { LEASE_MS } from "../clients/httpProtocols.ts";
import { monotonicMs } from "../history/event.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill, USUAL_CHURN } from "./steps.ts";

const PROVIDERS_OF_EACH = 4;
const ALL_SHOWN_MS = 30_000;
const CALM_MS = 2_000;
// A lease that ends while its leader is lost gets a full time from the next one.
const GONE_MS = 3 * LEASE_MS;

export const PROTOCOL_SCENARIOS: readonly Scenario[] = [
  {
    name: "nodes-killed-under-all-protocols",
    about: "kill -9 of a session, then of a data node, under clients of SOFARegistry, Eureka, Nacos and Consul",
    lane: 2,
    run: nodesKilled,
  },
];

async function nodesKilled(stage: Stage): Promise<void> {
  const { cluster } = stage;
  const clients = new HttpClients("all", cluster.sessions, PROVIDERS_OF_EACH);
  try {
    const allShown = async (what: string, limitMs: number): Promise<void> => {
      const fromMs = monotonicMs();
      const isSo = async () => clients.haveAnswers() && clients.areShown();
      if (await cluster.until(limitMs, isSo)) {
        stage.notes.push(`${what}: shown by all after ${Math.round(monotonicMs() - fromMs)} ms`);
      } else stage.fail([`${what}: not shown by all`, ...clients.differing()].join("\n    "));
    };
    await allShown("registered", ALL_SHOWN_MS);
    stage.startChurn(USUAL_CHURN);
    for (const node of ["session1", "data1"]) {
      await kill(stage, node);
      await stage.pause(CALM_MS);
      const gone = leaving(clients);
      await Promise.all(gone.map((provider) => provider.leave()));
      await comeBack(stage, node);
      await allShown(`one of each has left while ${node} was away`, ALL_SHOWN_MS);
    }
    await stage.stopChurn();
    const startedMs = monotonicMs();
    const silent = [...clients.living].filter(({ takenMs }) => takenMs < startedMs - LEASE_MS);
    if (silent.length > 0) stage.fail(`heartbeats of ${silent.map(({ address }) => address)} are not taken`);
    await kill(stage, "data2");
    await Promise.all(leaving(clients).map((provider) => provider.crash()));
    await comeBack(stage, "data2");
    await allShown("one of each was killed with data2", GONE_MS);
    for (const lost of clients.lost) stage.fail(lost);
  } finally {
    await clients.end();
  }
}

/** A provider of each protocol that is about to go. */
function leaving(clients: HttpClients): HttpProvider[] {
  const byProtocol = Map.groupBy(clients.living, ({ protocol }) => protocol);
  const gone = [...byProtocol.values()].flatMap(([first]) => (first === undefined ? [] : [first]));
  for (const provider of gone) clients.living.delete(provider);
  return gone;
}
