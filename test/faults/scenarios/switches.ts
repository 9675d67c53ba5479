// SOFARegistry's switches beside its rules: each is set, outlives what happens to the nodes, and is taken back.

import { isJavaClient, JAVA_HOST, VICTIM_HOST } from "../clients/workload.ts";
import { ADMIN_TOKEN } from "../cluster/adminToken.ts";
import { DATAS, SESSIONS } from "../cluster/cluster.ts";
import { type HistoryEvent, monotonicMs, readToken } from "../history/event.ts";
import type { Stage } from "../stage.ts";
import { ALL_BACK_MS, CALM_MS, killOneOfEach, operate, restartAll, SEEN_MS, seenInTime, WATCHED_MS } from "./rules.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill, leadNothing, leadsAnother } from "./steps.ts";

const SLOTS = "/openapi/v1/slot/table/reconcile";
const STEP_DOWN = "/meta/leader/quit/election";
const NODE_GONE_MS = 20_000;
// After several refusals in a row the Java client sleeps for up to 10 s between its tries, whatever servers do.
const LET_IN_MS = 60_000;
const SETTING = "push-window-max-ms";
const SET_TO = "750";

export const SWITCH_SCENARIOS: readonly Scenario[] = [
  {
    name: "switches-outlive-nodes",
    about:
      "addresses are blacklisted, a circuit is broken, a setting changed; a node of each role is killed, then all nine",
    lane: 1,
    isAlone: true,
    hasJava: true,
    run: switchesOutliveNodes,
  },
  {
    name: "slots-paused",
    about: "the arrangement of slots is paused; the meta leader steps down; a data node is killed and comes back",
    lane: 1,
    run: slotsPaused,
  },
  {
    name: "data-node-quits",
    about: "a data node quits the group; the meta leader is killed; the node joins",
    lane: 2,
    run: dataNodeQuits,
  },
  {
    name: "clients-shut-out",
    about: "sessions are shut down for clients; the meta leader and a session are killed; they take clients again",
    lane: 2,
    hasJava: true,
    run: clientsShutOut,
  },
];

async function switchesOutliveNodes(stage: Stage): Promise<void> {
  const { fleet, network, workload } = stage;
  const victims = new Set(workload.registrations.flatMap(({ client }) => (client.startsWith("v") ? [client] : [])));
  const isVictim = (token: string) => victims.has(readToken(token)?.registration.split(".")[0] ?? "");
  const living = () =>
    [...fleet.records.subscriptions.values()].filter(({ client }) => !fleet.records.deaths.has(client));
  stage.absences.push({ clients: victims, fromMs: monotonicMs(), untilMs: Number.POSITIVE_INFINITY });

  await stage.pause(CALM_MS);
  const lists = { FORBIDDEN_PUB: { IP_FULL: [network.address(VICTIM_HOST)] } };
  const listedMs = await operate(stage, "addresses blacklisted", { path: "/blacklist/update", json: lists });
  const isGone = () => living().every(({ shown }) => shown?.tokens.some(isVictim) !== true);
  await seenInTime(stage, { what: "blacklisted", sinceMs: listedMs, isSeen: isGone });
  const ips = new URLSearchParams({ option: "stopPush", ips: network.address(JAVA_HOST) });
  await operate(stage, "the Java clients' circuit", { path: "/circuit/breaker/add", form: ips });
  await operate(stage, "circuits broken", { path: "/circuit/breaker/switch/open", method: "POST" });
  await changeSetting(stage, SETTING, SET_TO);
  // A push that was on its way when the call returned may still come.
  await stage.pause(SEEN_MS);
  const brokenMs = monotonicMs();

  await killOneOfEach(stage);
  await settingIs(stage, SET_TO);
  const startedMs = await restartAll(stage);
  await settingIs(stage, SET_TO);
  const isOpen = (client: string) => !isJavaClient(client);
  const mayChange = ({ client }: { client: string }) => !victims.has(client);
  await stage.changesAreShown({ sinceMs: startedMs, limitMs: ALL_BACK_MS, mayChange, isAwaited: isOpen });
  const pushed = fleet.events.find(
    (event) =>
      event.kind === "push" && event.t > brokenMs && (isJavaClient(event.client) || event.tokens.some(isVictim)),
  );
  if (pushed !== undefined) stage.fail(`in spite of the switches this was pushed: ${JSON.stringify(pushed)}`);

  await changeSetting(stage, SETTING, undefined);
  await stage.pause(CALM_MS);
  await operate(stage, "no address blacklisted", { path: "/blacklist/update", json: {} });
  const changes = workload.changeEverything();
  const done = workload.guard(changes);
  await operate(stage, "circuits closed", { path: "/circuit/breaker/switch/close", method: "POST" });
  const isShown = () => changes.every((change) => workload.shownEverywhere(change, () => true) !== undefined);
  if (!(await fleet.until(isShown, ALL_BACK_MS))) stage.fail("the Java clients did not get what was held");
  done();
}

