// What operators have besides: sessions that list those of a zone, publishers that are added by hand, and rules made by
// every way there is. All of it outlives a node of each role, and the rules all nine.

import { TestClient } from "../../../src/server/testing/testClient.ts";
import { isJavaClient, JAVA_HOST, SUBSCRIBER_HOST, VICTIM_HOST } from "../clients/workload.ts";
import { ADMIN_TOKEN } from "../cluster/adminToken.ts";
import { SESSIONS } from "../cluster/cluster.ts";
import { BOLT_PORT } from "../cluster/nodeProcess.ts";
import { monotonicMs, readToken } from "../history/event.ts";
import type { Stage } from "../stage.ts";
import { ALL_BACK_MS, CALM_MS, killOneOfEach, operate, restartAll, SEEN_MS, WATCHED_MS } from "./rules.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, kill } from "./steps.ts";
import { changeSetting } from "./switches.ts";

const OTHER_ZONE = "Z3";
const IN_OTHER_ZONE = "session3";
// No client of the workload is in it.
const CLOSED_ZONE = "Z9";
const WITH_TEST_API = "data1";
// A third of all services is led by each data node.
const NAMES_MAX = 200;
const ANSWER_MS = 2_000;
const SETTING = "client-registrations-max";
// More than any client of the workload has.
const REGISTRATIONS_MAX = 40;
const VALUE = "rules-by-every-way.value";
const POLL_MS = 5;
const SWITCH = { instanceId: "9600", group: "CONFIG" } as const;
const BLACKLIST = { ...SWITCH, dataId: "session.blacklist.data" } as const;

export const OPERATOR_SCENARIOS: readonly Scenario[] = [
  {
    name: "zones-apart",
    about: "sessions of two zones list their own; publishers are added by hand; a node of each role is killed",
    lane: 2,
    hasJava: true,
    run: zonesApart,
  },
  {
    name: "rules-by-every-way",
    about: "rules by forms, values, settings and clients' own words; a node of each role is killed, then all nine",
    lane: 1,
    isAlone: true,
    hasJava: true,
    run: rulesByEveryWay,
  },
];

async function zonesApart(stage: Stage): Promise<void> {
  const { cluster, fleet } = stage;
  for (const name of SESSIONS) {
    const zone = name === IN_OTHER_ZONE ? { ROSTER_ZONE: OTHER_ZONE } : {};
    const settings = { ROSTER_SOFA_SERVER_LIST: "zone", ROSTER_SOFA_INVALID_FOREVER_ZONES: CLOSED_ZONE };
    cluster.node(name).configure({ ...settings, ...zone });
  }
  cluster.node(WITH_TEST_API).configure({ ROSTER_SOFA_TEST_API: "true" });
  await killOneOfEach(stage);
  await restart(stage, ...SESSIONS.filter((name) => name !== "session1"));
  const probe = probeAt(stage, "session1");
  try {
    const [{ name: service } = { name: "" }] = stage.workload.services;
    await listsAreOfZones(stage);
    // New Java clients, which ask the session of the other zone for theirs: they name none, so they are in this one.
    const newcomers = ["j7", "j8", "j9"];
    for (const client of newcomers) {
      fleet.open(client, { host: JAVA_HOST, first: IN_OTHER_ZONE });
      fleet.subscribe(client, `${client}.0`, service);
    }
    const areThere = () => newcomers.every((client) => fleet.records.connections.has(client));
    if (!(await fleet.until(areThere, ALL_BACK_MS))) stage.fail("new Java clients do not connect");
    const strays = newcomers.filter((client) => stage.clientsOf(IN_OTHER_ZONE).has(client));
    if (strays.length > 0) stage.fail(`in spite of their zone, ${strays.join(", ")} went to ${IN_OTHER_ZONE}`);

    await zoneIsClosed(stage, probe, "before");
    await publisherIsAdded(stage, probe, "before");
    await killOneOfEach(stage);
    await listsAreOfZones(stage);
    await zoneIsClosed(stage, probe, "after");
    await publisherIsAdded(stage, probe, "after");
  } finally {
    probe.close();
    for (const name of [...SESSIONS, WITH_TEST_API]) cluster.node(name).configure({});
  }
  // In two steps: lists must not wait for all sessions on a busy machine.
  await restart(stage, "session1", WITH_TEST_API);
  const startedMs = await restart(stage, ...SESSIONS.filter((name) => name !== "session1"));
  await stage.changesAreShown({ sinceMs: startedMs, limitMs: ALL_BACK_MS });
}

/** Kills nodes at once and starts them again. Resolves to the time of the start. */
async function restart(stage: Stage, ...names: readonly string[]): Promise<number> {
  await kill(stage, ...names);
  const startedMs = monotonicMs();
  await comeBack(stage, ...names);
  return startedMs;
}

