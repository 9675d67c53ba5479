// Disks that are full, everything at once, everything in turn.

import { DATAS, METAS, SESSIONS } from "../cluster/cluster.ts";
import type { Stage } from "../stage.ts";
import { ALL_KILLED } from "./allKilled.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill, leadNothing, ledBy, noteCalls, USUAL_CHURN, USUAL_MS } from "./steps.ts";

const DISK_FULL_MS = 15_000;
// Only a meta node that leads gives the slots to another data node, and the lease of the dead one is 5 s.
const TAKEOVER_AND_FAILOVER_MS = 10_000;
const STOP_MS = 40_000;

export const NODE_SCENARIOS: readonly Scenario[] = [
  {
    name: "disk-full-data",
    about: "a data node's disk is full for 15 s under changes",
    lane: 2,
    run: (stage) => diskFull(stage, "data1"),
  },
  {
    name: "disk-full-meta",
    about: "the leading meta node's disk is full for 15 s under changes",
    lane: 2,
    run: async (stage) => diskFull(stage, await stage.cluster.metaLeader()),
  },
  {
    name: "one-of-each-killed",
    about: "kill -9 of the leading meta node, a data node and a session node at once",
    lane: 1,
    run: async (stage) => {
      const names = [await stage.cluster.metaLeader(), "data2", "session2"];
      const clients = stage.clientsOf("session2");
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await kill(stage, ...names);
      const noticed = stage.noticed(sinceMs, TAKEOVER_AND_FAILOVER_MS, () => leadNothing(stage, "data2"));
      await stage.changesAreShown({
        sinceMs,
        limitMs: TAKEOVER_AND_FAILOVER_MS,
        isHarmed: ledBy(stage, "data2"),
        mayChange: ({ client }) => !clients.has(client),
      });
      await noticed;
      await comeBack(stage, ...names);
    },
  },
  ALL_KILLED,
  {
    name: "rolling-restart",
    about: "SIGTERM and start of all nine processes in turn, under 200 registrations a second and 500 subscribers",
    lane: 1,
    isAlone: true,
    hasJava: true,
    workload: {
      size: {
        servicesPerData: 20,
        publishers: 30,
        publishersPerService: 4,
        subscribers: 50,
        servicesPerSubscriber: 10,
        victims: 0,
      },
    },
    run: rollingRestart,
  },
];

async function diskFull(stage: Stage, name: string): Promise<void> {
  stage.startChurn(USUAL_CHURN);
  const sinceMs = await stage.act(`the disk of ${name} is full`, () => stage.cluster.fillDisk(name));
  await stage.changesAreShown({ sinceMs, limitMs: USUAL_MS });
  await stage.pause(DISK_FULL_MS - stage.sinceMs(sinceMs));
  await stage.heal("there is room again", () => stage.cluster.freeDisk(name));
}

async function rollingRestart(stage: Stage): Promise<void> {
  stage.startChurn(200);
  const startMs = await stage.act("rolling restart", () => undefined);
  for (const name of [...METAS, ...DATAS, ...SESSIONS]) {
    const node = stage.cluster.node(name);
    let isInTime = true;
    await stage.act(`SIGTERM ${name}`, async () => {
      isInTime = await node.terminate(STOP_MS);
    });
    if (!isInTime) stage.fail(`${name} had to be killed ${STOP_MS} ms after SIGTERM`);
    node.upgrade();
    await comeBack(stage, name);
  }
  stage.notes.push(`${Math.round(stage.sinceMs(startMs) / 1_000)} s for all nine`);
  await stage.heal("all are restarted", () => undefined);
  noteCalls(stage);
}
