// The tree of ZooKeeper's clients while nodes, the store and the network fail: nothing that was acknowledged is lost,
// nothing happens twice, nobody reads backwards, and one client at a time holds a lock.

import { basename, join } from "node:path";
import { judgeTree } from "../../../src/sim/checkers/tree/judgeTree.ts";
import { SESSIONS } from "../cluster/cluster.ts";
import { STORE_HOST } from "../cluster/storeHost.ts";
import { monotonicMs } from "../history/event.ts";
import type { Stage } from "../stage.ts";
import { TreeClients } from "../tree/treeClients.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill } from "./steps.ts";

const HOSTS = ["client1", "client2", "client3"];
const CALM_MS = 3_000;
const AWAY_MS = 8_000;
// A session of 6 s, a new leader of the meta nodes after 5 s, and a busy machine.
const WRITING_AGAIN_MS = 30_000;

export const TREE_SCENARIOS: readonly Scenario[] = [
  {
    name: "tree-nodes-killed",
    about: "kill -9 of a session, of the leading meta node and of another session, while clients use the tree",
    lane: 1,
    run: (stage) => played(stage, nodesKilled),
  },
  {
    name: "tree-store-killed",
    about: "kill -9 of PostgreSQL in the middle of commits of the tree, for 8 s",
    lane: 3,
    run: (stage) => played(stage, storeKilled),
  },
  {
    name: "tree-cut",
    about: "a session is cut off from the meta nodes and the leader from PostgreSQL, while clients use the tree",
    lane: 1,
    run: (stage) => played(stage, cutOff),
  },
];

async function played(stage: Stage, fault: (stage: Stage) => Promise<void>): Promise<void> {
  const { network, cluster, dir } = stage;
  const sessions = cluster.sessions.map(({ host }) => host);
  // The scenario's own: a cluster plays several.
  const root = `/${basename(dir)}`;
  const clients = new TreeClients({ network, root, hosts: HOSTS, sessions, file: join(dir, "tree.jsonl") });
  try {
    const begunMs = monotonicMs();
    const allWrite = (sinceMs: number) => async () => clients.writersSince(sinceMs).size === clients.count;
    if (!(await cluster.until(WRITING_AGAIN_MS, allWrite(begunMs)))) stage.fail("not all clients of the tree write");
    await stage.pause(CALM_MS);
    await fault(stage);
    const healedMs = monotonicMs();
    if (!(await cluster.until(WRITING_AGAIN_MS, allWrite(healedMs)))) {
      const written = [...clients.writersSince(healedMs)].join(", ");
      stage.fail(`after the faults only these clients of the tree write again: ${written}`);
    }
    stage.times.convergenceMs = monotonicMs() - healedMs;
    await stage.pause(CALM_MS);
  } finally {
    await clients.end();
  }
  for (const finding of judgeTree(clients.events)) stage.fail(finding);
  const count = (kind: string) => clients.events.filter((event) => event.kind === kind).length;
  stage.notes.push(
    `${count("write")} writes, ${count("read")} reads, ${count("created")} sequential, ${count("held")} locks`,
  );
}

async function nodesKilled(stage: Stage): Promise<void> {
  const leader = await stage.cluster.metaLeader();
  await kill(stage, "session1");
  await stage.pause(CALM_MS);
  await kill(stage, leader);
  await stage.pause(AWAY_MS);
  await comeBack(stage, "session1", leader);
  await kill(stage, "session2");
  await stage.pause(CALM_MS);
  await comeBack(stage, "session2");
}

async function storeKilled(stage: Stage): Promise<void> {
  await stage.act("PostgreSQL is killed", () => stage.store.kill());
  await stage.pause(AWAY_MS);
  await stage.act("PostgreSQL is started", () => stage.store.start());
}

async function cutOff(stage: Stage): Promise<void> {
  const { network, cluster } = stage;
  const [session] = SESSIONS;
  const metas = ["meta1", "meta2", "meta3"];
  await stage.act(`${session} | meta nodes`, () => network.cut([session], metas));
  await stage.pause(AWAY_MS);
  await stage.act("the network is whole", () => network.heal());
  const leader = await cluster.metaLeader();
  await stage.act(`${leader} | PostgreSQL`, () => network.cut([leader], [STORE_HOST]));
  await stage.pause(AWAY_MS);
  await stage.act("the network is whole", () => network.heal());
}