/** The sessions' lists of servers, by zone and with weights, are what they are to be. */
async function listsAreOfZones(stage: Stage): Promise<void> {
  const { cluster, network } = stage;
  const server = (name: string) => `${network.address(name)}:${BOLT_PORT}`;
  const own = SESSIONS.filter((name) => name !== IN_OTHER_ZONE);
  const weighted = () => own.map((name) => `${server(name)}?weight=${connectionsOf(stage, name)}`);
  const expected: readonly (readonly [string, string, () => readonly string[]])[] = [
    ["session1", "query", () => own.map(server)],
    ["session1", `query?zone=${OTHER_ZONE.toLowerCase()}`, () => [server(IN_OTHER_ZONE)]],
    [IN_OTHER_ZONE, "query", () => [server(IN_OTHER_ZONE)]],
    ["session2", "query?zone=Z9", () => []],
    ["session2", "dataCenter", () => SESSIONS.map(server)],
    ["session2", "queryWithWeight", weighted],
  ];
  for (const [asked, path, wanted] of expected) {
    let last = "";
    const isSo = await cluster.until(ALL_BACK_MS, async () => {
      const answer = await fetch(`${cluster.node(asked).httpUrl}/api/servers/${path}`);
      last = await answer.text();
      const list = last.startsWith("[") ? (JSON.parse(last) as string[]) : last.split(";").filter((one) => one !== "");
      return list.sort().join() === [...wanted()].sort().join();
    });
    if (!isSo) stage.fail(`${asked} answers ${path} with ${last}, expected ${wanted().join()}`);
  }
}

/** The clients of a session, with the probe, which is at the first one. */
function connectionsOf(stage: Stage, session: string): number {
  return stage.clientsOf(session).size + (session === "session1" ? 1 : 0);
}

/** A publisher of the closed zone is seen by its zone's clients alone. */
async function zoneIsClosed(stage: Stage, outsider: TestClient, when: string): Promise<void> {
  const insider = probeAt(stage, "session2", CLOSED_ZONE);
  try {
    const service = `${stage.workload.services[0]?.name}.closed.${when}`;
    for (const client of [insider, outsider]) client.subscribe(service);
    insider.publish(service, "inside");
    await isListed(stage, insider, { service, value: "inside" });
    outsider.publish(service, "outside");
    await isListed(stage, insider, { service, value: "inside outside" });
    await isListed(stage, outsider, { service, value: "outside" });
  } finally {
    insider.close();
  }
}

/** A publisher that no client has is added by hand, shown, and taken away. */
async function publisherIsAdded(stage: Stage, probe: TestClient, value: string): Promise<void> {
  const { cluster } = stage;
  let service = "";
  for (let at = 0; service === "" && at < NAMES_MAX; at++) {
    const name = `${stage.workload.services[0]?.name}.${value}${at}`;
    if ((await cluster.leaderOf(name)) === WITH_TEST_API) service = name;
  }
  probe.subscribe(service);
  const { httpUrl } = cluster.node(WITH_TEST_API);
  const dataInfoId = keyOf(service);
  const publisher = {
    dataInfoId,
    publisherDataBox: value,
    publisherCell: "DEFAULT_ZONE",
    publisherConnectId: "10.0.0.1:12200_10.0.0.2:9600",
    publisherRegisterId: "added by hand",
    publisherVersion: 1,
  };
  // As in SOFARegistry, the service has to be there: it is since a subscriber asked for it.
  const isThere = () => cluster.until(ALL_BACK_MS, async () => probe.lists.has(service));
  if (!(await isThere())) stage.fail(`${service} is not pushed`);
  await done(stage, `${httpUrl}/datum/api/pub/add`, JSON.stringify(publisher));
  await isListed(stage, probe, { service, value });
  const removed = { dataInfoId, publisherRegisterId: "added by hand" };
  await done(stage, `${httpUrl}/datum/api/pub/delete`, JSON.stringify(removed));
  await isListed(stage, probe, { service, value: "" });
}

