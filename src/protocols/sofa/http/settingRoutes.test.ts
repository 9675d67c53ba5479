import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import { asked } from "../../../base/testing/asked.ts";
import type { StoredConfig } from "../../kit/gateway.ts";
import { RuleStore } from "../../kit/testing/ruleStore.ts";
import { EMPTY_META } from "../../kit/testing/views.ts";
import { CONFIG } from "../testing/handlerScene.ts";
import { BREAKER_SWITCH, CIRCUIT_BREAKER } from "./breakerSwitch.ts";
import { metaSettingRoutes, sessionSettingRoutes } from "./settingRoutes.ts";
import { COMPRESS_PUSH, settingSwitchOf } from "./settingSwitches.ts";

/** The paths of a leading meta node, with its rules and values. */
function scene() {
  const rules = new RuleStore();
  const values = new Map<string, StoredConfig>();
  const node = Object.assign(rules, {
    settings: EMPTY_META.settings,
    config: (key: string) => values.get(key),
    putConfig: async (key: string, data: string | null) => void values.set(key, { version: 1n, data }),
  });
  const routes = metaSettingRoutes(node);
  const ask = async (what: `${"GET" | "POST"} ${string}`, body?: unknown) => {
    const { json, refused } = await asked(routes, what, { body });
    return refused ?? json;
  };
  return { rules, ask };
}

const DONE = { success: true, message: null };
const OK = { success: true, message: "" };
const LISTS = { enabledSessions: [], enabledClients: [] };

test("compression of pushes is switched for the whole cluster, and shown as it was set", async () => {
  const { ask, rules } = scene();
  const unset = { enabled: true, compressMinSize: 4_096, forbidEncodes: [], ...LISTS };
  assert.deepEqual(await ask("GET /compress/push/state"), unset, "as configured");
  const wanted = { enabled: true, compressMinSize: 100, forbidEncodes: ["zstd"] };
  assert.deepEqual(await ask("POST /compress/push/switch", wanted), DONE);
  assert.deepEqual(await ask("GET /compress/push/state"), { ...wanted, ...LISTS });
  assert.deepEqual(
    [...(rules.rules().get(COMPRESS_PUSH)?.settings ?? [])],
    [
      ["push-compress", "true"],
      ["push-compress-bytes-min", "100"],
      ["push-encodings", "gzip"],
    ],
  );
  assert.deepEqual(await ask("POST /compress/push/switch", {}), DONE);
  assert.deepEqual(await ask("GET /compress/push/state"), { ...unset, enabled: false }, "SOFARegistry's defaults");
});

for (const body of [
  { enabled: "true" },
  { enable: true },
  { enabled: true, compressMinSize: "4096" },
  { enabled: true, compressMinSize: -1 },
  { enabled: true, compressMinSize: 1.5 },
  { enabled: true, forbidEncodes: ["lzma"] },
  { enabled: true, forbidEncodes: "zstd" },
  { enabled: false, enabledSessions: ["10.0.0.1"] },
  { enabled: false, enabledClients: ["10.0.0.1"] },
]) {
  test(`a switch of compression ${JSON.stringify(body)} is refused, and nothing of it is kept`, async () => {
    const { ask, rules } = scene();
    assert.match(String(await ask("POST /compress/push/switch", body)), /FIELD_INVALID.*expected=/);
    assert.equal(rules.rules().size, 0);
  });
}

test("lists between nodes are not compressed, and can't be said to be", async () => {
  const { ask } = scene();
  assert.deepEqual(await ask("GET /compress/datum/state"), { enabled: false, compressMinSize: 12_288 });
  assert.match(String(await ask("POST /compress/datum/switch", { enabled: true })), /FIELD_INVALID.*enabled false/);
  assert.deepEqual(await ask("POST /compress/datum/switch", { enabled: false, compressMinSize: 7 }), DONE);
  assert.deepEqual(await ask("GET /compress/datum/state"), { enabled: false, compressMinSize: 7 });
});

