import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { anInstance } from "../../../model/testing/instances.ts";
import type { ClientWish } from "../../kit/clientAccess.ts";
import type { Session } from "../kv/entries.ts";
import { AGENT, ConsulScene } from "../testing/scene.ts";
import { sessionsAliveIn } from "./sessionRoutes.ts";

/** A scene with the services web and api, each with a check, and a check of the node n1. */
async function open(t: TestContext): Promise<ConsulScene> {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  for (const name of ["web", "api"]) {
    const check = { CheckID: `${name}-up`, TTL: "1m", Status: "passing" };
    await scene.ask("PUT /agent/service/register", { Name: name, Check: check });
  }
  const check = { CheckID: "disk", Name: "disk", Status: "warning" };
  await scene.ask("PUT /catalog/register", { Node: "n1", Address: "10.0.0.1", Check: check });
  return scene;
}

function session(changes: Partial<Session>): Session {
  return {
    ...{ id: "s", name: "", node: AGENT.name, behavior: "release", lockDelayMs: 0, ttlMs: 0, ttl: "" },
    ...{ nodeChecks: [], serviceChecks: null, createIndex: 1n, modifyIndex: 1n },
    ...changes,
  };
}

const ALIVE: readonly [what: string, session: Partial<Session>, isAlive: boolean][] = [
  ["without checks", {}, true],
  ["with the agent's own", { nodeChecks: ["serfHealth"] }, true],
  ["with one that passes", { nodeChecks: ["web-up"] }, true],
  ["with one of a service that passes", { serviceChecks: [{ ID: "web-up" }] }, true],
  ["with one that warns, at its node", { node: "n1", nodeChecks: ["disk"] }, true],
  ["with one of another node", { nodeChecks: ["disk"] }, false],
  ["with one of a node that is not there", { node: "n2", nodeChecks: ["disk"] }, false],
  ["with one that is critical beside one that passes", { nodeChecks: ["web-up", "api-up"] }, false],
  ["with one of a service that is critical", { nodeChecks: [], serviceChecks: [{ ID: "api-up" }] }, false],
  ["with checks of services in a form of later", { serviceChecks: [null, {}] }, true],
];

for (const [what, changes, isAlive] of ALIVE) {
  test(`a session ${what} ${isAlive ? "lives on" : "ends"}`, async (t) => {
    const scene = await open(t);
    await scene.ask("PUT /agent/check/fail/api-up");
    assert.equal(sessionsAliveIn(scene.catalogue)(session(changes)), isAlive);
  });
}

test("no session ends before the registrations have been read", async (t) => {
  const scene = await ConsulScene.open();
  t.after(() => scene.close());
  scene.persistent.isKnown = false;
  assert.equal(sessionsAliveIn(scene.catalogue)(session({ nodeChecks: ["web-up"] })), true);
});

test("the checks of a node are gathered once for all its sessions", async (t) => {
  const scene = await open(t);
  const { own } = scene.catalogue;
  const servicesOf = t.mock.method(own, "servicesOf");
  const isAlive = sessionsAliveIn(scene.catalogue);
  assert.equal(servicesOf.mock.callCount(), 0);
  for (let at = 0; at < 100; at++) assert.equal(isAlive(session({ id: `${at}`, nodeChecks: ["web-up"] })), true);
  assert.equal(servicesOf.mock.callCount(), 1);
});

const CREATED: readonly [body: object, status: number, says: RegExp][] = [
  [{}, 200, /"ID"/],
  [{ TTL: "10s", LockDelay: "1m" }, 200, /"ID"/],
  [{ TTL: "24h", Behavior: "delete" }, 200, /"ID"/],
  [{ TTL: "0s" }, 200, /"ID"/],
  [{ TTL: "9s" }, 500, /Invalid Session TTL '9s'/],
  [{ TTL: "25h" }, 500, /Invalid Session TTL '25h'/],
  [{ TTL: "soon" }, 500, /invalid duration/],
  [{ Behavior: "none" }, 500, /Invalid Behavior setting 'none'/],
  [{ LockDelay: "soon" }, 400, /LockDelay must be a duration/],
  [{ Checks: ["web-up"] }, 200, /"ID"/],
  [{ NodeChecks: ["none"] }, 500, /Missing check 'none' registration/],
  [{ Node: "n1", NodeChecks: ["disk"] }, 200, /"ID"/],
  [{ Node: "n2" }, 500, /Missing node registration/],
  [{ Node: "10.0.0.3" }, 200, /"ID"/],
  [{ ServiceChecks: [{ ID: "api-up" }] }, 500, /Check 'api-up' is in critical state/],
];

for (const [body, status, says] of CREATED) {
  test(`a session of ${JSON.stringify(body)} is answered with ${status}`, async (t) => {
    const scene = await open(t);
    scene.listed("foreign", [anInstance({ host: "10.0.0.3" })]);
    await scene.ask("PUT /agent/check/fail/api-up");
    const answer = await scene.ask("PUT /session/create", body);
    assert.equal(answer.status, status, answer.text);
    assert.match(answer.text, says);
  });
}

const DELAYS: readonly [given: unknown, nanoseconds: number][] = [
  [undefined, 15e9],
  ["5s", 5e9],
  ["0s", 0],
  [7, 7e9],
  [2e9, 2e9],
  ["2m", 60e9],
];

for (const [given, nanoseconds] of DELAYS) {
  test(`a lock delay of ${JSON.stringify(given)} is one of ${nanoseconds / 1e9} s`, async (t) => {
    const scene = await open(t);
    const { json } = await scene.ask("PUT /session/create", { LockDelay: given });
    const { json: rows } = await scene.ask(`GET /session/info/${(json as { ID: string }).ID}`);
    assert.equal((rows as { LockDelay: number }[])[0]?.LockDelay, nanoseconds);
  });
}

test("a session begins at no node that its client may not know", async (t) => {
  const scene = await open(t);
  const create = async (allowed: string) => {
    const isAllowed = (wish: ClientWish) => wish.action === "store" || JSON.stringify(wish).includes(allowed);
    return (await scene.ask("PUT /session/create", { Node: "n1" }, { isAllowed })).status;
  };
  assert.deepEqual([await create("n1"), await create("web")], [200, 500]);
});

test("a session is shown as it was created, with its defaults", async (t) => {
  const scene = await open(t);
  const shown = async (body: object) => {
    const { json } = await scene.ask("PUT /session/create", body);
    const { json: rows } = await scene.ask(`GET /session/info/${(json as { ID: string }).ID}`);
    const [{ ID: _id, CreateIndex: _created, ModifyIndex: _modified, ...row } = {}] = rows as Record<string, unknown>[];
    return row;
  };
  assert.deepEqual(await shown({}), {
    ...{ Name: "", Node: AGENT.name, LockDelay: 15e9, Behavior: "release", TTL: "" },
    ...{ NodeChecks: ["serfHealth"], ServiceChecks: null },
  });
  const given = { Name: "mine", Node: "n1", Behavior: "delete", TTL: "1m30s", NodeChecks: ["disk"] };
  assert.deepEqual(await shown({ ...given, LockDelay: "1s" }), { ...given, LockDelay: 1e9, ServiceChecks: null });
  assert.deepEqual((await shown({ ServiceChecks: [{ ID: "web-up" }] }))["ServiceChecks"], [
    { ID: "web-up", Namespace: "" },
  ]);
});