async function rulesByEveryWay(stage: Stage): Promise<void> {
  const { cluster, fleet, network, workload } = stage;
  const [shy = "", watched = ""] = workload.services.map(({ name }, at) => (at === 0 ? `${name}.shy` : name));
  await victimsOffAtSessions(stage);

  const probe = probeAt(stage, "session2");
  // A watched value has no form in protobuf.
  const watchers = SESSIONS.map((name) => new TestClient(() => BOLT_PORT, { host: network.address(name) }));
  for (const watcher of watchers) watcher.watchConfig(VALUE);
  const java = new Set(workload.registrations.flatMap(({ client }) => (isJavaClient(client) ? [client] : [])));
  const isJava = (token: string) => java.has(readToken(token)?.registration.split(".")[0] ?? "");
  const isHeld = (client: string) => isJavaClient(client) || client.startsWith("s");
  stage.absences.push({ clients: java, fromMs: monotonicMs(), untilMs: Number.POSITIVE_INFINITY });
  const address = network.address(JAVA_HOST);
  const off = new URLSearchParams({ ips: JSON.stringify([{ address, pub: true, sub: true }]) });
  const held = { FORBIDDEN_SUB_BY_PREFIX: { IP_FULL: [network.address(SUBSCRIBER_HOST)] } };
  try {
    const blocked = probe.publish(shy, "here", new Map([["!Blocked", "true"]]));
    probe.subscribe(shy);
    for (const { name } of workload.services) probe.subscribe(name);
    await operate(stage, "compression on", {
      path: "/compress/push/switch",
      json: { enabled: true, compressMinSize: 1, forbidEncodes: ["gzip"] },
    });
    await changeSetting(stage, SETTING, String(REGISTRATIONS_MAX));
    await operate(stage, "Java clients off with their pushes", {
      path: "/api/clientManager/clientOffWithSub",
      form: off,
    });
    await operate(stage, "pushes held by a value", {
      path: "/persistentData/put",
      json: { ...BLACKLIST, data: JSON.stringify(held) },
    });
    await operate(stage, "slots arranged", { path: "/openapi/v1/slot/table/force/refresh", method: "PUT" });
    // A push that was on its way when the call returned may still come.
    await stage.pause(SEEN_MS);
    const heldMs = monotonicMs();

    const areRules = async (when: string) => {
      await valueIsPushed(stage, watchers, when);
      const changes = workload.changeEverything(({ client }) => !java.has(client));
      const done = workload.guard(changes);
      const tokens = changes.map(({ registration: { name }, version }) => `${name}~${version}`);
      const encoded = probe.encodings.length;
      const isShown = () => tokens.every((token) => workload.services.some(({ name }) => shows(probe, name, token)));
      if (!(await cluster.until(ALL_BACK_MS, async () => isShown()))) stage.fail("the probe was not shown changes");
      done();
      if (probe.list(watched).split(" ").some(isJava)) stage.fail(`a client that is off is in ${probe.list(watched)}`);
      if (probe.list(shy) !== "") stage.fail(`a publisher with !Blocked is listed: ${probe.list(shy)}`);
      if (!probe.encodings.slice(encoded).includes("zstd")) stage.fail("nothing was pushed compressed");
      await limitIsKept(stage);
      const shown = await asked(stage, "/api/clientManager/query");
      if (!shown.includes(network.address(JAVA_HOST))) stage.fail(`the clients that are off are ${shown}`);
    };
    await areRules("before");
    await killOneOfEach(stage);
    await areRules("one of each killed");
    await restartAll(stage);
    await areRules("all killed");
    await stage.pause(WATCHED_MS);
    const pushed = fleet.events.find((event) => event.kind === "push" && event.t > heldMs && isHeld(event.client));
    if (pushed !== undefined) stage.fail(`in spite of the rules this was pushed: ${JSON.stringify(pushed)}`);

    await rulesTakenBack(stage);
    probe.unpublish(blocked);
    probe.publish(shy, "here");
    await isListed(stage, probe, { service: shy, value: "here" });
  } finally {
    for (const client of [probe, ...watchers]) client.close();
  }
}

/** Each by a way of its own. */
async function rulesTakenBack(stage: Stage): Promise<void> {
  await operate(stage, "Java clients back", {
    path: "/api/clientManager/reduce",
    form: new URLSearchParams({ ips: stage.network.address(JAVA_HOST) }),
  });
  await operate(stage, "pushes go on", { path: "/persistentData/remove", json: BLACKLIST });
  await operate(stage, "compression as configured", {
    path: "/persistentData/remove",
    json: { ...SWITCH, dataId: "compress.push.switch" },
  });
  await changeSetting(stage, SETTING, undefined);
}

/** A value that an operator sets is pushed to its watchers at all sessions. */
async function valueIsPushed(stage: Stage, watchers: readonly TestClient[], value: string): Promise<void> {
  const shown = (watcher: TestClient) => watcher.configs.get(VALUE)?.at(-1);
  const areBack = () => stage.cluster.until(ALL_BACK_MS, async () => watchers.every(({ undone }) => undone === 0));
  if (!(await areBack())) stage.fail("watchers of a value are not registered");
  const sinceMs = await operate(stage, `the value is "${value}"`, {
    path: "/persistentData/put",
    json: { dataId: VALUE, group: "DEFAULT_GROUP", data: value },
  });
  while (watchers.some((watcher) => shown(watcher) !== value) && stage.sinceMs(sinceMs) < ALL_BACK_MS) {
    await stage.pause(POLL_MS);
  }
  const wrong = watchers.filter((watcher) => shown(watcher) !== value);
  if (wrong.length > 0) return stage.fail(`${wrong.length} watchers are not pushed "${value}"`);
  const tookMs = Math.round(stage.sinceMs(sinceMs));
  stage.notes.push(`value, ${value}: pushed to all ${tookMs} ms after the call had returned`);
  if (tookMs > SEEN_MS) stage.fail(`the value was pushed to all after ${tookMs} ms, ${SEEN_MS} ms allowed`);
}

