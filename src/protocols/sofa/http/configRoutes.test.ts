import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import { asked } from "../../../base/testing/asked.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { RULE_BYTES_MAX } from "../../../model/rule.ts";
import { RuleStore } from "../../kit/testing/ruleStore.ts";
import { CIRCUIT_BREAKER } from "./breakerSwitch.ts";
import { type ConfigNode, configRoutes } from "./configRoutes.ts";
import { RULE_SWITCH_NAMES } from "./ruleSwitches.ts";
import { SETTING_SWITCH_NAMES } from "./settingSwitches.ts";

const KEY = "retries#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP";
const NAME = { dataId: "retries", group: "", instanceId: "" };

/** The routes of a meta node where one value is set, and the values stored through them. */
function routes(changes: Partial<ConfigNode> = {}) {
  const stored: [ServiceKey, string | null][] = [];
  const rules = new RuleStore();
  const all = configRoutes({
    ...rules,
    configValueBytesMax: 1_000,
    config: (serviceKey) => (serviceKey === KEY ? { version: 9_007_199_254_740_993n, data: "3" } : undefined),
    putConfig: async (serviceKey, data) => void stored.push([serviceKey, data]),
    ...changes,
  });
  const post = (action: string, body: object) => asked(all, `POST /persistentData/${action}`, { body });
  const query = (dataInfoId: string) => asked(all, "GET /persistentData/query", { query: { dataInfoId } });
  const change = async (action: string, dataId: string, data?: string) => {
    const name = { dataId, instanceId: "9600", group: "CONFIG", ...(data !== undefined && { data }) };
    const { json, refused } = await post(action, name);
    return refused ?? json;
  };
  const value = async (dataId: string) => {
    const { data } = (await query(`${dataId}#@#9600#@#CONFIG`)).json as { data: { data: string } | null };
    return data?.data ?? null;
  };
  return { all, stored, rules, post, query, change, value };
}

test("a value is told with the parts of its key and its version as text; one that is not set is null", async () => {
  const { query } = routes();
  const data = {
    dataId: "retries",
    instanceId: "DEFAULT_INSTANCE_ID",
    group: "DEFAULT_GROUP",
    version: "9007199254740993",
    data: "3",
  };
  assert.deepEqual((await query(KEY)).json, { success: true, message: null, data });
  assert.deepEqual((await query("other#@#a#@#b")).json, { success: true, message: null, data: null });
  const removed = routes({ config: () => ({ version: 1n, data: null }) });
  assert.deepEqual((await removed.query(KEY)).json, { success: true, message: null, data: null });
  assert.match(String((await query("retries")).refused), /FIELD_INVALID/);
});

test("a value is stored, and answered when it is", async () => {
  const { post, stored } = routes();
  assert.deepEqual((await post("put", { ...NAME, data: "4" })).json, { success: true, message: null });
  assert.deepEqual(stored, [[KEY, "4"]]);
});

test("a value that can't be stored is refused with the reason", async () => {
  const { post } = routes({ putConfig: () => Promise.reject(fail("STORE_UNAVAILABLE", { reason: "away" })) });
  assert.match(String((await post("put", { ...NAME, data: "4" })).refused), /STORE_UNAVAILABLE.*away/);
});

test("a blank around a name is refused where a value is put, and not where it is removed", async () => {
  const padded = "retries #@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP";
  const { post, stored } = routes({ config: () => ({ version: 1n, data: "3" }) });
  const name = { ...NAME, dataId: "retries " };
  assert.match(String((await post("put", { ...name, data: "4" })).refused), /FIELD_INVALID.*field=dataId/);
  assert.equal((await post("remove", name)).status, 200);
  assert.deepEqual(stored, [[padded, null]]);
});

test("what is not set can't be removed", async () => {
  const { post, stored } = routes();
  assert.match(
    String((await post("remove", { ...NAME, dataId: "other" })).refused),
    /FIELD_INVALID.*a value that is set/,
  );
  assert.deepEqual(stored, []);
});

