import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOf } from "../model/check.ts";
import { keeperOf, keepersOf } from "./keeperOf.ts";
import { recordIdOf } from "./recordForm.ts";
import { keyOf, REGISTRATIONS_MAX, registration, Scene, tcpCheck } from "./testing/scene.ts";

const SHORT = { renewMs: 1_000, endAgainMs: 2_000, takenBackMs: 20_000, unconfirmedMs: 10_000 };

function published(scene: Scene, ...registIds: string[]): void {
  for (const registId of registIds) scene.node("s1").put(registration(registId));
  scene.run(100);
}

test("a registration is answered when the store has it, its leader has it, and the node's own copy shows it", () => {
  const scene = new Scene(["s1", "s2", "s3"]);
  const asked = scene.node("s1").put(registration("a"));
  scene.run(100);
  assert.equal(asked.answer?.kind, "done");
  assert.equal(asked.answer?.kind === "done" && asked.answer.isHeard, true);
  assert.equal(scene.leases.get("a")?.version, asked.answer?.kind === "done" && asked.answer.revision);
  assert.equal(scene.node("s1").keeper.find(keyOf("a"))?.registration.instance.port, 80);
});

test("one session keeps it, the same for all, and takes no other one's", () => {
  const scene = new Scene(["s1", "s2", "s3"], SHORT);
  const ids = Array.from({ length: 30 }, (_, at) => `r${at}`);
  published(scene, ...ids);
  scene.run(3_000);
  scene.asked.length = 0;
  scene.run(3_000);
  const keepers = new Map<string, Set<string>>();
  for (const line of scene.asked) {
    const [by = "", , registId = ""] = line.split(" ");
    keepers.set(registId, (keepers.get(registId) ?? new Set()).add(by));
  }
  assert.equal(keepers.size, 30);
  for (const [registId, by] of keepers) assert.deepEqual([...by], [scene.keeper(registId)]);
  assert.equal(new Set([...keepers.values()].flatMap((by) => [...by])).size, 3, "all sessions have some");
});

test("another session takes over when the keeper dies, and the registration is not registered anew", () => {
  const scene = new Scene(["s1", "s2", "s3"], SHORT);
  published(scene, "a");
  scene.run(3_000);
  const keeper = scene.keeper("a");
  scene.asked.length = 0;
  scene.kill(keeper);
  scene.run(3_000);
  const lines = scene.asked.filter((line) => line.endsWith(" a"));
  assert.ok(lines.length > 0);
  assert.ok(
    lines.every((line) => !line.startsWith(keeper) && line.includes("leaseRenewed")),
    lines.join(),
  );
});

test("a keeper that dies before it has told the leader of a change leaves that to the next one", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a");
  scene.run(2_000);
  const before = scene.leases.get("a");
  assert.ok(before !== undefined);
  const other = scene.keeper("a") === "s1" ? "s2" : "s1";
  scene.node(scene.keeper("a")).put(registration("a", [], { weight: 3 }));
  scene.kill(scene.keeper("a") === other ? other : scene.keeper("a"));
  // The leader has not heard of it.
  scene.leases.set("a", before);
  scene.run(3_000);
  assert.equal(scene.leases.get("a")?.version, scene.table.revision);
});

test("the next keeper says which state it knows, and a leader that has an older one is told", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a");
  const before = scene.leases.get("a");
  assert.ok(before !== undefined);
  const old = { ...before };
  scene.node("s1").put(registration("a", [], { weight: 3 }));
  scene.run(3_000);
  // What the keeper had told was lost with the leader before this one.
  scene.leases.set("a", old);
  scene.kill(scene.keeper("a"));
  scene.run(3_000);
  assert.equal(scene.leases.get("a")?.version, scene.table.revision);
});

test("registrations move only to a session that comes, and from one that goes", () => {
  const scene = new Scene(["s1", "s2", "s3"], SHORT);
  const ids = Array.from({ length: 60 }, (_, at) => `r${at}`);
  published(scene, ...ids);
  const before = new Map(ids.map((id) => [id, scene.keeper(id)]));
  scene.start("s4");
  scene.tellMembers();
  scene.run(5_000);
  const moved = ids.filter((id) => scene.keeper(id) !== before.get(id));
  assert.ok(moved.length > 5 && moved.length < 30, String(moved.length));
  assert.ok(moved.every((id) => scene.keeper(id) === "s4"));
  scene.kill("s4");
  scene.run(1_000);
  assert.ok(ids.every((id) => scene.keeper(id) === before.get(id)));
});