/** Clients are off at their own session until it is told to open them, which ends their connections. */
async function victimsOffAtSessions(stage: Stage): Promise<void> {
  const { fleet, network, workload } = stage;
  const victims = new Set(workload.registrations.flatMap(({ client }) => (client.startsWith("v") ? [client] : [])));
  const isVictim = (token: string) => victims.has(readToken(token)?.registration.split(".")[0] ?? "");
  const ips = `ips=${network.address(VICTIM_HOST)}`;
  const shown = () => [...fleet.records.subscriptions.values()].flatMap((one) => one.shown?.tokens ?? []);
  stage.absences.push({ clients: victims, fromMs: monotonicMs(), untilMs: Number.POSITIVE_INFINITY });
  await stage.pause(CALM_MS);
  for (const name of SESSIONS) {
    const isThere = [...stage.clientsOf(name)].some((client) => victims.has(client));
    if (isThere) await atSession(stage, name, "/api/clientManager/clientOff", ips);
  }
  if (!(await fleet.until(() => !shown().some(isVictim), ALL_BACK_MS))) stage.fail("clients that are off are shown");
  await atSession(stage, "session2", "/api/clientManager/zone/clientOpen", ips);
  const tokens = () =>
    [...fleet.records.living()].flatMap(({ client, calls }) => {
      return victims.has(client) ? [calls.at(-1)?.token ?? ""] : [];
    });
  const areBack = () => {
    const all = new Set(shown());
    return tokens().every((token) => all.has(token));
  };
  if (!(await fleet.until(areBack, ALL_BACK_MS))) stage.fail("clients that were opened at all sessions are not back");
}

/** A client that registers more than the limit is refused the rest. */
async function limitIsKept(stage: Stage): Promise<void> {
  const client = probeAt(stage, "session3");
  try {
    for (let at = 0; at <= REGISTRATIONS_MAX; at++)
      client.publish(`${stage.workload.services[0]?.name}.many${at}`, "x");
    const isRefused = async () => client.refusals.some((reason) => reason.includes("REGISTRATIONS_EXHAUSTED"));
    if (!(await stage.cluster.until(ALL_BACK_MS, isRefused))) {
      stage.fail(`more than ${REGISTRATIONS_MAX} registrations were not refused: ${client.refusals.join()}`);
    }
  } finally {
    client.close();
  }
}

/** A client in the suite's own process, which understands compressed lists. */
function probeAt({ network }: Stage, session: string, zone = "DEFAULT_ZONE"): TestClient {
  const protocol = { form: "protobuf", acceptEncoding: "zstd,gzip", zone } as const;
  return new TestClient(() => BOLT_PORT, { host: network.address(session), protocol });
}

function shows(probe: TestClient, service: string, token: string): boolean {
  return probe.list(service).split(" ").includes(token);
}

async function isListed(
  stage: Stage,
  probe: TestClient,
  { service, value }: { readonly service: string; readonly value: string },
): Promise<void> {
  const isSo = await stage.cluster.until(ALL_BACK_MS, async () => probe.list(service) === value);
  if (!isSo) stage.fail(`${service} is listed as [${probe.list(service)}], expected [${value}]`);
}

function atSession(stage: Stage, name: string, path: string, form: string): Promise<void> {
  return done(stage, `${stage.cluster.node(name).httpUrl}${path}`, form);
}

/** Posts JSON or a form, and expects to be told that it is done. */
async function done(stage: Stage, url: string, body: string): Promise<void> {
  await stage.act(url, async () => {
    const answer = await posted(url, body);
    if (!answer.includes('"success":true')) stage.fail(`${url} was answered ${answer}`);
  });
}

const PROOF = { authorization: `Bearer ${ADMIN_TOKEN}` };

async function posted(url: string, body: string): Promise<string> {
  const type = body.startsWith("{") ? "application/json" : "application/x-www-form-urlencoded";
  const headers = { ...PROOF, "content-type": type };
  const answer = await fetch(url, { method: "POST", headers, body, signal: AbortSignal.timeout(ANSWER_MS) });
  return answer.text();
}

/** The answer of the leading meta node to a question. */
async function asked({ cluster }: Stage, path: string): Promise<string> {
  const leader = cluster.node(await cluster.metaLeader());
  return (await fetch(`${leader.httpUrl}${path}`, { headers: PROOF })).text();
}

function keyOf(dataId: string): string {
  return `${dataId}#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP`;
}
