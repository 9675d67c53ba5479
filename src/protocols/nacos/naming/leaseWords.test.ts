import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../../base/budget.ts";
import { LEASE_KEEPER, type Publication } from "../../../model/publication.ts";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import { versionAt } from "../../../model/version.ts";
import type { LeaseEvent } from "../../../registry/lease.ts";
import type { QueryEvent } from "../../../registry/registry.ts";
import { type NacosInstance, registIdOf } from "./instance.ts";
import { Leases } from "./leases.ts";
import { LeaseWords } from "./leaseWords.ts";
import { instancesIn } from "./serviceInfo.ts";

const ORDERS = makeServiceKey({ name: "orders", namespace: "", group: "" });
const INSTANCE: NacosInstance = {
  ...{ ip: "10.0.0.1", port: 80, weight: 1, isHealthy: true, isEnabled: true, isEphemeral: true },
  ...{ cluster: "DEFAULT", metadata: new Map(), instanceId: "" },
};
const ADDRESS = registIdOf(INSTANCE);

/** A leader that has one list, and sessions whose copies of the records are what the test says. */
function scene() {
  const publications = new Map<string, Publication>();
  const state = { nowMs: 1_000, isAway: false, puts: 0 };
  const late: (() => void)[] = [];
  const take = (event: LeaseEvent) => {
    assert.ok(event.kind === "leased");
    state.puts++;
    const owner = { session: LEASE_KEEPER, client: event.holder };
    const publication = { ...event.publication, registeredMs: state.nowMs, owner, lease: event.lease };
    publications.set(publication.registId, publication);
    event.asker.answer({ kind: "accepted", isHeard: true });
  };
  const step = (event: LeaseEvent | QueryEvent) => {
    if (event.kind === "asked") {
      if (state.isAway) return;
      const view = { serviceKey: ORDERS, version: versionAt(state.nowMs), publications };
      event.asker.answer({ kind: "list", view, isNewer: true });
    } else if (state.isAway) late.push(() => take(event as LeaseEvent));
    else take(event as LeaseEvent);
  };
  const session = () => {
    let change: Partial<NacosInstance> = {};
    const records = { changed: (_key: unknown, _id: string, instance: NacosInstance) => ({ ...instance, ...change }) };
    const registry = { step: step as never };
    const words = new LeaseWords({ registry, records });
    const parts = { registry, records, words, zone: "", budget: unlimitedBudget() };
    const leases = new Leases({ ...parts, later: (run) => run(), nowMs: () => state.nowMs });
    return {
      register: (more: Partial<NacosInstance> = {}) =>
        leases.register({ serviceKey: ORDERS, instance: { ...INSTANCE, ...more }, from: "10.0.0.1" }, () => undefined),
      hear: (heard: Partial<NacosInstance>) => {
        change = heard;
        words.changed(ORDERS, ADDRESS);
      },
      check: () => words.check(state.nowMs, leases),
    };
  };
  const shown = () => instancesIn({ publications }).map(({ weight, isEnabled }) => [weight, isEnabled]);
  const arrive = () => {
    state.isAway = false;
    for (const run of late.splice(0)) run();
  };
  return { state, session, shown, arrive };
}

test("a client by HTTP at a session whose records are behind gets the operator's word when it comes", () => {
  const { state, session, shown } = scene();
  const behind = session();
  behind.register();
  behind.hear({ weight: 7, isEnabled: false });
  assert.deepEqual(shown(), [[1, true]]);
  behind.check();
  assert.deepEqual(shown(), [[7, false]]);
  for (let turn = 0; turn < 20; turn++, state.nowMs += 1_000) behind.check();
  assert.equal(state.puts, 2, "nothing more is registered");
});

test("a newer registration at another session is not undone by that", () => {
  const { session, shown, state } = scene();
  const [behind, other] = [session(), session()];
  behind.register();
  other.hear({ weight: 7 });
  other.register({ isEnabled: false });
  behind.hear({ weight: 7 });
  behind.check();
  assert.deepEqual([shown(), state.puts], [[[7, false]], 2]);
});

test("a registration that reaches the leader only after the records came has the word, too", () => {
  const { state, session, shown, arrive } = scene();
  const behind = session();
  state.isAway = true;
  behind.register();
  behind.hear({ weight: 7 });
  behind.check();
  state.isAway = false;
  state.nowMs += 1_000;
  behind.check();
  arrive();
  assert.deepEqual(shown(), [[1, true]]);
  state.nowMs += 5_000;
  behind.check();
  assert.deepEqual(shown(), [[7, true]]);
});