test("a leader that has forgotten everything is told again", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a", "b");
  scene.run(2_000);
  scene.forget();
  scene.run(2_000);
  assert.deepEqual([...scene.leases.keys()].sort(), ["a", "b"]);
});

test("all nodes restart, and everything is registered again from the store", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a", "b");
  scene.nodes.clear();
  scene.forget();
  scene.run(1_000);
  for (const name of ["s1", "s2"]) scene.start(name);
  scene.tellMembers();
  scene.run(6_000);
  assert.deepEqual([...scene.leases.keys()].sort(), ["a", "b"]);
});

test("one that is taken back ends at once, and is not there any more for any node", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a");
  const asked = scene.node("s2").remove("a");
  scene.run(100);
  assert.equal(asked.answer?.kind, "done");
  assert.equal(scene.leases.has("a"), false);
  assert.equal(scene.node("s1").keeper.find(keyOf("a")), undefined);
});

test("one that a node has not heard of yet is taken back all the same", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  scene.node("s1").put(registration("a"));
  // The other node's copy is still without it.
  const asked = scene.node("s2").remove("a");
  scene.run(200);
  assert.equal(asked.answer?.kind, "done");
  assert.equal(scene.leases.has("a"), false);
});

test("nothing is taken back under an unknown key", () => {
  const scene = new Scene(["s1"], SHORT);
  const { revision } = scene.table;
  const asked = scene.node("s1").remove("a");
  scene.run(100);
  assert.deepEqual(asked.answer, { kind: "unknown" });
  assert.equal(scene.table.revision, revision);
});

test("a report reaches the keeper also by a session that takes itself for it", () => {
  const { scene, keeper, other, agree } = sceneOfTwoKeepers();
  const asked = scene.node(other).report("a", "ttl", "passing");
  scene.run(100);
  assert.equal(asked.answer?.kind, "done");
  agree();
  assert.equal(scene.node(keeper).keeper.find(keyOf("a"))?.isHealthy, true);
  assert.equal(scene.leases.get("a")?.isHealthy, true);
  // Without another report its time is over there, too, and stays so.
  scene.run(3_000);
  for (const name of ["s1", "s2"]) assert.equal(scene.node(name).keeper.find(keyOf("a"))?.isHealthy, false);
});

test("a report that a check is critical reaches the keeper so, too", () => {
  const { scene, other, agree } = sceneOfTwoKeepers();
  for (const status of ["passing", "warning", "critical"] as const) {
    const asked = scene.node(other).report("a", "ttl", status, "");
    scene.run(100);
    assert.equal(asked.answer?.kind, "done");
    for (const name of ["s1", "s2"]) assert.equal(scene.node(name).keeper.find(keyOf("a"))?.checks[0]?.status, status);
  }
  agree();
  for (const name of ["s1", "s2"]) assert.equal(scene.node(name).keeper.find(keyOf("a"))?.isHealthy, false);
  assert.equal(scene.leases.get("a")?.isHealthy, false);
});

test("a TTL that is over at a session that takes itself for the keeper says nothing to the keeper", () => {
  const { scene, keeper, other, agree } = sceneOfTwoKeepers();
  for (const name of [other, keeper]) scene.node(name).report("a", "ttl", "passing");
  for (let count = 0; count < 3; count++) {
    scene.run(1_500);
    scene.node(keeper).report("a", "ttl", "passing");
    scene.run(10);
    assert.equal(scene.node(keeper).keeper.find(keyOf("a"))?.isHealthy, true);
  }
  assert.equal(scene.node(other).keeper.find(keyOf("a"))?.isHealthy, false);
  agree();
  for (const name of ["s1", "s2"]) assert.equal(scene.node(name).keeper.find(keyOf("a"))?.isHealthy, true);
});

