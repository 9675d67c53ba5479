import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../base/budget.ts";
import type { Publication } from "../../model/publication.ts";
import type { LeaseEvent } from "../../registry/lease.ts";
import { Applications } from "./applications.ts";
import { leaseOf } from "./map.ts";
import { OperatorWords } from "./operatorWords.ts";
import { type By, Registrations } from "./registrations.ts";
import { anEurekaInstance } from "./testing/instances.ts";
import { listOf, ownPublication } from "./testing/publications.ts";

const NAMED = { app: "orders", instanceId: anEurekaInstance().instanceId };
const CLIENT = { address: "10.0.0.1", isReplication: false };

/** The leader of one service. Sessions see what it has when the test brings it to them. */
class Leader {
  nowMs = 1_000;
  list: ReadonlyMap<string, Publication> = new Map();
  puts = 0;

  session() {
    const words = new OperatorWords();
    const applications = new Applications((earlier) => words.missing(earlier));
    const see = () => void applications.set(ownPublication(anEurekaInstance()).serviceKey, this.list, this.nowMs);
    const state = { isCutOff: false };
    const registrations = new Registrations({
      applications: () => applications,
      registry: { step: (event) => this.#take(event as unknown as LeaseEvent) },
      budget: unlimitedBudget(),
      zone: "",
      said: (instance) => words.missing(instance),
      tell: () => undefined,
      whenShown: (_key, _untilMs, then) => {
        if (!state.isCutOff) see();
        then();
      },
    });
    const by = (): By => ({ ...CLIENT, nowMs: ++this.nowMs });
    return {
      see,
      state,
      register: (changes: Parameters<typeof anEurekaInstance>[0] = {}) =>
        registrations.register("orders", anEurekaInstance(changes), by(), () => undefined),
      take: (status: "OUT_OF_SERVICE" | "UP") =>
        registrations.setStatus(NAMED, { status, dirtyMs: undefined }, by(), () => undefined),
      giveBack: () => registrations.removeStatus(NAMED, { status: "UP", dirtyMs: undefined }, by(), () => undefined),
      check: () => words.check(++this.nowMs, registrations),
      statuses: () => {
        const instance = applications.instance("orders", NAMED.instanceId)?.instance;
        return [instance?.status, instance?.overriddenStatus];
      },
    };
  }

  #take(event: LeaseEvent): void {
    assert.ok(event.kind === "leased");
    this.puts++;
    const owner = { session: ownPublication(anEurekaInstance()).owner.session, client: event.holder };
    const rest = { registeredMs: this.nowMs, owner, lease: leaseOf(anEurekaInstance()) };
    this.list = listOf({ ...event.publication, ...rest });
    event.asker.answer({ kind: "accepted", isHeard: true });
  }
}

const OUT = ["OUT_OF_SERVICE", "OUT_OF_SERVICE"];

test("an override stays when the client registers at a session that has not seen it", () => {
  const leader = new Leader();
  const [here, behind, other] = [leader.session(), leader.session(), leader.session()];
  here.register();
  behind.see();
  here.take("OUT_OF_SERVICE");
  other.see();
  behind.register({ lastDirtyTimestamp: 2_000, metadata: new Map([["color", "green"]]) });
  for (const session of [here, other]) session.see();
  for (const session of [here, other]) session.check();
  behind.see();
  assert.deepEqual(behind.statuses(), OUT);
  assert.equal(leader.puts, 5, "each session that saw the word says it again");
  for (const session of [here, behind, other]) session.check();
  assert.equal(leader.puts, 5);
});

test("so it does when no session saw it before the client registered", () => {
  const leader = new Leader();
  const [here, behind] = [leader.session(), leader.session()];
  here.register();
  behind.see();
  here.state.isCutOff = true;
  here.take("OUT_OF_SERVICE");
  behind.register();
  here.see();
  here.check();
  behind.see();
  assert.deepEqual(behind.statuses(), OUT);
});

test("an override that was taken back does not return with a session that has not heard of that", () => {
  const leader = new Leader();
  const [here, behind] = [leader.session(), leader.session()];
  here.register();
  here.take("OUT_OF_SERVICE");
  behind.see();
  here.giveBack();
  behind.register({ lastDirtyTimestamp: 2_000 });
  here.see();
  here.check();
  behind.see();
  // Its client registers again after the next heartbeat, with its own status.
  assert.deepEqual(behind.statuses(), ["UNKNOWN", "UNKNOWN"]);
  behind.register({ lastDirtyTimestamp: 2_000 });
  assert.deepEqual(behind.statuses(), ["UP", "UNKNOWN"]);
});

test("a client that takes itself out is believed, and the override counts again afterwards", () => {
  const leader = new Leader();
  const [here, behind] = [leader.session(), leader.session()];
  here.register();
  behind.see();
  here.take("OUT_OF_SERVICE");
  behind.register({ status: "DOWN" });
  here.see();
  here.check();
  assert.deepEqual(here.statuses(), ["DOWN", "OUT_OF_SERVICE"]);
  here.register();
  assert.deepEqual(here.statuses(), OUT);
});

test("an instance that is gone takes its operator's word along", () => {
  const leader = new Leader();
  const here = leader.session();
  here.register();
  here.take("OUT_OF_SERVICE");
  leader.list = new Map();
  here.see();
  here.check();
  assert.equal(leader.puts, 2);
});

test("so it does when a session saw neither that it was gone nor that it came anew", () => {
  const leader = new Leader();
  const [here, behind] = [leader.session(), leader.session()];
  here.register();
  here.take("OUT_OF_SERVICE");
  behind.see();
  leader.list = new Map();
  here.see();
  here.register();
  behind.see();
  for (const session of [here, behind]) session.check();
  assert.deepEqual(behind.statuses(), ["UP", "UNKNOWN"]);
  assert.equal(leader.puts, 3);
});
