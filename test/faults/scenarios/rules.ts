// Operators' rules take effect at once, and outlive a node of each role and then all of them. They are set through
// SOFARegistry's own paths, and real Java clients are among the subscribers.

import { isJavaClient, JAVA_HOST, VICTIM_HOST } from "../clients/workload.ts";
import { ADMIN_TOKEN } from "../cluster/adminToken.ts";
import { NODES, SESSIONS } from "../cluster/cluster.ts";
import { monotonicMs, readToken } from "../history/event.ts";
import { runCommand } from "../net/command.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill, USUAL_CHURN } from "./steps.ts";

// The promise: subscribers see the change so soon after the operator's call has returned. SOFARegistry: 4.7 s.
export const SEEN_MS = 200;
const ANSWER_MS = 2_000;
// After the death of a node of each role, and of all.
export const ALL_BACK_MS = 30_000;
// The leader's lease.
export const LEAD_ENDS_MS = 60_000;
// After this time without a change, the next one is pushed at once.
export const CALM_MS = 2_000;
// Long enough that a push which should not come would have come.
export const WATCHED_MS = 2_000;

export const RULE_SCENARIOS: readonly Scenario[] = [
  {
    name: "clients-offline",
    about:
      "an operator takes clients offline; a node of each role is killed, then all nine; the clients come online; then at the sessions",
    lane: 1,
    isAlone: true,
    hasJava: true,
    run: clientsOffline,
  },
  {
    name: "pushes-stopped",
    about: "an operator stops all pushes; a node of each role is killed; the pushes go on",
    lane: 1,
    isAlone: true,
    hasJava: true,
    run: pushesStopped,
  },
  {
    name: "pushes-opened-for-some",
    about: "an operator stops all pushes but those to the Java clients; all nine nodes are killed; the pushes go on",
    lane: 1,
    isAlone: true,
    hasJava: true,
    run: pushesOpenedForSome,
  },
  {
    name: "service-blacklisted",
    about: "an operator puts a service on the blacklist; a node of each role is killed, then all nine; it is taken off",
    lane: 1,
    isAlone: true,
    hasJava: true,
    run: serviceBlacklisted,
  },
  {
    name: "pushes-stopped-without-meta",
    about: "PostgreSQL is killed; without a leader, an operator stops all pushes at the sessions; the pushes go on",
    lane: 1,
    isAlone: true,
    hasJava: true,
    run: pushesStoppedWithoutMeta,
  },
];

async function clientsOffline(stage: Stage): Promise<void> {
  const { fleet, network, workload } = stage;
  const victims = new Set(workload.registrations.flatMap(({ client }) => (client.startsWith("v") ? [client] : [])));
  const isVictim = (token: string) => victims.has(readToken(token)?.registration.split(".")[0] ?? "");
  const living = () =>
    [...fleet.records.subscriptions.values()].filter(({ client }) => !fleet.records.deaths.has(client));
  const ips = new URLSearchParams({ ips: network.address(VICTIM_HOST) });
  const absence = { clients: victims, fromMs: monotonicMs(), untilMs: Number.POSITIVE_INFINITY };
  stage.absences.push(absence);

  // After the registrations of the start: under steady change, pushes are gathered for longer than is allowed here.
  await stage.pause(CALM_MS);
  const offMs = await operate(stage, "clients off", { path: "/api/clientManager/clientOff", form: ips });
  const isGone = () => living().every(({ shown }) => shown?.tokens.some(isVictim) !== true);
  await seenInTime(stage, { what: "off", sinceMs: offMs, isSeen: isGone });
  const goneMs = monotonicMs();

  stage.startChurn(USUAL_CHURN);
  await killOneOfEach(stage);
  await stage.stopChurn();
  const startedMs = await restartAll(stage);
  const others = ({ client }: { client: string }) => !victims.has(client);
  await stage.changesAreShown({ sinceMs: startedMs, limitMs: ALL_BACK_MS, mayChange: others });
  const shown = fleet.events.find((event) => event.kind === "push" && event.t > goneMs && event.tokens.some(isVictim));
  if (shown !== undefined) stage.fail(`a client that is offline was shown: ${JSON.stringify(shown)}`);

  const openMs = await operate(stage, "clients open", { path: "/api/clientManager/clientOpen", form: ips });
  const registrations = [...fleet.records.living()].filter(({ client }) => victims.has(client));
  const isBack = () =>
    registrations.every(({ service, calls }) => {
      const token = calls.at(-1)?.token ?? "";
      return living().every((one) => one.service !== service || one.shown?.tokens.includes(token) === true);
    });
  await seenInTime(stage, { what: "open", sinceMs: openMs, isSeen: isBack });

  // Once more, by a session for all sessions: nothing is kept of that, and no meta node takes part.
  await stage.pause(CALM_MS);
  const askZone = async (name: string) => {
    const path = `/api/clientManager/zone/${name}`;
    await stage.act(`${name} at all sessions`, async () => {
      const answer = await askWithin(stage, SESSIONS[1], { path, method: "POST", form: ips });
      if (!answer.includes('"success":true')) stage.fail(`${path} was answered ${answer}`);
    });
    return monotonicMs();
  };
  await seenInTime(stage, { what: "off at the sessions", sinceMs: await askZone("clientOff"), isSeen: isGone });
  // The sessions end the clients' connections, as SOFARegistry does; how soon they come back is theirs.
  await askZone("clientOpen");
  if (!(await fleet.until(isBack, ALL_BACK_MS))) stage.fail("open at the sessions: not seen by all subscribers");
}

