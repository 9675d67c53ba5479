import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import { asked } from "../../../base/testing/asked.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { type ConfigNode, configRoutes } from "./configRoutes.ts";

const KEY = "retries#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP";
const NAME = { dataId: "retries", group: "", instanceId: "" };

/** The routes of a meta node where one value is set, and the values stored through them. */
function routes(changes: Partial<ConfigNode> = {}) {
  const stored: [ServiceKey, string | null][] = [];
  const all = configRoutes({
    configValueBytesMax: 1_000,
    config: (serviceKey) => (serviceKey === KEY ? { version: 9_007_199_254_740_993n, data: "3" } : undefined),
    putConfig: async (serviceKey, data) => void stored.push([serviceKey, data]),
    ...changes,
  });
  const post = (action: string, body: object) => asked(all, `POST /persistentData/${action}`, { body });
  const query = (dataInfoId: string) => asked(all, "GET /persistentData/query", { query: { dataInfoId } });
  return { all, stored, post, query };
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
    [0, 2 * 1_000 + 64 * 1_024, 0],
  );
  assert.ok(all.every(({ isForLeader }) => isForLeader === true));
});

for (const [dataId, rest] of [
  ["session.blacklist.data", { instanceId: "9600", group: "CONFIG" }],
  ["session.stop.push.data.switch", { instanceId: "9600", group: "CONFIG" }],
  ["compress.push.switch", {}],
  ["Session.Blacklist.Data ", {}],
] as const) {
  test(`SOFARegistry's switch "${dataId}" is refused by its name: nothing would change`, async () => {
    const { post, stored } = routes();
    const { refused } = await post("put", { ...NAME, dataId, ...rest, data: "true" });
    assert.match(String(refused), /SWITCH_NOT_SERVED.*dataId=/);
    assert.deepEqual(stored, []);
  });
}

test("a switch that Roster has a setting for is refused with the setting; others name none", async () => {
  const refusal = async (dataId: string) =>
    String((await routes().post("put", { ...NAME, dataId, data: "30" })).refused);
  assert.match(await refusal("data.session.lease.sec"), /instead=session-lease-ms/);
  assert.doesNotMatch(await refusal("session.blacklist.data"), /instead/);
});

test("a mistyped switch is refused, as is every other name where SOFARegistry has its switches", async () => {
  const body = { dataId: "session.blacklist.dat", instanceId: "9600", group: "CONFIG", data: "[]" };
  assert.match(String((await routes().post("put", body)).refused), /FIELD_INVALID.*session\.blacklist\.dat/);
  for (const elsewhere of [{ instanceId: "a" }, { group: "a" }]) {
    assert.equal((await routes().post("put", { ...body, ...elsewhere })).status, 200);
  }
});