/** Two sessions, of which each takes itself for the only one, and a registration "a" with a TTL of two seconds. */
function sceneOfTwoKeepers() {
  const scene = new Scene(["s1", "s2"], SHORT);
  const tell = (name: string, members: readonly string[]) => {
    scene.node(name).step({ kind: "members", sessions: members.map((member) => scene.node(member).id) });
  };
  for (const name of ["s1", "s2"]) tell(name, [name]);
  scene.node("s1").put(registration("a", [checkOf({ id: "ttl", ttlMs: 2_000 })]));
  scene.run(500);
  const keeper = keeperAmong(scene, ["s1", "s2"]);
  const agree = () => {
    for (const name of ["s1", "s2"]) tell(name, ["s1", "s2"]);
    scene.run(200);
  };
  return { scene, keeper, other: keeper === "s1" ? "s2" : "s1", agree };
}

/** The session that keeps "a" when all know of these. */
function keeperAmong(scene: Scene, names: readonly string[]): string {
  const keepers = keepersOf(names.map((name) => scene.node(name).id));
  return keeperOf(recordIdOf(keyOf("a")), keepers)?.split(".")[0] ?? "";
}

test("a registration that came before the copy was confirmed is registered as soon as it is", () => {
  const scene = new Scene(["s1"], { unconfirmedMs: 1_000 });
  scene.node("s1").isConfirmed = false;
  scene.run(1_000);
  published(scene, "a");
  // What the request itself told the leader is lost.
  scene.forget();
  scene.run(500);
  assert.equal(scene.leases.has("a"), false);
  scene.node("s1").isConfirmed = true;
  scene.run(200);
  assert.equal(scene.leases.has("a"), true);
});

test("a keeper that is cut off from the store does not register what was taken back", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a");
  scene.run(2_000);
  const cut = scene.keeper("a");
  const other = cut === "s1" ? "s2" : "s1";
  scene.node(cut).isCut = true;
  scene.node(other).remove("a");
  for (let at = 0; at < 40; at++) {
    scene.run(1_000);
    // It may be there for a moment, after the leader has forgotten that it was taken back, but does not stay.
    if (at === 5) scene.forget();
  }
  assert.equal(scene.leases.has("a"), false);
});

test("while the store is away a leader that has lost everything is told all the same, and later not any more", () => {
  const scene = new Scene(["s1"], SHORT);
  published(scene, "a");
  scene.run(2_000);
  scene.isStoreAway = true;
  scene.run(5_000);
  scene.forget();
  scene.run(2_000);
  assert.equal(scene.leases.has("a"), true);
  scene.run(5_000);
  scene.forget();
  scene.run(5_000);
  assert.equal(scene.leases.has("a"), false);
  scene.isStoreAway = false;
  scene.run(2_000);
  assert.equal(scene.leases.has("a"), true);
});

test("the mark of one that was taken back goes after its time", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a");
  scene.node("s1").remove("a");
  scene.run(25_000);
  const asked = scene.node("s1").put(registration("a"), 0n);
  scene.run(100);
  assert.equal(asked.answer?.kind, "done");
  assert.equal(scene.leases.has("a"), true);
});

test("a record that is gone without a mark ends its lease", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  published(scene, "a");
  scene.run(1_000);
  const page = scene.table.range({
    from: "gateways/persistent/registration/",
    to: "gateways/persistent/registration0",
  });
  const [record] = page.kind === "page" ? page.records : [];
  scene.table.commit({ conditions: [], operations: [{ kind: "delete", key: record?.key ?? "" }] }, () => true);
  scene.run(3_000);
  assert.equal(scene.leases.has("a"), false);
});

test("a repeated registration writes nothing, a changed one a newer version", () => {
  const scene = new Scene(["s1"], SHORT);
  published(scene, "a");
  const { revision } = scene.table;
  const again = scene.node("s1").put(registration("a"));
  scene.run(100);
  assert.deepEqual(again.answer, { kind: "done", revision, isHeard: true });
  const changed = scene.node("s1").put(registration("a", [], { weight: 3 }));
  scene.run(100);
  assert.ok(changed.answer?.kind === "done" && changed.answer.revision > revision);
  assert.equal(scene.leases.get("a")?.version, scene.table.revision);
});

