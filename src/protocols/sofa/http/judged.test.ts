// Each of SOFARegistry's paths, and who may use it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AccessSet } from "../../../access/accessSet.ts";
import { DEFAULT_POLICIES } from "../../../access/policy.ts";
import { type AccessRole, anonymous, certified, type Principal } from "../../../access/principal.ts";
import { fail, type RegistryError } from "../../../base/errors.ts";
import { type HttpRoute, jsonResponse, textResponse } from "../../../base/http.ts";
import { asked } from "../../../base/testing/asked.ts";
import type { AskedChange } from "../../kit/audit.ts";
import { OPEN_ACCESS } from "../../kit/clientAccess.ts";
import type { SofaChangesConfig } from "../environment.ts";
import { sofaRoutesOf } from "../testing/routes.ts";
import { judged } from "./judged.ts";

type Changes = SofaChangesConfig["sofaChanges"];

const DONE = textResponse("done");
const FAR = { remoteAddress: "10.0.0.9", localAddress: "192.0.2.1" };
const PORTS = ["session", "data", "meta"] as const;

/** The paths that need no proof by any policy: by them clients find servers, and tools see that all is well. */
const OPEN = /^(GET \/api\/servers\/|GET \/health\/check)/;
/** The paths that change something, as SOFARegistry's tools call them. */
const CHANGES = [
  /^PUT /,
  /^GET \/stopPushDataSwitch\//,
  /^GET \/api\/emergency\//,
  /^POST \/(api\/emergency|stopPushDataSwitch|datainfoid|blacklist|shutdown|compress|flowoperation|circuit|slotSync)\//,
  /^POST \/api\/(multi|recover)\//,
  /^POST \/api\/clientManager\/(?!zone\/queryClientOff)/,
  /^POST \/api\/clients\/off/,
  /^POST \/persistentData\/(put|remove)/,
  /^POST \/datum\/api\/(delete|pub\/)/,
];
const isChange = (what: string) => CHANGES.some((one) => one.test(what)) && !/status$|query$/.test(what);

/** The routes of a port whose handlers only say that they were called, judged with these policies in force. */
function scene(
  routes: readonly HttpRoute[],
  { sofaChanges = "local", isClosed = false }: { readonly sofaChanges?: Changes; readonly isClosed?: boolean } = {},
) {
  const entries: AskedChange[] = [];
  const policies = isClosed ? DEFAULT_POLICIES.map((policy) => ({ ...policy, actions: [] })) : [];
  const set = new AccessSet(1n, [], policies);
  const caller: { principal: Principal | RegistryError } = { principal: anonymous(FAR.remoteAddress) };
  const access = {
    ...OPEN_ACCESS,
    identify: (_client: unknown, then: (found: Principal | RegistryError) => void) => then(caller.principal),
    refusal: (principal: Principal, { action }: { readonly action: Parameters<AccessSet["mayDo"]>[1] }) =>
      set.mayDo(principal, action).isAllowed ? undefined : fail("PERMISSION_NEEDED", { action }),
    reach: (...wish: Parameters<AccessSet["reach"]>) => set.reach(...wish),
  };
  const handle: HttpRoute["handle"] = ({ respond }) => respond(DONE);
  const all = judged(
    routes.map((route) => ({ ...route, handle })),
    { access, audit: (entry) => void entries.push(entry), config: { sofaChanges } },
  );
  /** The requests that reach their handlers. */
  const letIn = async (principal: Principal | RegistryError, ends = FAR) => {
    caller.principal = principal;
    const found: string[] = [];
    for (const { method, path } of all) {
      const { text } = await asked(all, `${method} ${path}`, ends);
      if (text === "done") found.push(`${method} ${path}`);
    }
    return found;
  };
  return { entries, letIn, all };
}

const named = (routes: readonly HttpRoute[]) => routes.map(({ method, path }) => `${method} ${path}`);
const user = (...roles: AccessRole[]): Principal => ({ kind: "user", name: "ann", roles, from: FAR.remoteAddress });

