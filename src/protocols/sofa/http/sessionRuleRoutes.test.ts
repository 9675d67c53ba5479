import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import type { HttpExchange } from "../../../base/http.ts";
import { asked } from "../../../base/testing/asked.ts";
import { clientId, nodeId, nodeNameOf } from "../../../model/ids.ts";
import { Addresses, RuleSet } from "../../../model/ruleSet.ts";
import type { ClusterNode, NodeQuestion } from "../../kit/gateway.ts";
import { clusterOf, SESSION } from "../../kit/testing/views.ts";
import { CLIENT_OFF, STOP_PUSH } from "./ruleSwitches.ts";
import { type SessionRulesEnvironment, sessionRuleRoutes } from "./sessionRuleRoutes.ts";
import { answerAtSession } from "./sessionSwitches.ts";
import { SHUTDOWN } from "./settingSwitches.ts";

const OTHER = nodeId("s2.a");
const HERE = "192.0.2.1:9600";
const CLIENT = clientId(`10.0.0.1:1000_${HERE}#1`);
const SECOND = clientId(`10.0.0.1:1001_${HERE}#2`);
const THIRD = clientId(`10.0.0.2:1000_${HERE}#3`);
const CLIENTS = new Map([
  ["10.0.0.1", [CLIENT, SECOND]],
  ["10.0.0.2", [THIRD]],
]);
const NODES: readonly ClusterNode[] = [
  { id: SESSION, role: "session", address: "192.0.2.1:9620", host: "192.0.2.1" },
  { id: OTHER, role: "session", address: "192.0.2.2:9620", host: "192.0.2.2" },
  { id: nodeId("d1.a"), role: "data", address: "192.0.2.1:9621", host: "192.0.2.1" },
  { id: undefined, role: "meta", address: "192.0.2.3:9620", host: "192.0.2.3" },
];
const OFF = {
  id: CLIENT_OFF,
  effect: "hidePublications",
  match: { addresses: ["10.0.0.9"] },
  isInForce: true,
  setBy: "",
  setMs: 5,
  reason: "",
  epoch: 7n,
} as const;

type Ask = (question: NodeQuestion) => Promise<unknown>;

const unreachable: Ask = () => Promise.reject(fail("NODE_ASKED_UNREACHABLE", { reason: "no meta node leads" }));

interface SceneOptions {
  readonly leader?: Ask;
  readonly session?: Ask;
}

/** A session with three clients at two addresses, and another session. */
function scene({ leader = unreachable, session = async () => ({}) }: SceneOptions = {}) {
  const done: string[] = [];
  const rules = { now: new RuleSet(7n, [OFF]) };
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const environment: SessionRulesEnvironment = {
    log,
    node: {
      id: SESSION,
      own: {
        hosts: () => CLIENTS.keys(),
        clientsAt: (host) => CLIENTS.get(host) ?? [],
        publicationsOf: () => [],
      },
      nowMs: () => 1_000.5,
      cluster: clusterOf({ nodes: () => NODES }),
      rules: () => rules.now,
      hasRules: async (epoch) => rules.now.epoch >= epoch,
      setOwnRule: (rule) => {
        rules.now = rules.now.changed({ put: [rule], removed: [] }, rules.now.epoch);
      },
    },
    registry: {
      step: (event) => {
        assert.ok(event.kind === "cleared");
        done.push(`${event.of} of ${event.client}`);
      },
    },
    connections: {
      endAt: (addresses) => {
        const hosts = [...CLIENTS.keys()].filter((host) => addresses.has(host));
        done.push(`ended ${hosts.join(" ")}`);
        return hosts.length;
      },
    },
    others: {
      askLeader: (question) => {
        done.push(`leader: ${question.name}`);
        return leader(question);
      },
      askSession: (id, question) => {
        assert.equal(id, OTHER);
        done.push(`other: ${question.name} ${JSON.stringify(question.parameters)}`);
        return session(question);
      },
    },
  };
  const routes = sessionRuleRoutes(environment);
  const ask = async (what: `${"GET" | "POST"} ${string}`, exchange: Partial<HttpExchange> = {}) => {
    const { json, refused } = await asked(routes, what, exchange);
    return refused ?? json;
  };
  return { environment, routes, done, rules, ask };
}