test("a value may be escaped twice over, and only the meta node that leads has it", () => {
  const { all } = routes();
  assert.deepEqual(
    all.map(({ bodyBytesMax = 0 }) => bodyBytesMax),
    [0, 3 * RULE_BYTES_MAX, 0],
  );
  const wide = routes({ configValueBytesMax: 4 * RULE_BYTES_MAX }).all;
  assert.equal(wide[1]?.bodyBytesMax, 2 * 4 * RULE_BYTES_MAX + 64 * 1_024);
  assert.ok(all.every(({ isForLeader }) => isForLeader === true));
});

for (const [dataId, rest] of [
  ["admin.api.token", { instanceId: "9600", group: "CONFIG" }],
  ["registry.node.quit.interceptor.disable", {}],
  ["Admin.Api.Token ", {}],
] as const) {
  test(`SOFARegistry's switch "${dataId}" is refused by its name: nothing would change`, async () => {
    const { post, stored } = routes();
    const { refused } = await post("put", { ...NAME, dataId, ...rest, data: "true" });
    assert.match(String(refused), /SWITCH_NOT_SERVED.*dataId=/);
    assert.deepEqual(stored, []);
  });
}

test("a switch that Roster has a command for is refused with the command; others name none", async () => {
  const refusal = async (dataId: string) =>
    String((await routes().post("put", { ...NAME, dataId, data: "30" })).refused);
  assert.match(await refusal("registry.node.server.operating.data"), /instead="?`roster block`/);
  assert.match(await refusal("admin.api.token"), /instead="?`roster token create`/);
  assert.doesNotMatch(await refusal("registry.node.quit.interceptor.disable"), /instead/);
});

test("a mistyped switch is refused, as is every other name where SOFARegistry has its switches", async () => {
  const body = { dataId: "session.blacklist.dat", instanceId: "9600", group: "CONFIG", data: "[]" };
  assert.match(String((await routes().post("put", body)).refused), /FIELD_INVALID.*session\.blacklist\.dat/);
  for (const elsewhere of [{ instanceId: "a" }, { group: "a" }]) {
    assert.equal((await routes().post("put", { ...body, ...elsewhere })).status, 200);
  }
});

test("all sessions are shut by a switch once pushes are stopped, and it is told in its form", async () => {
  const { change, value, rules } = routes();
  const dataId = "session.shutdown.switch";
  for (const data of ['{"shutdown":true}', "true", '{"shutdown":"true"}', '{"shut":true}']) {
    assert.match(String(await change("put", dataId, data)), /FIELD_INVALID.*field="?session\.shutdown\.switch/, data);
  }
  await change("put", "session.stop.push.data.switch", "true");
  assert.deepEqual(await change("put", dataId, '{"shutdown":true,"cause":"force"}'), DONE);
  assert.deepEqual([...(rules.rules().get(dataId)?.settings ?? [])], [["serve-clients", "false"]]);
  assert.equal(await value(dataId), '{"shutdown":true,"cause":"force"}');
  assert.deepEqual(await change("put", dataId, '{"shutdown":false}'), DONE);
  assert.equal(await value(dataId), '{"shutdown":false}');
  assert.equal(rules.rules().get(dataId)?.isInForce, false);
  assert.deepEqual(await change("remove", dataId), DONE);
  assert.equal(await value(dataId), null);
});

test("a switch that is a rule is one only at SOFARegistry's own key", async () => {
  for (const dataId of [...RULE_SWITCH_NAMES, ...SETTING_SWITCH_NAMES, CIRCUIT_BREAKER, "Session.Blacklist.Data "]) {
    const { refused } = await routes().post("put", { ...NAME, dataId, data: "true" });
    assert.match(String(refused), /FIELD_INVALID.*instanceId 9600 and group CONFIG/, dataId);
  }
});

const DONE = { success: true, message: null };
const COMPRESS = '{"enabled":true,"compressMinSize":4096,"forbidEncodes":[],"enabledSessions":[],"enabledClients":[]}';
const DELAY =
  '{"changeDebouncingMillis":1000,"pushTaskWake":false,"ipSet":[],"zoneSet":["Z1","ALL_ZONE"],' +
  '"autoPushEfficiencyConfig":{"enableAutoPushEfficiency":false,"windowNum":6},"largeChangeAdaptiveDelayConfig":null}';
const BLACKLIST = '{"FORBIDDEN_PUB":{"IP_FULL":["10.0.0.1"]},"FORBIDDEN_SUB_BY_PREFIX":{"IP_FULL":["10.0.0.2"]}}';

for (const [dataId, data, told = data] of [
  ["session.stop.push.data.switch", "TRUE", "true"],
  ["session.push.switch.gray.open", '{"ips":["10.0.0.1"]}'],
  ["session.dataid.blacklist", '["a#@#b#@#c"]'],
  ["session.blacklist.data", BLACKLIST],
  ["registry.client.off.list", '["10.0.0.1"]', '[{"address":"10.0.0.1","pub":true,"sub":false}]'],
  ["registry.circuit.breaker", '{"addressSwitch":true,"overflowAddress":["10.0.0.2"],"address":["10.0.0.1"]}'],
  ["data.session.lease.sec", "30"],
  ["data.datum.sync.session.interval.sec", "6"],
  ["compress.push.switch", '{"enabled":true}', COMPRESS],
  ["change_push_task.delay.config", '{"changeDebouncingMaxMillis":500,"zoneSet":["Z1"]}'],
  ["change_push_task.delay.config", DELAY, '{"changeDebouncingMaxMillis":3000,"zoneSet":["ALL_ZONE"]}'],
] as const) {
  test(`${dataId} is put as a rule, told as a value, and removed`, async () => {
    const { change, value, stored, rules } = routes();
    assert.equal(await value(dataId), null);
    assert.match(String(await change("remove", dataId)), /FIELD_INVALID.*a value that is set/);
    assert.deepEqual(await change("put", dataId, data), DONE);
    assert.equal(await value(dataId), told);
    const [rule] = rules.rules().rules();
    assert.match(rule?.setBy ?? "", /127\.0\.0\.1/);
    assert.equal(rule?.reason, "POST /persistentData/put");
    assert.deepEqual(await change("remove", dataId), DONE);
    assert.equal(await value(dataId), null);
    assert.deepEqual(stored, []);
  });
}

test("the version of a switch grows with each write, and is told digit by digit", async () => {
  const { change, query } = routes();
  const version = async () => {
    const { json } = await query("session.stop.push.data.switch#@#9600#@#CONFIG");
    return (json as { data: { version: string } }).data.version;
  };
  await change("put", "session.stop.push.data.switch", "true");
  assert.equal(await version(), "9007199254740994");
  await change("put", "session.stop.push.data.switch", "true");
  assert.equal(await version(), "9007199254740995");
});

test("the IP blacklist hides the publications of some addresses and holds the pushes of others", async () => {
  const { change, rules } = routes();
  await change("put", "session.blacklist.data", BLACKLIST);
  const effects = [...rules.rules().rules()].map(({ effect, match }) => [effect, match.addresses]);
  assert.deepEqual(effects, [
    ["hidePublications", ["10.0.0.1"]],
    ["holdPushes", ["10.0.0.2"]],
  ]);
});

test("addresses that are opened again before pushes are stopped are kept for it", async () => {
  const { change, rules } = routes();
  await change("put", "session.push.switch.gray.open", '{"ips":["10.0.0.1"]}');
  assert.equal(rules.rules().get("session.stop.push.data.switch")?.isInForce, false);
  await change("put", "session.stop.push.data.switch", "true");
  const { isInForce, match } = rules.rules().get("session.stop.push.data.switch") ?? {};
  assert.deepEqual([isInForce, match], [true, { exceptAddresses: ["10.0.0.1"] }]);
});

for (const [dataId, data] of [
  ["session.stop.push.data.switch", "yes"],
  ["session.stop.push.data.switch", "1"],
  ["session.push.switch.gray.open", "10.0.0.1"],
  ["session.push.switch.gray.open", '{"ips":"10.0.0.1"}'],
  ["session.push.switch.gray.open", '{"ips":["10.0.0.256"]}'],
  ["session.push.switch.gray.open", '{"address":["10.0.0.1"]}'],
  ["session.push.switch.gray.open", "[]"],
  ["session.dataid.blacklist", "a#@#b#@#c"],
  ["session.dataid.blacklist", '["a"]'],
  ["session.dataid.blacklist", "[7]"],
  ["session.dataid.blacklist", '{"a":1}'],
  ["session.blacklist.data", "{"],
  ["session.blacklist.data", "null"],
  ["session.blacklist.data", '{"FORBIDDEN":{"IP_FULL":["10.0.0.1"]}}'],
  ["session.blacklist.data", '{"FORBIDDEN_PUB":["10.0.0.1"]}'],
  ["session.blacklist.data", '{"FORBIDDEN_PUB":{"IP_PREFIX":["10."]}}'],
  ["session.blacklist.data", '{"FORBIDDEN_PUB":{"IP_FULL":["10.0.0.1/8"]}}'],
  ["session.blacklist.data", '{"FORBIDDEN_PUB":{"IP_FULL":[1]}}'],
  ["registry.client.off.list", "10.0.0.1"],
  ["registry.client.off.list", '[{"address":"10.0.0.1","pub":false}]'],
  ["registry.client.off.list", '[{"address":"10.0.0.1","pub":"true"}]'],
  ["registry.client.off.list", '[{"address":"10.0.0.1","why":"x"}]'],
  ["registry.client.off.list", '[{"ip":"10.0.0.1"}]'],
  ["registry.client.off.list", "[null]"],
] as const) {
  test(`${dataId} does not take ${data}`, async () => {
    const { change, rules } = routes();
    assert.match(String(await change("put", dataId, data)), /FIELD_INVALID/);
    assert.equal(rules.rules().size, 0);
  });
}

for (const [dataId, data] of [
  ["data.session.lease.sec", "0"],
  ["data.session.lease.sec", "4000"],
  ["data.session.lease.sec", "30s"],
  ["data.session.lease.sec", "-1"],
  ["data.datum.sync.session.interval.sec", "601"],
  ["compress.push.switch", "true"],
  ["compress.push.switch", "{"],
  ["compress.datum.switch", '{"enabled":true}'],
  ["registry.flow.operation.throttling.config", '{"enabled":true}'],
  ["registry.flow.operation.throttling.config", "[]"],
  ["registry.circuit.breaker", '{"addressSwitch":"yes"}'],
  ["registry.circuit.breaker", '{"address":["10.0.0.256"]}'],
  ["registry.circuit.breaker", '{"addresses":[]}'],
  ["change_push_task.delay.config", '{"changeDebouncingMaxMillis":60001,"zoneSet":["ALL_ZONE"]}'],
  ["change_push_task.delay.config", '{"changeDebouncingMaxMillis":"1"}'],
  ["change_push_task.delay.config", '{"ipSet":["10.0.0.1"]}'],
  ["change_push_task.delay.config", '{"subAppSet":["a"]}'],
  ["change_push_task.delay.config", '{"autoPushEfficiencyConfig":{"enableAutoPushEfficiency":true}}'],
  ["change_push_task.delay.config", '{"changeDebounce":1}'],
] as const) {
  test(`${dataId} with ${data} is refused with what it may be, and nothing is kept`, async () => {
    const { post, stored, rules } = routes();
    const { refused } = await post("put", { dataId, instanceId: "9600", group: "CONFIG", data });
    assert.match(String(refused), /FIELD_INVALID.*expected=/);
    assert.equal(rules.rules().size, 0);
    assert.deepEqual(stored, []);
  });
}
