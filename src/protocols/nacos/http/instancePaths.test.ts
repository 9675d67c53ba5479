// What a change of an instance leaves of the words of its client that come while the store is written. The leader and
// the store are stand-ins; a started server is in server/nacosHttp.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { unlimitedBudget } from "../../../base/budget.ts";
import { LEASE_KEEPER, type Publication } from "../../../model/publication.ts";
import { versionAt } from "../../../model/version.ts";
import type { LeaseEvent } from "../../../registry/lease.ts";
import type { QueryEvent } from "../../../registry/registry.ts";
import type { NacosInstance } from "../naming/instance.ts";
import { Leases } from "../naming/leases.ts";
import { instancesIn } from "../naming/serviceInfo.ts";
import { Params } from "../params.ts";
import type { NacosCall } from "./forms.ts";
import { type HttpParts, instancePaths } from "./instancePaths.ts";

class Scene {
  nowMs = 1_000;
  readonly publications = new Map<string, Publication>();
  readonly holders = new Set<string>();
  #change: Partial<NacosInstance> = {};
  #commit: () => void = () => assert.fail("nothing is being written");
  readonly #late: (() => void)[] = [];
  readonly #paths = instancePaths(this.#parts());

  #parts(): HttpParts {
    const registry = { step: (event: LeaseEvent | QueryEvent, nowMs: number) => this.#step(event, nowMs) } as never;
    const records = {
      changed: (_key: unknown, _id: string, instance: NacosInstance) => ({ ...instance, ...this.#change }),
      putChange: (_key: unknown, _id: string, change: Partial<NacosInstance>) =>
        new Promise<void>((resolve) => {
          this.#commit = () => {
            this.#change = { ...this.#change, ...change };
            resolve();
          };
        }),
    };
    const nowMs = () => this.nowMs;
    const words = { registered: () => undefined, ended: () => undefined };
    const later = (run: () => void) => void this.#late.push(run);
    const leases = new Leases({ registry, records, words, zone: "", budget: unlimitedBudget(), later, nowMs });
    const persistent = { find: () => undefined, ephemeralRefusal: () => undefined };
    return { registry, records, leases, persistent, config: { registrationBytesMax: 1_000_000 }, nowMs } as never;
  }

  #step(event: LeaseEvent | QueryEvent, nowMs: number): void {
    assert.ok(nowMs >= this.nowMs, "a step is never in the past");
    if (event.kind === "asked") {
      const { serviceKey } = event as Extract<QueryEvent, { kind: "asked" }>;
      const view = { serviceKey, version: versionAt(nowMs), publications: this.publications };
      event.asker.answer({ kind: "list", view, isNewer: true });
    } else if (event.kind === "leased") {
      this.holders.add(event.holder);
      const owner = { session: LEASE_KEEPER, client: event.holder };
      const registered = { ...event.publication, registeredMs: nowMs, owner, lease: event.lease };
      this.publications.set(registered.registId, registered);
      event.asker.answer({ kind: "accepted", isHeard: true });
    } else if (event.kind === "leaseEnded") {
      this.publications.delete(event.key.registId);
      event.asker.answer({ kind: "accepted", isHeard: true });
    }
  }

  /** Says something about 10.0.0.1:80, and returns the answers so far. */
  say(method: string, more: Readonly<Record<string, string>> = {}, from = "10.0.0.1"): readonly unknown[] {
    const path = this.#paths.find((each) => each.method === method && each.path === "/v1/ns/instance");
    assert.ok(path !== undefined);
    const form = { serviceName: "orders", ip: "10.0.0.1", port: "80", ephemeral: "true", ...more };
    const answers: unknown[] = [];
    const answer = (said: unknown) => void answers.push(said);
    const call = { params: new Params(new Map(Object.entries(form))), from, nowMs: this.nowMs, version: "v1" };
    path.handle({ ...call, answer, refuse: answer, refuseWith: answer } as unknown as NacosCall);
    this.#drain();
    return answers;
  }

  /** The store has written. */
  async committed(): Promise<void> {
    this.#commit();
    await new Promise((resolve) => setImmediate(resolve));
    this.#drain();
  }

  shown(): string[] {
    const view = { publications: this.publications } as Parameters<typeof instancesIn>[0];
    return instancesIn(view).map(({ weight, metadata }) => `weight ${weight}, v ${metadata.get("v")}`);
  }

  #drain(): void {
    for (let run = this.#late.shift(); run !== undefined; run = this.#late.shift()) run();
  }
}

const V1 = { metadata: '{"v":"1"}' };
const V2 = { metadata: '{"v":"2"}' };

test("a change keeps what the client says while it is written, and the client as the holder", async () => {
  const scene = new Scene();
  scene.say("POST", V1);
  const changed = scene.say("PUT", { weight: "5" }, "10.0.0.9");
  scene.nowMs += 100;
  assert.deepEqual(scene.say("POST", V2), ["ok"]);
  assert.deepEqual(changed, []);
  await scene.committed();
  assert.deepEqual(changed, ["ok"]);
  assert.deepEqual(scene.shown(), ["weight 5, v 2"]);
  assert.deepEqual([...scene.holders], ["10.0.0.1:0_nacos"]);
});

test("an instance that is taken back while a change of it is written stays away", async () => {
  const scene = new Scene();
  scene.say("POST", V1);
  const changed = scene.say("PUT", { weight: "5" });
  assert.deepEqual(scene.say("DELETE"), ["ok"]);
  await scene.committed();
  assert.deepEqual(changed, ["ok"]);
  assert.deepEqual(scene.shown(), []);
});

test("a change does not make the shown health the client's own", async () => {
  const scene = new Scene();
  scene.say("POST", V1);
  for (const [id, one] of scene.publications) scene.publications.set(id, { ...one, condition: { isHealthy: false } });
  scene.say("PUT", { weight: "5" });
  await scene.committed();
  const [instance] = instancesIn({ publications: scene.publications } as Parameters<typeof instancesIn>[0]);
  assert.equal(instance?.isHealthy, true);
  assert.equal(instance?.weight, 5);
});
