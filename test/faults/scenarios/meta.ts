// Meta nodes that die or stand still, and the database under them. Clients must not notice any of it.

import { METAS } from "../cluster/cluster.ts";
import { STORE_HOST, type StoreKind } from "../cluster/storeHost.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, freeze, kill, leadNothing, leadsAnother, ledBy, thaw, USUAL_CHURN, USUAL_MS } from "./steps.ts";

// The leader's lease of 5 s, and what comes before and after it.
const TAKEOVER_MS = 9_000;
const STORE_AWAY_MS = 120_000;
const STORE_AWAY_SHORT_MS = 40_000;
const STORE_BACK_MS = 20_000;

export const META_SCENARIOS: readonly Scenario[] = [
  {
    name: "meta-leader-killed",
    about: "kill -9 of the leading meta node; nobody notices",
    lane: 3,
    run: async (stage) => {
      const leader = await stage.cluster.metaLeader();
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await kill(stage, leader);
      await stage.changesAreShown({ sinceMs, limitMs: USUAL_MS });
      await stage.noticed(sinceMs, TAKEOVER_MS, () => leadsAnother(stage, leader));
      await comeBack(stage, leader);
    },
  },
  {
    name: "meta-leader-frozen",
    about: "SIGSTOP of the leading meta node for 15 s: another leads, and then it wakes up",
    lane: 3,
    run: async (stage) => {
      const leader = await stage.cluster.metaLeader();
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await freeze(stage, leader);
      await stage.changesAreShown({ sinceMs, limitMs: USUAL_MS });
      await stage.noticed(sinceMs, TAKEOVER_MS, () => leadsAnother(stage, leader));
      await stage.pause(15_000 - stage.sinceMs(sinceMs));
      await thaw(stage, leader);
    },
  },
  {
    name: "all-metas-killed",
    about: "kill -9 of all meta nodes, 10 s without any, started again",
    lane: 3,
    run: async (stage) => {
      stage.startChurn(USUAL_CHURN);
      const sinceMs = await kill(stage, ...METAS);
      await stage.changesAreShown({ sinceMs, limitMs: USUAL_MS });
      await stage.pause(10_000);
      await comeBack(stage, ...METAS);
    },
  },
  ...storeScenarios("postgres", { name: "store", called: "PostgreSQL" }),
  ...storeScenarios("etcd", { name: "etcd", called: "etcd" }),
];

/** What happens to the database, the same for each kind. `called`: in words. */
function storeScenarios(
  storeKind: StoreKind,
  { name, called }: { readonly name: string; readonly called: string },
): readonly Scenario[] {
  // Two minutes show all that there is to see; they are spent on one kind.
  const isLong = storeKind === "postgres";
  return [
    {
      name: `${name}-cut-from-meta-leader`,
      about: `the leading meta node can't reach ${called} for 12 s, the others can`,
      lane: 3,
      storeKind,
      run: async (stage) => {
        const leader = await stage.cluster.metaLeader();
        stage.startChurn(USUAL_CHURN);
        const sinceMs = await stage.act(`${leader} | ${called}`, () => stage.network.cut([leader], [STORE_HOST]));
        await stage.changesAreShown({ sinceMs, limitMs: USUAL_MS });
        await stage.noticed(sinceMs, TAKEOVER_MS + 3_000, () => leadsAnother(stage, leader));
        await stage.pause(12_000 - stage.sinceMs(sinceMs));
        await stage.heal("the network is whole", () => stage.network.heal());
      },
    },
    {
      name: `${name}-frozen`,
      about: `${called} stands still for 15 s: connections stay, nothing is answered`,
      lane: 3,
      storeKind,
      run: async (stage) => {
        stage.startChurn(USUAL_CHURN);
        const sinceMs = await stage.act(`${called} is frozen`, () => stage.store.pause());
        await stage.changesAreShown({ sinceMs, limitMs: USUAL_MS });
        await stage.pause(15_000 - stage.sinceMs(sinceMs));
        await stage.heal(`${called} goes on`, () => stage.store.resume());
      },
    },
    {
      name: `${name}-stopped`,
      about: `${called} killed for ${isLong ? "two minutes" : "40 s"}; a data node dies meanwhile, and its slots wait for a new leader`,
      lane: 3,
      storeKind,
      run: (stage) => storeStopped(stage, { called, isLong }),
    },
  ];
}

async function storeStopped(
  stage: Stage,
  { called, isLong }: { readonly called: string; readonly isLong: boolean },
): Promise<void> {
  const awayMs = isLong && stage.isFull ? STORE_AWAY_MS : STORE_AWAY_SHORT_MS;
  if (isLong && !stage.isFull) stage.notes.push(`here for ${STORE_AWAY_SHORT_MS / 1_000} s`);
  const isHarmed = ledBy(stage, "data2");
  stage.startChurn(USUAL_CHURN);
  const sinceMs = await stage.act(`${called} is killed`, () => stage.store.kill());
  await stage.changesAreShown({ sinceMs, limitMs: USUAL_MS });
  // Without the store its slots can't be given to another node: their lists stay as last shown.
  await kill(stage, "data2");
  await stage.pause(awayMs - stage.sinceMs(sinceMs));
  await stage.heal(`${called} is started`, () => stage.store.start());
  const backMs = stage.healedMs ?? 0;
  const noticed = stage.noticed(backMs, STORE_BACK_MS, () => leadNothing(stage, "data2"));
  await stage.changesAreShown({ sinceMs: backMs, limitMs: STORE_BACK_MS, isHarmed });
  await noticed;
  await comeBack(stage, "data2");
}
