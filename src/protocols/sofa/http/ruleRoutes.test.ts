import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import { asked } from "../../../base/testing/asked.ts";
import type { RuleDraft } from "../../../model/rule.ts";
import type { OtherNodes } from "../../kit/gateway.ts";
import { RuleStore } from "../../kit/testing/ruleStore.ts";
import { metaRuleRoutes } from "./ruleRoutes.ts";
import { CLIENT_OFF, STOP_PUSH } from "./ruleSwitches.ts";
import { answerAtMeta } from "./switchChanges.ts";

const NO_OTHERS: OtherNodes = {
  askLeader: () => Promise.reject(fail("NODE_ASKED_UNREACHABLE", { reason: "no meta node leads at the moment" })),
  askSession: () => Promise.reject(fail("NODE_ASKED_UNREACHABLE")),
};

/** The paths of a meta node, and the rules that it has. */
function scene() {
  const rules = new RuleStore();
  const routes = metaRuleRoutes(rules, NO_OTHERS);
  const ask = async (what: `${"GET" | "POST"} ${string}`, body?: unknown) => {
    const { json, refused } = await asked(routes, what, { body });
    return refused ?? json;
  };
  const off = async () => {
    const { data } = (await ask("GET /api/clientManager/query")) as {
      data: { clientOffAddress: Record<string, { sub: boolean }> };
    };
    return Object.entries(data.clientOffAddress).map(([address, { sub }]) => `${address}${sub ? "+sub" : ""}`);
  };
  const setBefore = (changes: Partial<RuleDraft>) =>
    rules.set([
      {
        id: CLIENT_OFF,
        effect: "hidePublications",
        match: { addresses: ["10.0.0.9"] },
        isInForce: true,
        setBy: "a",
        reason: "",
        ...changes,
      },
    ]);
  return { rules, routes, ask, off, setBefore };
}

/** The leading meta node is reached by another one. */
function reaching(rules: RuleStore): OtherNodes {
  return {
    askLeader: async (question) => answerAtMeta(Object.assign(rules, { isStoreReachable: () => true }), question),
    askSession: () => Promise.reject(fail("NODE_ASKED_UNREACHABLE")),
  };
}

const OK = { success: true, message: "" };
const DONE = { success: true, message: null };