async function pushesStopped(stage: Stage): Promise<void> {
  const { fleet, workload } = stage;
  await operate(stage, "pushes stopped", { path: "/stopPushDataSwitch/open" });
  // What was on its way when the call returned may still come.
  await stage.pause(SEEN_MS);
  const stoppedMs = monotonicMs();
  const changes = workload.changeEverything();
  const done = workload.guard(changes);
  await killOneOfEach(stage);
  await stage.pause(WATCHED_MS);
  const pushed = fleet.events.find(({ kind, t }) => kind === "push" && t > stoppedMs);
  if (pushed !== undefined) stage.fail(`a list was pushed while pushes were stopped: ${JSON.stringify(pushed)}`);

  const openMs = await operate(stage, "pushes go on", { path: "/stopPushDataSwitch/close" });
  const isShown = () => changes.every((change) => workload.shownEverywhere(change, () => true) !== undefined);
  await seenInTime(stage, { what: "held changes", sinceMs: openMs, isSeen: isShown });
  done();
}

async function pushesOpenedForSome(stage: Stage): Promise<void> {
  const { fleet, network, workload } = stage;
  await operate(stage, "pushes stopped", { path: "/stopPushDataSwitch/open" });
  await operate(stage, "pushes opened for Java", {
    path: "/stopPushDataSwitch/grayOpen",
    json: { ips: [network.address(JAVA_HOST)] },
  });
  // Pushes that were on their way when the call returned may still come.
  await stage.pause(SEEN_MS);
  const stoppedMs = monotonicMs();
  for (const when of ["before", "after"]) {
    const changes = workload.changeEverything();
    const done = workload.guard(changes);
    const sinceMs = monotonicMs();
    const isShown = () => changes.every((change) => workload.shownEverywhere(change, isJavaClient) !== undefined);
    if (await fleet.until(isShown, ALL_BACK_MS)) {
      stage.notes.push(`${when}: the open clients saw a change after ${Math.round(monotonicMs() - sinceMs)} ms`);
    } else stage.fail(`the open clients did not see a change ${when} the restart`);
    done();
    if (when === "after") break;
    await restartAll(stage);
  }
  const isHeld = (client: string) => !isJavaClient(client);
  const pushed = fleet.events.find((event) => event.kind === "push" && event.t > stoppedMs && isHeld(event.client));
  if (pushed !== undefined) stage.fail(`a list was pushed to a client that is not open: ${JSON.stringify(pushed)}`);

  const changes = workload.changeEverything();
  const done = workload.guard(changes);
  const openMs = await operate(stage, "pushes go on", { path: "/stopPushDataSwitch/close" });
  const isShown = () => changes.every((change) => workload.shownEverywhere(change, () => true) !== undefined);
  await seenInTime(stage, { what: "held changes", sinceMs: openMs, isSeen: isShown });
  done();
}

