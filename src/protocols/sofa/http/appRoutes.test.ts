import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../../base/errors.ts";
import { asked } from "../../../base/testing/asked.ts";
import type { AppsListed } from "../../../registry/apps.ts";
import { metaAppRoutes, sessionAppRoutes } from "./appRoutes.ts";
import { checkSwitch } from "./checkSwitch.ts";

const LISTED: AppsListed = {
  revisions: ["r1", "r2"],
  services: [
    { service: "orders", version: (1n << 53n) + 1n, applications: ["shop", "mall"] },
    { service: 'a"b', version: 5n, applications: [] },
  ],
  isCut: false,
  error: undefined,
};

const get = (path: `/${string}`, listApps = async () => LISTED, query = {}) =>
  asked(sessionAppRoutes({ listApps }, { dataCenter: "DC", zone: "Z" }), `GET ${path}`, { query });

test("revisions and services are told in SOFARegistry's shapes, with exact versions", async () => {
  assert.deepEqual((await get("/digest/metadata/allRevisionIds")).json, ["r1", "r2"]);
  const { text, json } = await get("/digest/metadata/allServiceMapping");
  assert.match(text, /"nanosVersion":9007199254740993,/);
  assert.deepEqual(Object.keys(json as object), ["orders", 'a"b']);
  const none = async () => ({ ...LISTED, revisions: [], services: [] });
  assert.equal((await get("/digest/metadata/allServiceMapping", none)).text, "{}");
  assert.equal((await get("/digest/metadata/allRevisionIds", none)).text, "[]");
});

test("without a meta node they are refused, and not told as none", async () => {
  const away = () => Promise.reject(fail("REVISIONS_UNAVAILABLE"));
  for (const path of ["/digest/metadata/allRevisionIds", "/digest/metadata/allServiceMapping"] as const) {
    assert.match(String((await get(path, away)).refused), /REVISIONS_UNAVAILABLE/);
  }
});

test("the data center has the node's zone; another one is not known", async () => {
  const cache = (dataCenter: string) => get("/openapi/v1/metadata/cache", undefined, { dataCenter });
  assert.deepEqual((await cache("DC")).json, {
    success: true,
    message: null,
    data: { dataCenter: "DC", zones: ["Z"] },
  });
  assert.deepEqual((await cache("other")).json, { success: true, message: null, data: null });
});

test("switches are stored as configuration values, and a comparison is begun", async () => {
  const stored: [string, string | null][] = [];
  let compared = 0;
  const routes = metaAppRoutes({
    compareServices: () => void compared++,
    putConfig: async (key, data) => void stored.push([key, data]),
  });
  const put = (path: string, body?: unknown) => asked(routes, `PUT /metaCenter/${path}`, { body });
  for (const path of ["interfaceAppsIndex/renew", "interfaceAppsIndex/clean"]) {
    assert.deepEqual((await put(path)).json, { success: true, message: null });
  }
  assert.equal(compared, 2);
  await put("appRevisionCleaner/switch", { enabled: "false" });
  await put("interfaceAppsCleaner/switch", { enabled: "true" });
  await put("appRevision/writeSwitch", { serviceParams: true, serviceParamsLarge: false });
  assert.deepEqual(stored, [
    ["app_revision.cleaner.enabled#@#9600#@#CONFIG", "false"],
    ["interface_app.cleaner.enabled#@#9600#@#CONFIG", "true"],
    ["app_revision.write.switch#@#9600#@#CONFIG", '{"serviceParams":true,"serviceParamsLarge":false}'],
  ]);
  const none = await put("appRevision/writeSwitch", { serviceParams: false, serviceParamsLarge: false });
  assert.match(String(none.refused), /FIELD_INVALID/);
});

test("the switches may also be put as configuration values, with values that mean something", () => {
  const of = (dataId: string) => ({ dataId, instanceId: "9600", group: "CONFIG" });
  checkSwitch(of("app_revision.cleaner.enabled"), "false");
  checkSwitch(of("app_revision.write.switch"), '{"serviceParamsLarge":true}');
  for (const [name, value] of [
    ["interface_app.cleaner.enabled", "on"],
    ["app_revision.write.switch", "true"],
    ["app_revision.write.switch", '{"serviceParams":false}'],
    ["app_revision.write.switch", '{"serviceParams":"yes"}'],
    ["App_Revision.cleaner.enabled", "true"],
  ] as const) {
    assert.throws(() => checkSwitch(of(name), value), /FIELD_INVALID/, `${name} ${value}`);
  }
  const elsewhere = { ...of("app_revision.cleaner.enabled"), instanceId: "I" };
  assert.throws(() => checkSwitch(elsewhere, "true"), /FIELD_INVALID.*9600/);
});
