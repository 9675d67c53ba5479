import assert from "node:assert/strict";
import { test } from "node:test";
import { asked } from "../../../base/testing/asked.ts";
import { clusterOf } from "../../kit/testing/views.ts";
import { ABSENT_ROUTES, OTHER_CENTER_QUERIES, otherCenterRoutes } from "./otherCenterRoutes.ts";

const cluster = clusterOf();
const ROUTES = otherCenterRoutes({ cluster });
const CLUSTER = "/api/multi/cluster/";
const CHANGES = ROUTES.map(({ path }) => path).filter((path) => path.startsWith(CLUSTER));
const ALL = {
  remoteDataCenter: "other",
  remoteMetaAddress: "10.1.1.9",
  dataInfoIds: "a#@#b#@#c",
  ignoreDataInfoIds: "a#@#b#@#c",
  group: "g",
  expectVersion: "7",
  token: "any",
};

test("no other data center is listed, and one is asked for by name", async () => {
  const none = await asked(OTHER_CENTER_QUERIES, `GET ${CLUSTER}queryAll`);
  assert.deepEqual(none.json, { success: true, message: null, data: [] });
  const other = await asked(OTHER_CENTER_QUERIES, `GET ${CLUSTER}query`, { query: { remoteDataCenter: "other" } });
  assert.deepEqual(other.json, { success: true, message: null, data: null });
  const unnamed = await asked(OTHER_CENTER_QUERIES, `GET ${CLUSTER}query`);
  assert.deepEqual(unnamed.json, {
    success: false,
    message: "remoteDataCenter is not allow empty.",
    data: null,
  });
});

test("a change of a data center that is not copied is told that there is none, in SOFARegistry's words", async () => {
  assert.equal(CHANGES.length, 12);
  for (const path of CHANGES) {
    const { json } = await asked(ROUTES, `POST ${path}`, { body: ALL });
    assert.deepEqual(json, { success: false, message: "remoteDataCenter:other, expectVersion:7 not exist." }, path);
  }
});

test("a change that lacks a field is told the fields that it needs", async () => {
  const lacking = async (path: string, body: object | undefined) =>
    (await asked(ROUTES, `POST ${path}`, { body })).json as { readonly success: boolean; readonly message: string };
  for (const [path, needed] of [
    [`${CLUSTER}sync/enable`, "remoteDataCenter, expectVersion"],
    [`${CLUSTER}updateMetaAddress`, "remoteDataCenter, remoteMetaAddress, expectVersion"],
    [`${CLUSTER}sync/group/add`, "remoteDataCenter, group, expectVersion"],
    ["/api/multi/datum/dataInfoId/removePubs", "remoteDataCenter, dataInfoId"],
    ["/api/recover/config/remove", "table and key"],
  ] as const) {
    const expected = { success: false, message: `${needed} is not allow empty.` };
    assert.deepEqual(await lacking(path, undefined), expected, path);
    for (const name of needed.split(/, | and /)) {
      const rest = { ...ALL, dataInfoId: "a#@#b#@#c", table: "t", key: "k", [name]: " " };
      assert.deepEqual(await lacking(path, rest), expected, `${path} without ${name}`);
    }
  }
});

test("of another data center nothing is here to be cleared; the own one is not touched", async () => {
  for (const kind of ["dataInfoId", "group"]) {
    const path = `POST /api/multi/datum/${kind}/removePubs` as const;
    const other = await asked(ROUTES, path, { body: { remoteDataCenter: "other", [kind]: "x", token: "any" } });
    assert.deepEqual(other.json, { success: true, message: "" });
    const own = await asked(ROUTES, path, { body: { remoteDataCenter: cluster.dataCenter, [kind]: "x" } });
    const { success, message } = own.json as { readonly success: boolean; readonly message: string };
    assert.equal(success, false);
    assert.match(message, /^not done: /);
  }
});

test("no value is recovered from another cluster, so none is left after it is taken back", async () => {
  const { json } = await asked(ROUTES, "POST /api/recover/config/remove", { body: { table: "t", key: "k" } });
  assert.deepEqual(json, { success: true, message: "" });
});

test("what would set the first one is refused with the reason", async () => {
  for (const { path } of ABSENT_ROUTES) {
    const { json } = await asked(ABSENT_ROUTES, `POST ${path}`, { body: ALL });
    const { success, message } = json as { readonly success: boolean; readonly message: string };
    assert.equal(success, false);
    assert.match(message, /^not done: /);
  }
});
