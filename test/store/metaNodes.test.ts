// Several meta nodes on one database, as operators see them, and what goes on while that database is away.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, test } from "node:test";
import type { MemberRow } from "../../src/admin/memberRows.ts";
import type { RunningServer } from "../../src/server/start.ts";
import { eventually } from "../../src/server/testing/eventually.ts";
import { operate, TestNodes } from "../../src/server/testing/testNodes.ts";
import { withPostgres } from "./withPostgres.ts";

const nodes = new TestNodes();
after(() => nodes.close());

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const listener = createServer().listen(0, "127.0.0.1", () => {
      const address = listener.address();
      listener.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function rows(server: RunningServer): Promise<MemberRow[]> {
  return (await operate(server, "GET", "/nodes")).body.items;
}

const states = (list: readonly MemberRow[], role: string) =>
  list.flatMap((row) => (row.role === role ? [row.state] : [])).sort();

await withPostgres("several meta nodes", (server) => {
  test("each meta node lists all of them, who leads, who is blocked, and who is not there", async () => {
    const ports = [await freePort(), await freePort()];
    const metaAddresses = ports.map((port) => `127.0.0.1:${port}`);
    const [first, second] = [
      await nodes.start(["meta"], { metaAddresses, storeUrl: server.url, nodePort: ports[0] ?? 0 }),
      await nodes.start(["meta"], { metaAddresses, storeUrl: server.url, nodePort: ports[1] ?? 0 }),
    ];
    for (const roles of [["data"], ["data"], ["session"]] as const) await nodes.start(roles, { metaAddresses });
    for (const meta of [first, second]) {
      const list = await eventually(
        () => rows(meta),
        (found) => states(found, "meta").join() === "leads,stands by" && found.length === 5,
      );
      assert.deepEqual(states(list, "data"), ["up", "up"]);
    }
    const leads = (await rows(first)).find(({ state }) => state === "leads");
    const follower = leads?.address?.endsWith(`:${first.ports.node}`) === true ? second : first;
    const victim = (await rows(follower)).find(({ role }) => role === "data");
    assert.equal((await operate(follower, "POST", "/nodes/block", { node: victim?.id })).status, 200);
    await eventually(
      () => rows(follower),
      (list) => list.find(({ id }) => id === victim?.id)?.state === "blocked",
    );
    const leader = follower === first ? second : first;
    await nodes.stop(leader);
    const after = await eventually(
      () => rows(follower),
      (found) => states(found, "meta").join() === "leads,unreachable",
    );
    assert.deepEqual(states(after, "data"), ["blocked", "up"]);
  });

  test("the leader gives the lead to the other node when operators want it, and not if there is no other", async () => {
    const ports = [await freePort(), await freePort()];
    const storeUrl = new URL(server.url);
    await server.sql(`CREATE DATABASE lead OWNER ${storeUrl.username}`);
    storeUrl.pathname = "/lead";
    const at = { metaAddresses: ports.map((port) => `127.0.0.1:${port}`), storeUrl: storeUrl.href };
    const first = await nodes.start(["meta"], { ...at, nodePort: ports[0] ?? 0 });
    await eventually(
      () => rows(first),
      (found) => states(found, "meta").join() === "leads,unreachable",
    );
    const alone = await operate(first, "POST", "/leader/step-down", {});
    assert.deepEqual([alone.status, alone.body.error.code], [409, "NODE_NEEDED"]);
    const second = await nodes.start(["meta"], { ...at, nodePort: ports[1] ?? 0 });
    const leads = (one: RunningServer, other: RunningServer) =>
      eventually(
        async () => Promise.all([one, other].map(({ ports: { metaHttp } }) => leaderAt(metaHttp))),
        ([own, others]) => own === "own" && others === "another",
      );
    await leads(first, second);
    // The leader hears of the other node a moment after that has found the leader.
    const preview = await eventually(
      () => operate(second, "POST", "/leader/step-down", { preview: true }),
      ({ status }) => status === 200,
    );
    assert.match(preview.body.message, /would give the lead to another meta node/);
    const done = await operate(second, "POST", "/leader/step-down", {});
    assert.match(done.body.message, /has given the lead up/);
    await leads(second, first);
    const quit = `http://127.0.0.1:${first.ports.metaHttp}/meta/leader/quit/election`;
    const answer = await fetch(quit, { method: "PUT" });
    assert.deepEqual([answer.redirected, await answer.json()], [true, { success: true, message: null }]);
    await leads(first, second);
  });
});

/** The leader, as a path for the leader says at this meta node: itself, another one, or none. */
async function leaderAt(port: number): Promise<"own" | "another" | "none"> {
  const path = `http://127.0.0.1:${port}/openapi/v1/slot/table/reconcile/status`;
  const { status } = await fetch(path, { redirect: "manual" });
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  if (/^roster_meta_leader 1$/m.test(page)) return "own";
  return status === 307 ? "another" : "none";
}