const OK = { success: true, message: "" };
const ips = (text: string) => ({ body: { ips: text } });

test("the clients at some addresses are off at this session, and only their publications", async () => {
  const { ask, done } = scene();
  assert.deepEqual(await ask("POST /api/clientManager/clientOff", ips("10.0.0.1;10.9.0.0/16")), OK);
  assert.deepEqual(done, [`publications of ${CLIENT}`, `publications of ${SECOND}`]);
});

test("clients that are opened have their connections ended: they come back and register", async () => {
  const { ask, done } = scene();
  assert.deepEqual(await ask("POST /api/clientManager/clientOpen", ips("10.0.0.0/8")), OK);
  assert.deepEqual(done, ["ended 10.0.0.1 10.0.0.2"]);
});

test("in the zone, all other sessions do the same", async () => {
  const { ask, done } = scene();
  assert.deepEqual(await ask("POST /api/clientManager/zone/clientOff", ips("10.0.0.2")), OK);
  assert.deepEqual(await ask("POST /api/clientManager/zone/clientOpen", ips("10.0.0.2")), OK);
  assert.deepEqual(
    done.filter((one) => !one.startsWith("other")),
    [`publications of ${THIRD}`, "ended 10.0.0.2"],
  );
  const [first = "", second = ""] = done.filter((one) => one.startsWith("other"));
  assert.match(first, /^other: clientOff \{"ips":"10\.0\.0\.2","from":"127\.0\.0\.1"/);
  assert.match(second, /^other: clientOpen /);
});

test("a session that can't be reached is named, with what was done", async () => {
  const { ask, done } = scene({ session: unreachable });
  const answer = await ask("POST /api/clientManager/zone/clientOff", ips("10.0.0.2"));
  const { success, message } = answer as { success: boolean; message: string };
  assert.equal(success, false);
  assert.match(message, /done here, and not by 1 of 1 other sessions: s2 \(NODE_ASKED_UNREACHABLE/);
  assert.equal(done[0], `publications of ${THIRD}`);
});

test("what other sessions ask for is done, and nonsense is not", async () => {
  const { environment, done, rules } = scene();
  const answer = (name: string, parameters: object = {}) => answerAtSession(environment, { name, parameters });
  const origin = { from: "10.9.9.9", request: "POST x" };
  // An answer is JSON, which has no undefined.
  assert.deepEqual(await answer("clientOff", { ips: "10.0.0.2", ...origin }), {});
  assert.deepEqual(await answer("clientOpen", { ips: "10.0.0.2", ...origin }), {});
  assert.deepEqual(done, [`publications of ${THIRD}`, "ended 10.0.0.2"]);
  assert.deepEqual(await answer("stopPush", origin), {});
  assert.match(rules.now.get(STOP_PUSH)?.setBy ?? "", /10\.9\.9\.9/);
  assert.deepEqual(await answer("offAddresses"), { ips: ["10.0.0.9"] });
  assert.deepEqual(await answer("hasRules", { epoch: "7" }), { hasRules: true });
  assert.deepEqual(await answer("hasRules", { epoch: "8" }), { hasRules: false });
  await assert.rejects(answer("clientOff", { ips: "x" }), /FIELD_INVALID/);
  await assert.rejects(answer("hasRules", { epoch: "x" }), /FIELD_INVALID/);
  await assert.rejects(answer("clientOff", { ips: 7 }), /FIELD_INVALID/);
  await assert.rejects(answer("other"), /FIELD_INVALID.*question/);
});

test("the addresses that are off are told for each session of the zone", async () => {
  const told = scene({ session: async () => ({ ips: [] }) });
  const data = { "192.0.2.1": { success: true, ips: ["10.0.0.9"] }, "192.0.2.2": { success: true, ips: [] } };
  const path = "POST /api/clientManager/zone/queryClientOff";
  assert.deepEqual(await told.ask(path), { success: true, message: null, data });
  const cut = scene({ session: unreachable });
  assert.deepEqual(await cut.ask(path), {
    success: true,
    message: null,
    data: { ...data, "192.0.2.2": { success: false, ips: null } },
  });
});

test("sessions at one host are told by their names", async () => {
  const { environment } = scene({ session: async () => ({ ips: [] }) });
  const at = (host: string) => NODES.map((node) => ({ ...node, host }));
  const node = { ...environment.node, cluster: clusterOf({ nodes: () => at("192.0.2.1") }) };
  const { json } = await asked(
    sessionRuleRoutes({ ...environment, node }),
    "POST /api/clientManager/zone/queryClientOff",
  );
  assert.deepEqual(Object.keys((json as { data: object }).data), [nodeNameOf(SESSION), "s2"]);
});

test("what is kept goes to the leading meta node, and its epoch comes back digit by digit", async () => {
  const questions: NodeQuestion[] = [];
  const leader: Ask = async (question) => {
    questions.push(question);
    return { epoch: "9007199254740993" };
  };
  const { routes } = scene({ leader });
  const { text } = await asked(routes, "POST /api/clientManager/persistence/reduce", ips("10.0.0.1"));
  assert.equal(text, '{"success":true,"message":null,"data":9007199254740993}');
  assert.deepEqual(questions[0]?.parameters, {
    change: "reduce",
    text: "10.0.0.1",
    from: "127.0.0.1",
    request: "POST /api/clientManager/persistence/reduce",
  });
});

test("a change that the leader refuses, or that does not reach it, is refused with the reason", async () => {
  const path = "POST /api/clientManager/persistence/clientOff";
  assert.match(String(await scene().ask(path, ips("10.0.0.1"))), /NODE_ASKED_UNREACHABLE.*no meta node leads/);
  const away: Ask = () => Promise.reject(fail("STORE_UNAVAILABLE", { reason: "away" }));
  assert.match(String(await scene({ leader: away }).ask(path, ips("10.0.0.1"))), /STORE_UNAVAILABLE.*away/);
});

test("the kept list is told with its version, and a version is checked at all sessions", async () => {
  const check = async (version: string, session: Ask) =>
    scene({ session }).ask("GET /api/clientManager/persistence/checkVersion", { query: { version } });
  const has: Ask = async () => ({ hasRules: true });
  assert.deepEqual(await check("7", has), OK);
  assert.deepEqual(await check("0", has), OK);
  assert.deepEqual(await check("8", has), { success: false, message: "" });
  assert.deepEqual(await check("7", async () => ({ hasRules: false })), { success: false, message: "" });
  assert.deepEqual(await check("7", unreachable), { success: false, message: "" });
  for (const version of ["", "x", "-1", "1.5", "99999999999999999999"]) {
    assert.deepEqual(await check(version, has), { success: false, message: "check version fail." });
  }
  const { text } = await asked(scene().routes, "GET /api/clientManager/persistence/query");
  assert.match(text, /^\{"success":true,"message":null,"data":\{"version":7,"clientOffAddress":\{"10\.0\.0\.9":/);
});

for (const [path, message] of [
  ["clientOff", "ips is empty"],
  ["clientOpen", "ips is empty"],
  ["zone/clientOff", "ips is empty"],
  ["zone/clientOpen", "ips is empty"],
  ["persistence/clientOff", "clientOff ips is empty."],
  ["persistence/clientOffWithSub", "clientOffWithSub ips is empty."],
  ["persistence/clientOpen", "clientOpen ips is empty."],
  ["persistence/reduce", "reduce ips is empty."],
] as const) {
  test(`${path} without addresses is answered as by SOFARegistry; nonsense is refused, and nothing done`, async () => {
    const { ask, done } = scene();
    const failed = { success: false, message, ...(path.startsWith("persistence") && { data: null }) };
    assert.deepEqual(await ask(`POST /api/clientManager/${path}`), failed);
    assert.deepEqual(await ask(`POST /api/clientManager/${path}`, ips("  ")), failed);
    for (const text of [";", "10.0.0.1;x", "10.0.0.0/33", "[]"]) {
      assert.match(String(await ask(`POST /api/clientManager/${path}`, ips(text))), /FIELD_INVALID/, text);
    }
    assert.deepEqual(done, []);
  });
}

test("while a meta node leads, the pushes of one session are not stopped", async () => {
  for (const leader of [async () => ({ isLed: true }), () => Promise.reject(fail("FIELD_INVALID"))]) {
    const { ask, rules } = scene({ leader });
    const message = "leader is healthy, should not close push by session.";
    assert.deepEqual(await ask("POST /api/emergency/pushSwitch/stop"), { success: false, message });
    assert.equal(rules.now.get(STOP_PUSH), undefined);
  }
});

test("without a leader, or with one without its store, they are, but for the excepted addresses", async () => {
  for (const leader of [unreachable, async () => ({ isLed: false })]) {
    const { ask, rules } = scene({ leader });
    const stop = { ...OFF, id: STOP_PUSH, effect: "holdPushes", match: { exceptAddresses: ["10.0.0.1"] } } as const;
    rules.now = rules.now.changed({ put: [{ ...stop, isInForce: false }], removed: [] }, 8n);
    assert.deepEqual(await ask("GET /digest/pushSwitch"), { pushSwitch: "open" });
    assert.deepEqual(await ask("POST /api/emergency/pushSwitch/stop"), OK);
    assert.deepEqual(await ask("GET /digest/pushSwitch"), { pushSwitch: "closed" });
    const { match, setBy, setMs, reason } = rules.now.get(STOP_PUSH) ?? {};
    assert.deepEqual(match, { exceptAddresses: ["10.0.0.1"] });
    assert.match(setBy ?? "", /127\.0\.0\.1/);
    assert.deepEqual([setMs, reason], [1_000, "POST /api/emergency/pushSwitch/stop"]);
  }
});

test("without a leader a session takes no clients, once its pushes are stopped", async () => {
  const { ask, rules } = scene();
  const open = { success: false, message: "push switch is open" };
  assert.deepEqual(await ask("POST /api/emergency/shutdown"), open);
  await ask("POST /api/emergency/pushSwitch/stop");
  assert.deepEqual(await ask("POST /api/emergency/shutdown"), OK);
  const { settings, effect, isInForce } = rules.now.get(SHUTDOWN) ?? {};
  assert.deepEqual([[...(settings ?? [])], effect, isInForce], [[["serve-clients", "false"]], "changeSettings", true]);
  const led = scene({ leader: async () => ({ isLed: true }) });
  led.rules.now = rules.now.changed({ put: [], removed: [SHUTDOWN] }, 9n);
  const message = "leader is healthy, should not stop server by session.";
  assert.deepEqual(await led.ask("POST /api/emergency/shutdown"), { success: false, message });
  assert.equal(led.rules.now.get(SHUTDOWN), undefined);
});

test("the pushes of all sessions of the zone are stopped, whether a meta node leads or not", async () => {
  const { ask, done, rules } = scene();
  assert.deepEqual(await ask("GET /api/emergency/pushSwitch/zone/stop"), OK);
  assert.equal(rules.now.get(STOP_PUSH)?.isInForce, true);
  assert.match(done.join(), /^other: stopPush /);
});

const connectId = (changes: object = {}) => ({
  clientHostAddress: "10.0.0.1",
  clientPort: 1_000,
  sessionHostAddress: "192.0.2.1",
  sessionPort: 9_600,
  ...changes,
});

test("everything of the named connections ends, and nothing of others at their address", async () => {
  const { ask, done } = scene();
  const connectIds = [connectId(), connectId({ clientPort: 9 }), connectId({ sessionPort: 9 })];
  assert.deepEqual(await ask("POST /api/clients/off", { body: { connectIds } }), OK);
  assert.deepEqual(done, [`everything of ${CLIENT}`]);
});

test("no connections, or too many, are refused", async () => {
  const { ask, done } = scene();
  const off = (body: unknown) => ask("POST /api/clients/off", { body });
  assert.deepEqual(await off(undefined), { success: false, message: "Request can not be null." });
  for (const body of [{}, { connectIds: null }, { connectIds: [] }]) {
    assert.deepEqual(await off(body), { success: false, message: "ConnectIds can not be null." });
  }
  assert.match(String(await off({ connectIds: new Array(1_001).fill(connectId()) })), /FIELD_INVALID.*1000/);
  assert.match(String(await off({ connectIds: [connectId({ clientHostAddress: "x" })] })), /FIELD_INVALID/);
  assert.deepEqual(done, []);
});

test("blocks and addresses are told apart", () => {
  const addresses = new Addresses(["10.0.0.1", "10.1.0.0/16"]);
  assert.deepEqual(
    ["10.0.0.1", "10.0.0.2", "10.1.2.3"].map((host) => addresses.has(host)),
    [true, false, true],
  );
});