test("nothing is throttled, and the emergency switch is what it was last set to", async () => {
  const { ask } = scene();
  const status = { success: true, message: null, data: { enabled: false, throttlePercent: 0 } };
  const emergency = async () =>
    ((await ask("GET /flowoperation/throttling/emergency/status")) as { data: object }).data;
  assert.deepEqual(await ask("GET /flowoperation/throttling/status"), status);
  assert.deepEqual(await emergency(), { emergencyEnabled: true });
  assert.deepEqual(await ask("POST /flowoperation/throttling/emergency/disable"), DONE);
  assert.deepEqual(await emergency(), { emergencyEnabled: false });
  assert.deepEqual(await ask("POST /flowoperation/throttling/emergency/enable"), DONE);
  assert.deepEqual(await emergency(), { emergencyEnabled: true });
});

test("a list of addresses whose pushes are stopped is kept, and switched on and off as a whole", async () => {
  const { ask, rules } = scene();
  const query = async () => ((await ask("GET /circuit/breaker/query")) as { data: object }).data;
  assert.deepEqual(await query(), { overflowAddress: [], address: [] });
  assert.deepEqual(await ask("POST /circuit/breaker/add", { option: "stopPush", ips: "10.0.0.1; 10.0.0.2;" }), OK);
  assert.deepEqual(await ask("POST /circuit/breaker/add", { option: "OVERFLOW", ips: "10.0.0.9" }), OK);
  const lists = { overflowAddress: ["10.0.0.9"], address: ["10.0.0.1", "10.0.0.2"] };
  assert.deepEqual(await query(), { addressSwitch: false, ...lists });
  assert.equal(rules.rules().has("holdPushes"), false);
  assert.deepEqual(await ask("POST /circuit/breaker/switch/open"), OK);
  assert.deepEqual(await query(), { addressSwitch: true, ...lists });
  assert.deepEqual(await ask("POST /circuit/breaker/remove", { option: "stopPush", ips: "10.0.0.2;10.0.0.7" }), OK);
  const { match, isInForce } = rules.rules().get(CIRCUIT_BREAKER) ?? {};
  assert.deepEqual({ match, isInForce }, { match: { addresses: ["10.0.0.1"] }, isInForce: true });
  assert.deepEqual(await ask("POST /circuit/breaker/remove", { option: "overflow", ips: "10.0.0.9" }), OK);
  assert.deepEqual(await ask("POST /circuit/breaker/switch/close"), OK);
  assert.deepEqual(await query(), { addressSwitch: false, overflowAddress: [], address: ["10.0.0.1"] });
});

test("a circuit breaker written as a value is off unless the value says so, and its overflow list always is", () => {
  const { rules } = scene();
  const write = (value: object) => {
    const { put } = BREAKER_SWITCH.written(JSON.stringify(value), rules.rules());
    rules.set(put.map((rule) => ({ ...rule, setBy: "", reason: "" })));
    return put.map(({ match, isInForce }) => [match.addresses, isInForce]);
  };
  const overflowAddress = ["10.0.0.2"];
  assert.deepEqual(write({ address: ["10.0.0.1"], overflowAddress }), [
    [["10.0.0.1"], false],
    [["10.0.0.2"], false],
  ]);
  assert.deepEqual(write({ addressSwitch: true, overflowAddress }), [
    [[], true],
    [["10.0.0.2"], false],
  ]);
  rules.set([], [CIRCUIT_BREAKER]);
  assert.equal(BREAKER_SWITCH.shown(rules.rules()), '{"overflowAddress":["10.0.0.2"],"address":[]}');
});

test("a circuit breaker without an option or addresses fails as in SOFARegistry, nonsense is refused", async () => {
  const { ask, rules } = scene();
  const failed = { success: false, message: "option or ips is blank." };
  for (const path of ["POST /circuit/breaker/add", "POST /circuit/breaker/remove"] as const) {
    for (const body of [undefined, {}, { option: "stop", ips: "10.1.1.1" }, { option: "stopPush", ips: " ; " }]) {
      assert.deepEqual(await ask(path, body), failed);
    }
    assert.match(String(await ask(path, { option: "stopPush", ips: "10.0.0.256" })), /FIELD_INVALID/);
  }
  assert.equal(rules.rules().size, 0);
});

