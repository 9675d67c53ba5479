import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import type { CatalogueEntry } from "../../model/catalogue.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Publication } from "../../model/publication.ts";
import { anInstance } from "../../model/testing/instances.ts";
import type { CatalogueAnswer, CatalogueAsker, CatalogueEvent } from "../../registry/catalogue.ts";
import type { Asker, QueryEvent } from "../../registry/registry.ts";
import { HeldLists } from "./heldLists.ts";
import { serviceKeyOf } from "./map.ts";
import { foreignPublication, listOf } from "./testing/publications.ts";

const [ORDERS, STOCK] = [serviceKeyOf("orders"), serviceKeyOf("stock")];

/** A registry that answers when the test says so, and held lists that ask it. */
class Scene {
  nowMs = 1_000;
  readonly lists: HeldLists;
  readonly questions = new Map<Asker, ServiceKey>();
  catalogue: CatalogueAsker | undefined;
  asked = 0;
  readonly #later: (() => void)[] = [];
  #isStepping = false;

  constructor() {
    const gzip = (bytes: Uint8Array) => bytes;
    const registry = { step: (event: unknown) => this.#step(event as CatalogueEvent | QueryEvent) };
    const later = (run: () => void) => void this.#later.push(run);
    this.lists = new HeldLists({
      registry,
      compression: { gzip },
      nowMs: () => this.nowMs,
      later,
      wordLost: () => undefined,
    });
  }

  /** Answers within a step of the registry, and lets what was put off run. */
  answered(answer: () => void): void {
    this.#isStepping = true;
    answer();
    this.#isStepping = false;
    this.settle();
  }

  settle(): void {
    for (let run = this.#later.shift(); run !== undefined; run = this.#later.shift()) run();
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.lists.check(this.nowMs);
    this.settle();
  }

  named(entries: readonly CatalogueEntry[], changes: Partial<CatalogueAnswer> = {}): void {
    const answer = { kind: "catalogue", entries, isWhole: true, isCut: false, unshown: 0, ...changes } as const;
    this.answered(() => this.catalogue?.answer(answer as CatalogueAnswer));
  }

  listed(serviceKey: ServiceKey, version: bigint, publications: readonly Publication[]): void {
    for (const [asker, key] of [...this.questions]) {
      if (key !== serviceKey) continue;
      this.questions.delete(asker);
      const view = { serviceKey, version, publications: listOf(...publications) };
      this.answered(() => asker.answer({ kind: "list", view, isNewer: true }));
    }
  }

  /** The outcome of a request now, or later. */
  request(state: "known" | "shown"): string[] {
    const heard: string[] = [];
    const then = ({ applications }: { applications: { hashCode: string } }) => void heard.push(applications.hashCode);
    this.lists.when(state, this.nowMs, then, () => void heard.push("refused"));
    return heard;
  }

  #step(event: CatalogueEvent | QueryEvent): void {
    assert.ok(!this.#isStepping, "a step of the registry begins no other one");
    switch (event.kind) {
      case "askedCatalogue":
        this.asked++;
        this.catalogue = event.asker;
        break;
      case "gaveUpCatalogue":
        this.catalogue = undefined;
        break;
      case "asked":
        this.questions.set(event.asker, event.serviceKey);
        break;
      case "gaveUp":
        this.questions.delete(event.asker);
        break;
    }
  }
}

const entry = (serviceKey: ServiceKey, version = 1n, size = 1): CatalogueEntry => ({
  ...{ serviceKey, version, size },
  origin: 1n,
});
const one = (port: number) => foreignPublication(anInstance({ port }));

test("a request waits for the lists of all services, and later ones do not", () => {
  const scene = new Scene();
  const heard = scene.request("shown");
  scene.named([entry(ORDERS), entry(STOCK)]);
  scene.listed(ORDERS, 1n, [one(1)]);
  assert.deepEqual(heard, []);
  scene.listed(STOCK, 1n, [one(2), one(3)]);
  assert.deepEqual([heard, scene.request("shown")], [["UP_3_"], ["UP_3_"]]);
});

test("a request is refused after five seconds without the lists, and nothing is held before the first one", () => {
  const scene = new Scene();
  assert.equal(scene.catalogue, undefined);
  const heard = scene.request("known");
  scene.pass(4_999);
  assert.deepEqual(heard, []);
  scene.pass(1);
  assert.deepEqual(heard, ["refused"]);
});

test("each newer list is taken, an older one is not, and a service that is gone has none", () => {
  const scene = new Scene();
  scene.request("shown");
  scene.named([entry(ORDERS)]);
  scene.listed(ORDERS, 5n, [one(1)]);
  scene.listed(ORDERS, 6n, [one(1), one(2)]);
  assert.deepEqual(scene.request("shown"), ["UP_2_"]);
  scene.listed(ORDERS, 4n, []);
  assert.deepEqual(scene.request("shown"), ["UP_2_"]);
  scene.answered(() => scene.catalogue?.changed([entry(ORDERS, 5n, 0)]));
  assert.deepEqual(scene.request("shown"), ["UP_2_"], "the catalogue is behind");
  scene.answered(() => scene.catalogue?.changed([entry(ORDERS, 7n, 0), entry(STOCK, 2n)]));
  scene.listed(STOCK, 2n, [one(9)]);
  assert.deepEqual([scene.request("shown"), [...scene.questions.values()]], [["UP_1_"], [STOCK]]);
});

test("while services are held since a restart, changes are taken and nothing is shown", () => {
  const scene = new Scene();
  const [reader, writer] = [scene.request("shown"), scene.request("known")];
  scene.named([], { unshown: 1 });
  assert.deepEqual([reader, writer], [[], [""]]);
  scene.pass(1_000);
  assert.equal(scene.asked, 2);
  scene.named([entry(ORDERS)]);
  scene.listed(ORDERS, 1n, [one(1)]);
  assert.deepEqual(reader, ["UP_1_"]);
  scene.pass(10_000);
  assert.equal(scene.asked, 2, "what is whole is not asked for again");
});

test("a catalogue that is not whole, or that the session gives up, is asked for again", () => {
  const scene = new Scene();
  const heard = scene.request("shown");
  scene.named([], { isWhole: false });
  scene.pass(6_000);
  assert.deepEqual([scene.asked, heard], [2, ["refused"]]);
  scene.named([]);
  assert.deepEqual(scene.request("shown"), [""]);
  const error = fail("CATALOGUE_TOO_LARGE", {});
  scene.answered(() => scene.catalogue?.answer({ kind: "failed", error }));
  scene.pass(1_000);
  assert.equal(scene.asked, 3);
});

test("a list that does not come is asked for again", () => {
  const scene = new Scene();
  scene.request("shown");
  scene.named([entry(ORDERS)]);
  for (const asker of [...scene.questions.keys()]) {
    scene.questions.delete(asker);
    scene.answered(() => asker.answer({ kind: "failed", error: fail("LIST_UNAVAILABLE", {}) }));
  }
  assert.equal(scene.questions.size, 0);
  scene.pass(500);
  assert.deepEqual([...scene.questions.values()], [ORDERS]);
});

test("a change is shown before its request is answered", () => {
  const scene = new Scene();
  scene.request("shown");
  scene.named([]);
  let isShown = false;
  scene.lists.refresh(ORDERS, scene.nowMs + 1_000, () => {
    isShown = true;
  });
  scene.settle();
  assert.equal(isShown, false);
  scene.listed(ORDERS, 3n, [one(1)]);
  assert.deepEqual([isShown, scene.request("shown")], [true, ["UP_1_"]]);
});

test("lists that no client has asked for in ten minutes are let go", () => {
  const scene = new Scene();
  scene.request("shown");
  scene.named([entry(ORDERS)]);
  scene.listed(ORDERS, 1n, [one(1)]);
  scene.pass(599_999);
  assert.notEqual(scene.catalogue, undefined);
  scene.pass(1);
  assert.deepEqual([scene.catalogue, scene.questions.size], [undefined, 0]);
  scene.request("shown");
  assert.notEqual(scene.catalogue, undefined);
});

test("requests beyond ten thousand that wait are refused at once", () => {
  const scene = new Scene();
  const heard = Array.from({ length: 10_001 }, () => scene.request("shown"));
  assert.deepEqual([heard[0], heard.at(-1)], [[], ["refused"]]);
});