async function slotsPaused(stage: Stage): Promise<void> {
  const { cluster } = stage;
  await operate(stage, "slots paused", { path: `${SLOTS}/stop`, method: "PUT" });
  const before = await cluster.metaLeader();
  const quitMs = await operate(stage, "the leader steps down", { path: STEP_DOWN, method: "PUT" });
  await stage.noticed(quitMs, NODE_GONE_MS, () => leadsAnother(stage, before));
  const killedMs = await kill(stage, "data1");
  if (!(await cluster.until(NODE_GONE_MS, () => leadNothing(stage, "data1")))) {
    return stage.fail("the slots of a dead node have no leader in a pause");
  }
  await stage.changesAreShown({ sinceMs: killedMs, limitMs: ALL_BACK_MS });
  await stage.act("data1 started again", () => cluster.node("data1").start());
  await cluster.until(NODE_GONE_MS, async () => (await cluster.status()).members.has("data1"));
  await stage.pause(WATCHED_MS);
  if (!(await leadNothing(stage, "data1"))) stage.fail("in a pause, a new data node was given slots");

  await operate(stage, "slots arranged again", { path: `${SLOTS}/start`, method: "PUT" });
  await comeBack(stage);
}

async function dataNodeQuits(stage: Stage): Promise<void> {
  const { cluster, network } = stage;
  const group = (action: string) => `/opsapi/v2/server/group/${action}/${network.address("data1")}`;
  const form = new URLSearchParams({ cell: "DEFAULT_ZONE", nodeType: "data" });
  const quitMs = await operate(stage, "data1 quits", { path: group("quit"), method: "PUT", form });
  await stage.noticed(quitMs, NODE_GONE_MS, () => leadNothing(stage, "data1"));
  await stage.changesAreShown({ sinceMs: quitMs, limitMs: ALL_BACK_MS });
  const leader = await cluster.metaLeader();
  await kill(stage, leader);
  await cluster.until(NODE_GONE_MS, () => leadsAnother(stage, leader));
  await stage.pause(WATCHED_MS);
  if (!(await leadNothing(stage, "data1"))) stage.fail("a node that has quit was given slots by the next leader");

  await operate(stage, "data1 joins", { path: group("join"), method: "PUT", form });
  await comeBack(stage, leader);
}