test("clients are taken off by address, with their pushes or without, and come back", async () => {
  const { ask, off, rules } = scene();
  assert.deepEqual(await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1; 10.0.0.2;" }), OK);
  const withSub = '[{"address":"10.0.0.2","pub":true,"sub":true},{"address":"10.1.0.0/16","sub":true}]';
  assert.deepEqual(await ask("POST /api/clientManager/clientOffWithSub", { ips: withSub }), OK);
  assert.deepEqual(await off(), ["10.0.0.1", "10.0.0.2+sub", "10.1.0.0/16+sub"]);
  assert.deepEqual(await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.2" }), OK);
  assert.deepEqual(await off(), ["10.0.0.1", "10.0.0.2", "10.1.0.0/16+sub"]);
  assert.deepEqual(await ask("POST /api/clientManager/clientOpen", { ips: "10.1.0.0/16;10.0.0.1" }), OK);
  assert.deepEqual(await ask("POST /api/clientManager/reduce", { ips: "10.0.0.7" }), OK);
  assert.deepEqual(await off(), ["10.0.0.2"]);
  assert.deepEqual(await ask("POST /api/clientManager/reduce", { ips: "10.0.0.2" }), OK);
  assert.deepEqual(await off(), []);
  assert.match(rules.edits[0]?.put[0]?.setBy ?? "", /127\.0\.0\.1/);
  assert.equal(rules.edits[0]?.put[0]?.reason, "POST /api/clientManager/clientOff");
});

test("the list of clients that are off has a version, digit by digit, and the time of its last change", async () => {
  const { routes, ask } = scene();
  await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" });
  const { text } = await asked(routes, "GET /api/clientManager/query");
  const entry = '{"version":1700000000000,"address":"10.0.0.1","pub":true,"sub":false}';
  const data = `{"version":9007199254740994,"clientOffAddress":{"10.0.0.1":${entry}},"reduces":[]}`;
  assert.equal(text, `{"success":true,"message":null,"data":${data}}`);
});

test("an address within a block that is off is opened alone, and taken off again", async () => {
  const { ask, off, rules } = scene();
  const exceptions = () => rules.rules().get(CLIENT_OFF)?.match.exceptAddresses;
  await ask("POST /api/clientManager/clientOff", { ips: "10.1.0.0/16;10.0.0.1" });
  await ask("POST /api/clientManager/clientOpen", { ips: "10.1.2.3" });
  assert.deepEqual(exceptions(), ["10.1.2.3"]);
  await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.2" });
  assert.deepEqual([await off(), exceptions()], [["10.1.0.0/16", "10.0.0.1", "10.0.0.2"], ["10.1.2.3"]]);
  await ask("POST /api/clientManager/clientOff", { ips: "10.1.2.0/24" });
  assert.equal(exceptions(), undefined);
  await ask("POST /api/clientManager/clientOpen", { ips: "10.0.0.0/8" });
  assert.deepEqual([await off(), exceptions()], [[], undefined]);
});

test("taking off what is off, or bringing back what is there, changes nothing", async () => {
  const { ask, rules } = scene();
  assert.deepEqual(await ask("POST /api/clientManager/clientOpen", { ips: "10.0.0.1" }), OK);
  await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" });
  assert.deepEqual(await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" }), OK);
  assert.equal(rules.edits.length, 1);
});

for (const action of ["clientOff", "clientOffWithSub", "clientOpen", "reduce"] as const) {
  test(`${action} without addresses is answered as by SOFARegistry; with nonsense it is refused`, async () => {
    const { ask, rules } = scene();
    const failed = { success: false, message: "ips is empty" };
    assert.deepEqual(await ask(`POST /api/clientManager/${action}`), failed);
    assert.deepEqual(await ask(`POST /api/clientManager/${action}`, { ips: " " }), failed);
    for (const ips of [";;", "10.0.0.1;10.0.0.256", "10.0.0.1/33", "10.0.0.1/8", "10.0.0.1,10.0.0.2", "[]", "[1]"]) {
      assert.match(String(await ask(`POST /api/clientManager/${action}`, { ips })), /FIELD_INVALID/, ips);
    }
    assert.equal(rules.rules().size, 0);
  });
}

test("a mebibyte of addresses is taken; more is refused, and nothing of it is kept", async () => {
  const { ask, off, rules } = scene();
  const addresses = (count: number) =>
    Array.from({ length: count }, (_, at) => `10.${(at >> 16) & 255}.${(at >> 8) & 255}.${at & 255}`).join(";");
  const many = addresses(80_000);
  assert.ok(many.length > 1_024 * 1_024 * 0.9);
  assert.deepEqual(await ask("POST /api/clientManager/clientOff", { ips: many }), OK);
  assert.equal((await off()).length, 80_000);
  const { epoch } = rules.rules();
  assert.match(String(await ask("POST /api/clientManager/clientOff", { ips: addresses(120_000) })), /RULES_EXHAUSTED/);
  assert.equal(rules.rules().epoch, epoch);
});

test("of two operators at once, the second adds to what the first has made", async () => {
  const { ask, off, rules, setBefore } = scene();
  rules.overtaken = () => setBefore({ match: { addresses: ["10.0.0.9"] } });
  assert.deepEqual(await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" }), OK);
  assert.deepEqual(await off(), ["10.0.0.9", "10.0.0.1"]);
});

test("an operator who is always overtaken is told so", async () => {
  const { ask, rules, setBefore } = scene();
  const overtake = () => {
    setBefore({});
    rules.overtaken = overtake;
  };
  rules.overtaken = overtake;
  assert.match(String(await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" })), /RULE_CHANGED/);
});

test("a change that the store does not take is refused with the reason", async () => {
  const { ask, rules } = scene();
  rules.refusal = fail("STORE_UNAVAILABLE", { reason: "away" });
  const changes = [
    ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" }),
    ask("GET /stopPushDataSwitch/open"),
    ask("POST /stopPushDataSwitch/grayOpen", { ips: ["10.0.0.1"] }),
    ask("POST /datainfoid/blacklist/add", { dataId: "a" }),
    ask("POST /blacklist/update", { FORBIDDEN_PUB: { IP_FULL: ["10.0.0.1"] } }),
  ];
  for (const answer of await Promise.all(changes)) assert.match(String(answer), /STORE_UNAVAILABLE.*away/);
});

for (const [what, changes] of [
  ["a condition more", { match: { addresses: ["10.0.0.9"], zones: ["z1"] } }],
  ["an end", { untilMs: 1_800_000_000_000 }],
] as const) {
  test(`no address is added to a rule that an operator has given ${what}: it would mean something else`, async () => {
    const { ask, off, setBefore } = scene();
    setBefore(changes);
    assert.match(
      String(await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" })),
      /SWITCH_HAS_CONDITIONS.*(zones|untilMs)/,
    );
    assert.deepEqual(await off(), ["10.0.0.9"]);
  });
}

test("a list that is not in force takes nobody off, and does not come back with the next address", async () => {
  const { ask, off, setBefore } = scene();
  setBefore({ isInForce: false });
  assert.deepEqual(await off(), []);
  await ask("POST /api/clientManager/clientOff", { ips: "10.0.0.1" });
  assert.deepEqual(await off(), ["10.0.0.1"]);
});

test("pushes are stopped, opened for some addresses, and opened again for all", async () => {
  const { ask, rules } = scene();
  const none = { "gray push switch msg": "data is empty", grayPushSwitch: "" };
  assert.deepEqual(await ask("GET /digest/pushSwitch"), { stopPush: "false", ...none });
  assert.deepEqual(await ask("GET /stopPushDataSwitch/open"), DONE);
  assert.deepEqual(await ask("GET /digest/pushSwitch"), { stopPush: "true", ...none });
  assert.deepEqual(await ask("POST /stopPushDataSwitch/grayOpen", { ips: ["10.0.0.1", "10.0.0.1"] }), DONE);
  const gray = { stopPush: "true", grayPushSwitch: '{"ips":["10.0.0.1"]}' };
  assert.deepEqual(await ask("GET /digest/pushSwitch"), gray);
  assert.deepEqual(rules.rules().get(STOP_PUSH)?.match, { exceptAddresses: ["10.0.0.1"] });
  assert.deepEqual(await ask("GET /stopPushDataSwitch/close"), DONE);
  assert.deepEqual(await ask("GET /digest/pushSwitch"), { stopPush: "false", ...none });
});

test("pushes that are opened again are so under a new epoch: a session may have stopped its own", async () => {
  const { ask, rules } = scene();
  await ask("GET /stopPushDataSwitch/close");
  const { epoch } = rules.rules();
  await ask("GET /stopPushDataSwitch/close");
  assert.ok(rules.rules().epoch > epoch);
});

test("a node without a leader does not take the question that is a change", async () => {
  const rules = Object.assign(new RuleStore(), { isLeading: () => false });
  const { refused } = await asked(metaRuleRoutes(rules, NO_OTHERS), "GET /stopPushDataSwitch/open");
  assert.match(String(refused), /NOT_META_LEADER/);
});

test("services are put on the blacklist and taken from it", async () => {
  const { ask } = scene();
  const query = async () => ((await ask("GET /datainfoid/blacklist/query")) as { data: string[] }).data;
  assert.deepEqual(await query(), []);
  assert.deepEqual(await ask("POST /datainfoid/blacklist/add", { dataId: "x", group: "g", instanceId: "i" }), DONE);
  assert.deepEqual(await ask("POST /datainfoid/blacklist/add", { dataId: "y" }), DONE);
  assert.deepEqual(await query(), ["x#@#i#@#g", "y#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP"]);
  assert.deepEqual(await ask("POST /datainfoid/blacklist/delete", { dataId: "x", group: "g", instanceId: "i" }), DONE);
  assert.deepEqual(await ask("POST /datainfoid/blacklist/delete", { dataId: "z" }), DONE);
  assert.deepEqual(await query(), ["y#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP"]);
  assert.match(String(await ask("POST /datainfoid/blacklist/add", { dataId: "a#@#b" })), /FIELD_INVALID.*dataId/);
});

test("the IP blacklist is replaced as a whole", async () => {
  const { ask, rules } = scene();
  const lists = { FORBIDDEN_PUB: { IP_FULL: ["10.0.0.1"] }, FORBIDDEN_SUB_BY_PREFIX: { IP_FULL: ["10.0.0.2"] } };
  const addresses = () => [...rules.rules().rules()].map(({ match }) => match.addresses);
  assert.deepEqual(await ask("POST /blacklist/update", lists), DONE);
  assert.deepEqual(addresses(), [["10.0.0.1"], ["10.0.0.2"]]);
  assert.match(String(await ask("POST /blacklist/update", { FORBIDDEN: {} })), /FIELD_INVALID/);
  assert.deepEqual(await ask("POST /blacklist/update", {}), DONE);
  assert.deepEqual(addresses(), [[], []]);
});

/** A meta node that does not lead, with the leader's rules. */
function follower(others?: OtherNodes) {
  const leader = new RuleStore();
  const node = Object.assign(new RuleStore(), { isLeading: () => false });
  const routes = metaRuleRoutes(node, others ?? reaching(leader));
  return { leader, node, routes };
}

test("a meta node that does not lead has the leader change the list of clients, and tells the leader's", async () => {
  const { leader, node, routes } = follower();
  const off = await asked(routes, "POST /api/clientManager/clientOff", { body: { ips: "10.0.0.1" } });
  assert.deepEqual(off.json, OK);
  const add = await asked(routes, "POST /datainfoid/blacklist/add", { body: { dataId: "x" } });
  assert.deepEqual(add.json, DONE);
  assert.deepEqual(leader.rules().get(CLIENT_OFF)?.match.addresses, ["10.0.0.1"]);
  assert.equal(leader.rules().get(CLIENT_OFF)?.reason, "POST /api/clientManager/clientOff");
  assert.equal(node.rules().size, 0);
  const { text } = await asked(routes, "GET /api/clientManager/query");
  assert.match(text, /"clientOffAddress":\{"10\.0\.0\.1":/);
});

test("without a leader nothing is changed, and the answer says so", async () => {
  const { routes } = follower(NO_OTHERS);
  const { refused } = await asked(routes, "POST /api/clientManager/clientOff", { body: { ips: "10.0.0.1" } });
  assert.match(String(refused), /NODE_ASKED_UNREACHABLE.*no meta node leads/);
});

for (const [name, parameters] of [
  ["changeSwitch", {}],
  ["changeSwitch", { change: "clientOff", text: 1, from: "", request: "" }],
  ["changeSwitch", { change: "toString", text: "10.0.0.1", from: "", request: "" }],
  ["changeSwitch", { change: "clientOff", text: "10.0.0.256", from: "", request: "" }],
  ["other", {}],
] as const) {
  test(`the question ${name} with ${JSON.stringify(parameters)} is refused`, async () => {
    const leader = Object.assign(new RuleStore(), { isStoreReachable: () => true });
    await assert.rejects(answerAtMeta(leader, { name, parameters }), /FIELD_INVALID/);
    assert.equal(leader.rules().size, 0);
  });
}

test("a node that has lost the lead answers no question of another one", async () => {
  const node = Object.assign(new RuleStore(), { isLeading: () => false, isStoreReachable: () => true });
  await assert.rejects(answerAtMeta(node, { name: "offList", parameters: {} }), /NOT_META_LEADER/);
});