async function serviceBlacklisted(stage: Stage): Promise<void> {
  const { fleet, workload } = stage;
  const [{ name: service } = { name: "" }] = workload.services;
  const isMeant = (one: { readonly service: string }) => one.service === service;
  const living = () =>
    [...fleet.records.subscriptions.values()].filter((one) => isMeant(one) && !fleet.records.deaths.has(one.client));
  const clients = new Set(workload.registrations.filter(isMeant).map(({ client }) => client));
  stage.absences.push({ clients, fromMs: monotonicMs(), untilMs: Number.POSITIVE_INFINITY });
  const form = new URLSearchParams({ dataId: service });

  await stage.pause(CALM_MS);
  const offMs = await operate(stage, "service blacklisted", { path: "/datainfoid/blacklist/add", form });
  const isGone = () => living().every(({ shown }) => (shown?.tokens.length ?? 0) === 0);
  await seenInTime(stage, { what: "blacklisted", sinceMs: offMs, isSeen: isGone });
  const goneMs = monotonicMs();

  const others = (one: { readonly service: string }) => !isMeant(one);
  stage.startChurn(USUAL_CHURN, others);
  await killOneOfEach(stage);
  await stage.stopChurn();
  const startedMs = await restartAll(stage);
  await stage.changesAreShown({ sinceMs: startedMs, limitMs: ALL_BACK_MS, mayChange: others });
  const subscribers = new Set(living().map(({ name }) => name));
  const shown = fleet.events.find(
    (event) =>
      event.kind === "push" && event.t > goneMs && subscribers.has(event.subscription) && event.tokens.length > 0,
  );
  if (shown !== undefined) stage.fail(`a service on the blacklist was shown: ${JSON.stringify(shown)}`);

  const openMs = await operate(stage, "service taken off", { path: "/datainfoid/blacklist/delete", form });
  const registrations = [...fleet.records.living()].filter(isMeant);
  const isBack = () =>
    registrations.every(({ calls }) => {
      const token = calls.at(-1)?.token ?? "";
      return living().every((one) => one.shown?.tokens.includes(token) === true);
    });
  await seenInTime(stage, { what: "taken off", sinceMs: openMs, isSeen: isBack });
}

async function pushesStoppedWithoutMeta(stage: Stage): Promise<void> {
  const { cluster, fleet, store, workload } = stage;
  const [first, second] = SESSIONS;
  const stop = { path: "/api/emergency/pushSwitch/stop", method: "POST" };
  const early = await askWithin(stage, second, stop);
  if (!early.includes("leader is healthy")) stage.fail(`with a leader, ${stop.path} was answered ${early}`);

  await stage.act("PostgreSQL is killed", () => store.kill());
  if (!(await cluster.until(LEAD_ENDS_MS, async () => (await cluster.status()).metaLeader === undefined))) {
    return stage.fail("a meta node still leads, without its store");
  }
  const stopZone = { path: "/api/emergency/pushSwitch/zone/stop", method: "GET" };
  const outside = await fetch(`${cluster.node(first).httpUrl}${stopZone.path}`);
  if (outside.status !== 403) stage.fail(`a caller on another machine was answered ${outside.status}`);
  await stage.act("pushes stopped at the sessions", async () => {
    for (const [node, call] of [
      [second, stop],
      [first, stopZone],
    ] as const) {
      const answer = await askWithin(stage, node, call);
      if (!answer.includes('"success":true')) stage.fail(`${call.path} was answered ${answer}`);
    }
  });
  await stage.pause(SEEN_MS);
  const stoppedMs = monotonicMs();
  const changes = workload.changeEverything();
  const done = workload.guard(changes);
  await stage.pause(WATCHED_MS);
  await stage.act("PostgreSQL is started", () => store.start());
  await cluster.metaLeader();
  const pushed = fleet.events.find(({ kind, t }) => kind === "push" && t > stoppedMs);
  if (pushed !== undefined) stage.fail(`a list was pushed while pushes were stopped: ${JSON.stringify(pushed)}`);

  const openMs = await operate(stage, "pushes go on", { path: "/stopPushDataSwitch/close" });
  const isShown = () => changes.every((change) => workload.shownEverywhere(change, () => true) !== undefined);
  await seenInTime(stage, { what: "held changes", sinceMs: openMs, isSeen: isShown });
  done();
}