test("a change is made only at the revision that it names", () => {
  const scene = new Scene(["s1"], SHORT);
  published(scene, "a");
  const asked = scene.node("s1").put(registration("a", [], { weight: 3 }), 1n);
  const fresh = scene.node("s1").put(registration("b"), 0n);
  scene.run(100);
  assert.equal(asked.answer?.kind === "failed" && asked.answer.error.code, "VERSION_CONFLICT");
  assert.equal(fresh.answer?.kind, "done");
});

test("a failed check makes it unhealthy, and a passed one healthy again", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  scene.node("s1").put(registration("a", [tcpCheck("10.0.0.1")]));
  scene.run(4_000);
  assert.equal(scene.leases.get("a")?.isHealthy, true);
  scene.outcomes.set("10.0.0.1:80", "critical");
  scene.run(4_000);
  assert.equal(scene.leases.get("a")?.isHealthy, false);
  assert.equal(scene.node("s1").keeper.find(keyOf("a"))?.isHealthy, false);
  assert.equal(scene.node("s2").keeper.find(keyOf("a"))?.checks[0]?.status, "critical");
  scene.outcomes.delete("10.0.0.1:80");
  scene.run(4_000);
  assert.equal(scene.leases.get("a")?.isHealthy, true);
});

test("one session makes a check, and the next one that keeps it begins with the status that it had", () => {
  const scene = new Scene(["s1", "s2", "s3"], SHORT);
  scene.outcomes.set("10.0.0.1:80", "critical");
  scene.node("s1").put(registration("a", [tcpCheck("10.0.0.1", { initial: "passing" })]));
  scene.run(10_000);
  const keeper = scene.keeper("a");
  assert.deepEqual([...new Set(scene.probed)], [`${keeper} 10.0.0.1:80`]);
  scene.kill(keeper);
  scene.run(20);
  assert.equal(scene.leases.get("a")?.isHealthy, false);
  scene.run(10_000);
  assert.equal(scene.leases.get("a")?.isHealthy, false);
  assert.notEqual(scene.keeper("a"), keeper);
});

test("thresholds are counted in a row", () => {
  const scene = new Scene(["s1"], SHORT);
  const check = tcpCheck("10.0.0.1", {
    failuresBeforeWarning: 2,
    failuresBeforeCritical: 3,
    successesBeforePassing: 2,
  });
  scene.node("s1").put(registration("a", [check]));
  const statuses: string[] = [];
  const look = () => {
    const status = scene.node("s1").keeper.find(keyOf("a"))?.checks[0]?.status ?? "";
    if (statuses.at(-1) !== status) statuses.push(status);
  };
  for (let at = 0; at < 400; at++) {
    if (at === 100) scene.outcomes.set("10.0.0.1:80", "critical");
    if (at === 250) scene.outcomes.delete("10.0.0.1:80");
    scene.run(50);
    look();
  }
  assert.deepEqual(statuses, ["critical", "passing", "warning", "critical", "passing"]);
});

test("a check with a TTL is critical when nothing is reported, at whichever session reports come in", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  scene.node("s1").put(registration("a", [checkOf({ id: "ttl", ttlMs: 2_000 })]));
  scene.run(100);
  for (const name of ["s1", "s2"]) {
    const asked = scene.node(name).report("a", "ttl", "passing");
    scene.run(200);
    assert.equal(asked.answer?.kind, "done");
    assert.equal(scene.leases.get("a")?.isHealthy, true);
  }
  scene.run(2_500);
  assert.equal(scene.leases.get("a")?.isHealthy, false);
});

test("a status that a client tells is stored, and the next keeper knows it", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  scene.node("s1").put(registration("a", [checkOf({ id: "told", initial: "passing" })]));
  scene.run(100);
  const asked = scene.node("s2").report("a", "told", "critical");
  scene.run(300);
  assert.equal(asked.answer?.kind, "done");
  assert.equal(scene.leases.get("a")?.isHealthy, false);
  scene.kill(scene.keeper("a"));
  scene.run(3_000);
  assert.equal(scene.leases.get("a")?.isHealthy, false);
});