test("no address is added to a list that an operator has given an end", async () => {
  const { ask, rules } = scene();
  const match = { addresses: ["10.0.0.9"] };
  const words = { isInForce: true, setBy: "a", reason: "", untilMs: 1_800_000_000_000 };
  rules.set([{ id: CIRCUIT_BREAKER, effect: "holdPushes", match, ...words }]);
  const body = { option: "stopPush", ips: "10.0.0.1" };
  assert.match(String(await ask("POST /circuit/breaker/add", body)), /SWITCH_HAS_CONDITIONS.*untilMs/);
  assert.deepEqual(rules.rules().get(CIRCUIT_BREAKER)?.match, match);
});

test("of two operators at once, the second adds to what the first has made", async () => {
  const { ask, rules } = scene();
  rules.overtaken = () =>
    rules.set([
      {
        id: CIRCUIT_BREAKER,
        effect: "holdPushes",
        match: { addresses: ["10.0.0.9"] },
        ...{ isInForce: true, setBy: "a", reason: "" },
      },
    ]);
  assert.deepEqual(await ask("POST /circuit/breaker/add", { option: "stopPush", ips: "10.0.0.1" }), OK);
  const { match, isInForce } = rules.rules().get(CIRCUIT_BREAKER) ?? {};
  assert.deepEqual({ match, isInForce }, { match: { addresses: ["10.0.0.9", "10.0.0.1"] }, isInForce: true });
});

test("a change that the store does not take is refused with the reason", async () => {
  const { ask, rules } = scene();
  rules.refusal = fail("STORE_UNAVAILABLE", { reason: "away" });
  const changes = [
    ask("POST /compress/push/switch", { enabled: true }),
    ask("POST /circuit/breaker/switch/open"),
    ask("POST /circuit/breaker/add", { option: "stopPush", ips: "10.0.0.1" }),
  ];
  for (const answer of await Promise.all(changes)) assert.match(String(answer), /STORE_UNAVAILABLE.*away/);
});

test("the intervals that operators have set are shown in seconds, and others as null", async () => {
  const { ask, rules } = scene();
  assert.deepEqual(await ask("GET /slotSync/get"), { dataDatumExpire: "null", syncSessionIntervalSec: "null" });
  const edit = settingSwitchOf("data.session.lease.sec")?.written("12", rules.rules());
  rules.set((edit?.put ?? []).map((rule) => ({ ...rule, setBy: "", reason: "" })));
  assert.deepEqual(await ask("GET /slotSync/get"), { dataDatumExpire: "12", syncSessionIntervalSec: "null" });
});

test("a session shows what is in force there, without a token: these paths change nothing", async () => {
  const routes = sessionSettingRoutes({ ...CONFIG, pushEncodings: ["zstd"], pushWindowMaxMs: 700 });
  const get = async (path: string) => (await asked(routes, `GET ${path}`)).json;
  const state = { enabled: true, compressMinSize: 100, forbidEncodes: ["gzip"], ...LISTS };
  assert.deepEqual(await get("/compress/push/state"), state);
  const none = { enabled: false, throttlePercent: 0 };
  const data = { localStatus: none, clusterStatus: none };
  assert.deepEqual(await get("/flowoperation/throttling/status"), { ...DONE, data });
  const pace = { DefaultDataCenter: [{ changeDebouncingMillis: 0, changeDebouncingMaxMillis: 700 }] };
  assert.deepEqual(await get("/api/push/efficiency/getChangeDebouncingMillis"), { ...DONE, data: pace });
  const worker = { DefaultDataCenter: [false] };
  assert.deepEqual(await get("/api/push/efficiency/isUseLargeAdapterDelayChangeWorker"), { ...DONE, data: worker });
});
