// A network that is not what it should be. No packet is answered with an error: what is cut off just falls silent.

import { DATAS, METAS, NODES, SESSIONS } from "../cluster/cluster.ts";
import { STORE_HOST } from "../cluster/storeHost.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill, leadNothing, ledBy, USUAL_CHURN } from "./steps.ts";

// The member lease of 20 s, and a failover after it.
const LEASE_AND_FAILOVER_MS = 25_000;

// Lost packets are sent again after a second, then two; several in a row now and then.
const LATE_MS = 10_000;
// TCP sends again after pauses that grow; links that stand may be as late as that, unless they are made anew.
const AFTER_CUT_MS = 10_000;

export const NETWORK_SCENARIOS: readonly Scenario[] = [
  {
    name: "data-cut-from-all",
    about: "one data node reaches nobody for 30 s",
    lane: 3,
    run: async (stage) => {
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await stage.act("data1 | all", () => stage.network.cut(["data1"], NODES));
      const limitMs = LEASE_AND_FAILOVER_MS;
      const shown = stage.changesAreShown({ sinceMs, limitMs, isHarmed: ledBy(stage, "data1") });
      await stage.noticed(sinceMs, limitMs, () => leadNothing(stage, "data1"));
      await stage.pause(30_000 - stage.sinceMs(sinceMs));
      await stage.heal("the network is whole", () => stage.network.heal());
      await shown;
    },
  },
  {
    name: "session-cut-from-data",
    about: "one session node reaches no data node for 15 s; meta nodes and clients it does",
    lane: 2,
    run: async (stage) => {
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await stage.act("session1 | data", () => stage.network.cut(["session1"], DATAS));
      await healAfter(stage, sinceMs, 15_000);
    },
  },
  {
    name: "half-open-session-data",
    about: "packets between one session and one data node vanish for 15 s, without a reset",
    lane: 2,
    run: async (stage) => {
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await stage.act("session2 | data2", () => stage.network.cut(["session2"], ["data2"]));
      await healAfter(stage, sinceMs, 15_000);
    },
  },
  {
    name: "one-way",
    about: "for 15 s a data node hears everybody, and nobody hears it",
    lane: 2,
    run: async (stage) => {
      const others = NODES.filter((name) => name !== "data3");
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await stage.act("data3 -> all", () => stage.network.cutOneWay(["data3"], others));
      await healAfter(stage, sinceMs, 15_000);
    },
  },
  {
    name: "halves",
    about: "one node of each role on one side, two and PostgreSQL on the other, for 30 s; clients reach all sessions",
    lane: 3,
    run: async (stage) => {
      const small = ["meta1", "data1", "session1"];
      const large = [...NODES.filter((name) => !small.includes(name)), STORE_HOST];
      // Nodes that are cut off can't tell the others; their changes show after the end.
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await stage.act("halves", () => stage.network.cut(small, large));
      const noticed = stage.noticed(sinceMs, LEASE_AND_FAILOVER_MS, () => leadNothing(stage, "data1"));
      await healAfter(stage, sinceMs, 30_000);
      await noticed;
    },
  },
  {
    name: "loss-and-delay",
    about: "5 % of all packets are lost and everything is 100 ms late, for 20 s under changes",
    lane: 1,
    needsDelay: true,
    run: async (stage) => {
      stage.startChurn(2 * USUAL_CHURN);
      const sinceMs = await stage.act("loss 5 %, delay 100 ms", () => worsen(stage));
      await stage.changesAreShown({ sinceMs, limitMs: LATE_MS });
      await stage.pause(20_000 - stage.sinceMs(sinceMs));
      await stage.heal("the network is good again", () => improve(stage));
    },
  },
  {
    name: "data-killed-while-late",
    about: "kill -9 of a data node while 5 % of all packets are lost and everything is 100 ms late",
    lane: 1,
    needsDelay: true,
    run: async (stage) => {
      await stage.act("loss 5 %, delay 100 ms", () => worsen(stage));
      stage.startChurn(USUAL_CHURN);
      await stage.pause(2_000);
      const sinceMs = await kill(stage, "data1");
      const noticed = stage.noticed(sinceMs, LATE_MS, () => leadNothing(stage, "data1"));
      await stage.changesAreShown({ sinceMs, limitMs: LATE_MS, isHarmed: ledBy(stage, "data1") });
      await noticed;
      await comeBack(stage, "data1");
      await stage.heal("the network is good again", () => improve(stage));
    },
  },
];

/** Ends the cut after this time. A change made at its beginning is shown soon after its end at the latest. */
async function healAfter(stage: Stage, sinceMs: number, durationMs: number): Promise<void> {
  const shown = stage.changesAreShown({ sinceMs, limitMs: durationMs + AFTER_CUT_MS });
  await stage.pause(durationMs - stage.sinceMs(sinceMs));
  await stage.heal("the network is whole", () => stage.network.heal());
  await shown;
}

const LATE_HOSTS: readonly string[] = [...METAS, ...DATAS, ...SESSIONS];

async function worsen({ network, netemMissing, relays }: Stage): Promise<void> {
  if (netemMissing === undefined) return network.netem(LATE_HOSTS, ["delay", "100ms", "10ms", "loss", "5%"]);
  relays?.delay(100);
  return network.add(...LATE_HOSTS.map((to) => ({ kind: "loss", to, percent: 5 }) as const));
}

async function improve({ network, netemMissing, relays }: Stage): Promise<void> {
  if (netemMissing === undefined) return network.clearNetem(LATE_HOSTS);
  relays?.delay(0);
  return network.heal();
}