test("a registration that is critical for as long as it may be is removed", () => {
  const scene = new Scene(["s1", "s2"], SHORT);
  scene.outcomes.set("10.0.0.1:80", "critical");
  scene.node("s1").put(registration("a", [tcpCheck("10.0.0.1", { deregisterAfterMs: 5_000 })]));
  scene.run(4_000);
  assert.equal(scene.leases.has("a"), true);
  scene.run(3_000);
  assert.equal(scene.leases.has("a"), false);
  assert.equal(scene.node("s1").keeper.find(keyOf("a")), undefined);
});

test("a check that was changed begins anew, one that was not goes on", () => {
  const scene = new Scene(["s1"], SHORT);
  const other = tcpCheck("10.0.0.2", { id: "other" });
  scene.node("s1").put(registration("a", [tcpCheck("10.0.0.1"), other]));
  scene.run(4_000);
  scene.node("s1").put(registration("a", [tcpCheck("10.0.0.3"), other]));
  scene.run(20);
  const statuses = scene
    .node("s1")
    .keeper.find(keyOf("a"))
    ?.checks.map(({ status }) => status);
  assert.deepEqual(statuses, ["critical", "passing"]);
});

test("a probe that is not allowed leaves the status as it is, and says why", () => {
  const scene = new Scene(["s1"], SHORT);
  scene.outcomes.set("10.0.0.1:80", "denied");
  scene.node("s1").put(registration("a", [tcpCheck("10.0.0.1", { initial: "passing" })]));
  scene.run(4_000);
  const [state] = scene.node("s1").keeper.find(keyOf("a"))?.checks ?? [];
  assert.equal(state?.status, "passing");
  assert.equal(state?.output, "10.0.0.1:80");
});

test("bad registrations are refused, with the value and what would do", () => {
  const scene = new Scene(["s1"], SHORT);
  const code = (
    ...checks: Parameters<typeof registration>[1] extends readonly (infer C)[] | undefined ? C[] : never
  ) => {
    const { answer } = scene.node("s1").put(registration("a", checks));
    return answer?.kind === "failed" ? answer.error.code : answer;
  };
  assert.equal(code(tcpCheck("10.0.0.1"), tcpCheck("10.0.0.1")), "FIELD_INVALID");
  assert.equal(code(tcpCheck("a b")), "FIELD_INVALID");
  assert.equal(code(tcpCheck("10.0.0.1", { intervalMs: 10 })), "FIELD_INVALID");
  assert.equal(code(tcpCheck("10.0.0.1", { timeoutMs: 3_000 })), "FIELD_INVALID");
  assert.equal(
    code(...Array.from({ length: 17 }, (_, at) => tcpCheck("10.0.0.1", { id: `c${at}` }))),
    "PERSISTENT_EXHAUSTED",
  );
});

test("while the store is away a change is refused, and one whose outcome is not known says so", () => {
  const scene = new Scene(["s1"], SHORT);
  scene.isStoreAway = true;
  const asked = scene.node("s1").put(registration("a"));
  scene.run(100);
  assert.equal(asked.answer?.kind === "failed" && asked.answer.error.code, "STORE_UNAVAILABLE");
});

test("no more are taken than there may be, and too large ones not at all", () => {
  const scene = new Scene(["s1"], SHORT);
  const codeOf = ({ answer }: { readonly answer: unknown }) => (answer as { error?: { code: string } }).error?.code;
  for (let at = 0; at < REGISTRATIONS_MAX; at++) scene.node("s1").put(registration(`r${at}`));
  scene.run(500);
  assert.equal(codeOf(scene.node("s1").put(registration("more"))), "PERSISTENT_EXHAUSTED");
  const changed = scene.node("s1").put(registration("r1", [], { weight: 2 }));
  scene.run(100);
  assert.equal(changed.answer?.kind, "done");
  const metadata = new Map([["key", "x".repeat(70_000)]]);
  assert.equal(codeOf(scene.node("s1").put(registration("r1", [], { metadata }))), "PERSISTENT_EXHAUSTED");
});

test("outputs are cut", () => {
  const scene = new Scene(["s1"], SHORT);
  scene.node("s1").put(registration("a", [checkOf({ id: "ttl", ttlMs: 60_000 })]));
  scene.run(100);
  scene.node("s1").report("a", "ttl", "passing", "x".repeat(10_000));
  scene.run(100);
  assert.equal(scene.node("s1").keeper.find(keyOf("a"))?.checks[0]?.output.length, 512);
});