async function clientsShutOut(stage: Stage): Promise<void> {
  const { cluster, fleet } = stage;
  const shutdown = (value: boolean) => ({
    path: "/shutdown/update",
    form: new URLSearchParams({ shutdown: String(value), token: "any" }),
  });
  await operate(stage, "pushes stopped", { path: "/stopPushDataSwitch/open" });
  const connected = SESSIONS.flatMap((name) => [...stage.clientsOf(name)]);
  const shutMs = monotonicMs();
  await operate(stage, "clients shut out", shutdown(true));
  const areClosed = () => {
    const closed = new Set(fleet.events.flatMap((event) => (isSince(event, "closed", shutMs) ? [event.client] : [])));
    return connected.every((client) => closed.has(client));
  };
  if (!(await fleet.until(areClosed, ALL_BACK_MS))) stage.fail("clients are still connected");
  const leader = await cluster.metaLeader();
  await kill(stage, leader, "session1");
  await cluster.until(NODE_GONE_MS, () => leadsAnother(stage, leader));
  await stage.act("session1 started again", () => cluster.node("session1").start());
  await cluster.until(NODE_GONE_MS, async () => (await cluster.status()).members.has("session1"));
  // It takes clients until it has heard of the switch, a moment after its start.
  await stage.pause(CALM_MS);
  const heardMs = monotonicMs();
  await stage.pause(WATCHED_MS);
  // They connect again and again, and each time are closed a moment later.
  const isTaken = fleet.events.some((event) => isSince(event, "ack", heardMs) || isSince(event, "push", heardMs));
  if (isTaken) stage.fail("a session took clients in spite of the switch");

  const openMs = await operate(stage, "clients let in", shutdown(false));
  await comeBack(stage, leader);
  // Registrations went with their clients: pushes go on when these are back, as the guide tells operators.
  const publishers = [...fleet.records.living()].map(({ client }) => client);
  const areBack = () => {
    const connected = new Set(SESSIONS.flatMap((name) => [...stage.clientsOf(name)]));
    return publishers.every((client) => connected.has(client));
  };
  if (!(await fleet.until(areBack, LET_IN_MS))) stage.fail("the clients did not come back");
  await stage.pause(WATCHED_MS);
  await operate(stage, "pushes go on", { path: "/stopPushDataSwitch/close" });
  await stage.changesAreShown({ sinceMs: openMs, limitMs: LET_IN_MS + ALL_BACK_MS });
}

function isSince<Kind extends HistoryEvent["kind"]>(
  event: HistoryEvent,
  kind: Kind,
  sinceMs: number,
): event is Extract<HistoryEvent, { readonly kind: Kind }> {
  return event.kind === kind && event.t > sinceMs;
}

/** Changes a setting of the cluster by the operators' own interface, at the leading meta node; or ends the change. */
export async function changeSetting(stage: Stage, setting: string, value: string | undefined): Promise<void> {
  const leader = stage.cluster.node(await stage.cluster.metaLeader());
  const url = `${leader.adminUrl}/v1/setting`;
  const proof = { authorization: `Bearer ${ADMIN_TOKEN}` };
  await stage.act(`${setting} is ${value ?? "as configured"}`, async () => {
    const answer = await (value === undefined
      ? fetch(`${url}?setting=${setting}`, { method: "DELETE", headers: proof })
      : fetch(url, {
          method: "PUT",
          headers: { ...proof, "content-type": "application/json" },
          body: JSON.stringify({ setting, value }),
        }));
    if (!answer.ok) stage.fail(`/v1/setting was answered ${answer.status} ${await answer.text()}`);
  });
}

/** Every data node and session says that the setting is in force. */
async function settingIs(stage: Stage, value: string): Promise<void> {
  const nodes = DATAS.length + SESSIONS.length;
  const isSo = await stage.cluster.until(NODE_GONE_MS, async () => {
    const leader = stage.cluster.node(await stage.cluster.metaLeader());
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const answer = await fetch(`${leader.adminUrl}/v1/settings?changed=true`, { headers });
    const { items = [] } = (await answer.json()) as { items?: readonly SettingRow[] };
    const [row] = items.filter(({ setting }) => setting === SETTING);
    return String(row?.inForce) === value && row?.nodes.length === nodes;
  });
  if (!isSo) stage.fail(`${SETTING} is not ${value} at all ${nodes} nodes`);
}

interface SettingRow {
  readonly setting: string;
  readonly inForce: unknown;
  readonly nodes: readonly string[];
}
