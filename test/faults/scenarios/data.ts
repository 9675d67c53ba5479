// Data nodes that die or stand still.

import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, followedBy, freeze, kill, leadNothing, ledBy, thaw, USUAL_CHURN } from "./steps.ts";

// The project's promise: a change made right after the kill is pushed within three seconds.
const FAILOVER_MS = 3_000;
// The member lease of 20 s, and a failover after it.
const LEASE_AND_FAILOVER_MS = 25_000;

export const DATA_SCENARIOS: readonly Scenario[] = [
  {
    name: "data-leader-killed",
    about: "kill -9 of the data node that leads a third of the slots, under changes",
    lane: 1,
    hasJava: true,
    run: (stage) => killed(stage, ["data1"], FAILOVER_MS),
  },
  {
    name: "data-follower-killed",
    about: "kill -9 of a data node; measured are the services that it only follows",
    lane: 1,
    run: async (stage) => {
      const isFollowed = await followedBy(stage, "data2");
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await kill(stage, "data2");
      const noticed = stage.noticed(sinceMs, FAILOVER_MS, () => leadNothing(stage, "data2"));
      await stage.changesAreShown({ sinceMs, limitMs: FAILOVER_MS, isHarmed: isFollowed });
      await noticed;
      await comeBack(stage, "data2");
    },
  },
  {
    name: "two-data-killed",
    about: "kill -9 of two data nodes of three at once: leader and follower of a third of the slots",
    lane: 1,
    run: (stage) => killed(stage, ["data1", "data3"], 2 * FAILOVER_MS),
  },
  {
    name: "data-frozen-5s",
    about: "SIGSTOP of a data node for 5 s, which is less than its lease",
    lane: 2,
    run: (stage) => frozen(stage, 5_000, 5_000 + FAILOVER_MS),
  },
  {
    name: "data-frozen-60s",
    about: "SIGSTOP of a data node for 60 s: its lease ends, others lead, and then it wakes up",
    lane: 2,
    run: (stage) => frozen(stage, 60_000, LEASE_AND_FAILOVER_MS),
  },
];

async function killed(stage: Stage, names: readonly string[], limitMs: number): Promise<void> {
  stage.startChurn(USUAL_CHURN);
  const sinceMs = await kill(stage, ...names);
  const noticed = stage.noticed(sinceMs, limitMs, () => leadNothing(stage, ...names));
  await stage.changesAreShown({ sinceMs, limitMs, isHarmed: ledBy(stage, ...names) });
  await noticed;
  await comeBack(stage, ...names);
}

async function frozen(stage: Stage, durationMs: number, limitMs: number): Promise<void> {
  stage.startChurn(USUAL_CHURN);
  const sinceMs = await freeze(stage, "data1");
  const isHarmed = ledBy(stage, "data1");
  const shown = stage.changesAreShown({ sinceMs, limitMs, isHarmed });
  if (durationMs > limitMs) await stage.noticed(sinceMs, limitMs, () => leadNothing(stage, "data1"));
  await stage.pause(durationMs - stage.sinceMs(sinceMs));
  await thaw(stage, "data1");
  await shown;
}