/** Calls a path of a session from its own host. Resolves to the answer. */
async function askWithin(
  { cluster, network }: Stage,
  node: string,
  { path, method, form }: Pick<Call, "path" | "form"> & { readonly method: string },
): Promise<string> {
  const url = `${cluster.node(node).httpUrl}${path}`;
  const headers = form && { "content-type": "application/x-www-form-urlencoded" };
  const options = JSON.stringify({ method, headers, body: form?.toString() });
  const program = `process.stdout.write(await (await fetch("${url}", ${options})).text())`;
  return runCommand(network.on(node, [process.execPath, "--input-type=module", "--eval", program]));
}

interface Call {
  readonly path: string;
  /** POST with a form or JSON, GET without. */
  readonly method?: string;
  readonly form?: URLSearchParams;
  readonly json?: object;
}

/** Calls a path of SOFARegistry's at the leading meta node. Resolves to the time at which the call had returned. */
export async function operate(stage: Stage, what: string, { path, method, form, json }: Call): Promise<number> {
  const leader = stage.cluster.node(await stage.cluster.metaLeader());
  await stage.act(what, async () => {
    // It asks from another host than the node's.
    const authorization = `Bearer ${ADMIN_TOKEN}`;
    const headers = { authorization, ...(json !== undefined && { "content-type": "application/json" }) };
    const body = json === undefined ? form : JSON.stringify(json);
    const request = { method: method ?? (body === undefined ? "GET" : "POST"), headers, ...(body && { body }) };
    const answer = await fetch(`${leader.httpUrl}${path}`, { ...request, signal: AbortSignal.timeout(ANSWER_MS) });
    const text = await answer.text();
    if (!answer.ok || !text.includes('"success":true')) stage.fail(`${path} was answered ${answer.status} ${text}`);
  });
  return monotonicMs();
}

export async function seenInTime(
  stage: Stage,
  { what, sinceMs, isSeen }: { what: string; sinceMs: number; isSeen: () => boolean },
): Promise<void> {
  if (!(await stage.fleet.until(isSeen, ALL_BACK_MS))) return stage.fail(`${what}: not seen by all subscribers`);
  const lastMs = Math.max(sinceMs, ...stage.fleet.events.flatMap(({ kind, t }) => (kind === "push" ? [t] : [])));
  const tookMs = Math.round(lastMs - sinceMs);
  stage.notes.push(`${what}: seen by all ${tookMs} ms after the call had returned`);
  if (tookMs > SEEN_MS) stage.fail(`${what}: seen by all after ${tookMs} ms, ${SEEN_MS} ms allowed`);
}

/** Kills all nine nodes and starts them again. Resolves to the time of the start. */
export async function restartAll(stage: Stage): Promise<number> {
  // The size of a service is on the disk 20 to 50 ms after its last registration, which is not waited for otherwise.
  await stage.pause(CALM_MS);
  await kill(stage, ...NODES);
  const startedMs = monotonicMs();
  await comeBack(stage, ...NODES);
  return startedMs;
}

/** Kills the leading meta node, a data node and a session at once, and waits until the cluster is whole again. */
export async function killOneOfEach(stage: Stage): Promise<void> {
  const nodes = [await stage.cluster.metaLeader(), "data1", "session1"];
  await kill(stage, ...nodes);
  await comeBack(stage, ...nodes);
}