for (const port of PORTS) {
  const routes = sofaRoutesOf(port);
  const all = named(routes);
  const changes = all.filter(isChange);
  const configuring = named(routes.filter(({ asks }) => asks === "configure"));

  test(`${port}: each path that changes something asks for a permission, and no other one does`, () => {
    const permitted = routes.filter(({ asks }) => asks === "configure" || asks === "operate");
    assert.deepEqual(named(permitted).sort(), [...changes].sort());
    assert.deepEqual(
      named(routes.filter(({ asks }) => asks === "open")).sort(),
      all.filter((one) => OPEN.test(one)).sort(),
    );
  });

  test(`${port}: a stranger reads, and changes nothing`, async () => {
    const { letIn, entries } = scene(routes);
    assert.deepEqual(
      await letIn(anonymous(FAR.remoteAddress)),
      all.filter((one) => !isChange(one)),
    );
    assert.deepEqual(
      entries.map(({ operation, code, status }) => [operation, code, status]),
      changes.map((one) => [one, "CHANGE_NOT_ALLOWED", 403]),
    );
  });

  test(`${port}: with nothing open to strangers, they find servers and see that all is well`, async () => {
    const { letIn } = scene(routes, { isClosed: true });
    assert.deepEqual(
      await letIn(anonymous(FAR.remoteAddress)),
      all.filter((one) => OPEN.test(one)),
    );
  });

  test(`${port}: wrong credentials are let in nowhere that looks at them`, async () => {
    const { letIn, entries } = scene(routes, { sofaChanges: "all" });
    assert.deepEqual(
      await letIn(fail("CREDENTIALS_REFUSED", {})),
      all.filter((one) => OPEN.test(one)),
    );
    assert.equal(entries.length, changes.length);
    assert.ok(entries.every(({ principal, code }) => principal === undefined && code === "CREDENTIALS_REFUSED"));
  });

  for (const [roles, isLetIn] of [
    [[], (one: string) => OPEN.test(one)],
    [["reader"], (one: string) => !isChange(one)],
    [["client"], (one: string) => !isChange(one)],
    [["operator"], () => true],
    [["admin"], () => true],
  ] as const) {
    test(`${port}: a user from another machine with the access roles ${roles.join() || "none"}`, async () => {
      const { letIn, entries } = scene(routes, { sofaChanges: "none", isClosed: true });
      const found = await letIn(user(...roles));
      assert.deepEqual(found, all.filter(isLetIn));
      assert.equal(entries.length, changes.length);
      const made = entries.filter(({ code }) => code === undefined);
      assert.equal(made.length, found.filter(isChange).length);
      assert.ok(entries.every(({ principal }) => principal?.name === "ann"));
    });
  }

  for (const [sofaChanges, remoteAddress, isAllowed] of [
    ["local", "127.0.0.1", true],
    ["local", "127.9.9.9", true],
    ["local", "[::1]", true],
    ["local", FAR.localAddress, true],
    ["local", "10.0.0.1", false],
    ["local", "127.0.0.1.example", false],
    ["all", "10.0.0.1", true],
    ["none", "127.0.0.1", false],
  ] as const) {
    test(`${port}, ${sofaChanges}: ${remoteAddress} may ${isAllowed ? "" : "not "}change something`, async () => {
      const { letIn } = scene(routes, { sofaChanges });
      for (const caller of [anonymous(remoteAddress), certified({ commonName: "tool" }, remoteAddress)]) {
        const found = await letIn(caller, { ...FAR, remoteAddress });
        assert.deepEqual(found.filter(isChange), isAllowed ? changes : [], caller.kind);
      }
    });
  }

  test(`${port}: one who may operate and not configure sets no values and no rules`, async () => {
    const { all: own } = scene(routes, { sofaChanges: "none" });
    assert.ok(own.every(({ asks }) => asks !== undefined));
    assert.ok(port === "data" ? configuring.length === 0 : configuring.length > 5);
  });
}

const CHANGE: HttpRoute = {
  ...{ method: "POST", path: "/change/:it", asks: "configure" },
  handle: ({ respond }) => respond(jsonResponse({ success: true })),
};

/** The entry for one change by someone on this machine. */
async function entryOf(handle: HttpRoute["handle"], body?: object): Promise<AskedChange | undefined> {
  const entries: AskedChange[] = [];
  const judging = { access: OPEN_ACCESS, audit: (entry: AskedChange) => void entries.push(entry) };
  const routes = judged([{ ...CHANGE, handle }], { ...judging, config: { sofaChanges: "none" } });
  await asked(routes, "POST /change/:it", { params: { it: "that" }, query: { a: "b" }, body });
  assert.equal(entries.length, 1);
  return entries[0];
}

test("the entry of a change has who, from where, what and its outcome, and no value", async () => {
  const entry = await entryOf(({ respond }) => respond(jsonResponse({ success: true })), {
    dataId: "d",
    data: "secret",
  });
  const parameters = { it: "that", a: "b", dataId: "d", data: "6 characters" };
  const principal = anonymous("127.0.0.1");
  const expected = {
    operation: "POST /change/:it",
    principal,
    from: "127.0.0.1",
    status: 200,
    code: undefined,
    parameters,
  };
  assert.deepEqual(entry, expected);
});

test("a change that was not made is recorded as refused, also one that was refused later, or answered so", async () => {
  const error = fail("FIELD_INVALID", { field: "x" });
  const thrown = await entryOf(() => {
    throw error;
  });
  assert.equal(thrown?.code, "FIELD_INVALID");
  const later = await entryOf(({ refuse }) => void setImmediate(() => refuse(error)));
  assert.equal(later?.code, "FIELD_INVALID");
  const answered = await entryOf(({ respond }) => respond(jsonResponse({ success: false, message: "no" })));
  assert.equal(answered?.code, "CHANGE_REFUSED");
});
