// A peer that does not answer, answers nonsense, or knows better. Spring's own server is in test/clients/eureka.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { SentOutcome, SentRequest } from "../../../base/httpSender.ts";
import type { EurekaInstance } from "../codec/instance.ts";
import { instanceJson } from "../codec/writeJson.ts";
import { anEurekaInstance } from "../testing/instances.ts";
import { Peer } from "./peer.ts";
import { peerUrlsIn } from "./peerUrls.ts";
import type { Word } from "./word.ts";

interface Under {
  readonly request: SentRequest;
  readonly done: (outcome: SentOutcome) => void;
}

class Scene {
  nowMs = 0;
  readonly sent: Under[] = [];
  readonly counted = new Map<string, number>();
  readonly logged: string[] = [];
  readonly heard: EurekaInstance[] = [];
  readonly gone = new Set<string>();
  readonly peer: Peer;
  readonly #listing = {
    listed: ({ app, instanceId }: Word) =>
      this.gone.has(instanceId) ? undefined : anEurekaInstance({ app, instanceId, lastDirtyTimestamp: 5 }),
    newer: (instance: EurekaInstance) => void this.heard.push(instance),
  };

  constructor(url = "http://eureka-1:8761/eureka/") {
    const [first] = peerUrlsIn(url);
    assert.ok(first !== undefined);
    const log = (event: string) => void this.logged.push(event);
    this.peer = new Peer({
      url: first,
      sendHttp: (request, done) => void this.sent.push({ request, done }),
      nowMs: () => this.nowMs,
      metrics: {
        add: (_name, value, { outcome = "" }: { readonly outcome?: string } = {}) =>
          void this.counted.set(outcome, (this.counted.get(outcome) ?? 0) + value),
      },
      log: { debug: log, info: log, warn: log, error: log },
    });
  }

  tell(instanceId: string, action: "Register" | "Heartbeat" | "Cancel" = "Heartbeat"): void {
    this.peer.tell({ app: "ORDERS", instanceId, action }, this.nowMs);
  }

  /** Lets time pass, and returns the words of the batch that is sent now: `action id`. */
  after(ms: number): string[] {
    const before = this.sent.length;
    this.nowMs += ms;
    this.peer.check(this.nowMs, this.#listing);
    assert.ok(this.sent.length <= before + 1, "one batch is under way at a time");
    return this.sent.length === before ? [] : this.words();
  }

  /** The words of the last batch. */
  words(): string[] {
    const { replicationList } = JSON.parse(this.sent.at(-1)?.request.body ?? "");
    return replicationList.map(({ action, id }: { action: string; id: string }) => `${action} ${id}`);
  }

  answer(status: number, body: unknown): void {
    const bytes = new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body));
    this.sent.at(-1)?.done({ status, body: bytes });
  }

  answerEach(...responseList: readonly object[]): void {
    this.answer(200, { responseList });
  }
}

const OK = { statusCode: 200 };

test("words are told in one request, as a peer tells them", () => {
  const scene = new Scene("http://me:secret@eureka-1:8761/eureka");
  assert.deepEqual(scene.after(500), []);
  scene.tell("a", "Register");
  scene.tell("b");
  assert.deepEqual(scene.after(500), ["Register a", "Heartbeat b"]);
  const { request } = scene.sent[0] ?? assert.fail();
  assert.equal(request.url, "http://eureka-1:8761/eureka/peerreplication/batch/");
  assert.equal(request.headers["x-netflix-discovery-replication"], "true");
  assert.equal(request.headers["authorization"], "Basic bWU6c2VjcmV0");
  scene.tell("c");
  assert.deepEqual(scene.after(500), []);
  scene.answerEach(OK, OK);
  assert.deepEqual(scene.words(), ["Heartbeat c"]);
  assert.deepEqual(scene.logged, []);
  assert.equal(scene.counted.get("told"), 2);
});

test("an instance that the peer does not know is registered there, unless it is gone", () => {
  const scene = new Scene();
  scene.tell("a");
  scene.tell("b");
  scene.tell("c", "Cancel");
  scene.after(500);
  scene.gone.add("b");
  scene.answerEach({ statusCode: 404 }, { statusCode: 404 }, { statusCode: 404 });
  assert.deepEqual(scene.words(), ["Register a"]);
  scene.answerEach({ statusCode: 400 });
  assert.deepEqual(scene.after(500), []);
  assert.equal(scene.counted.get("refused"), 1);
});

test("a newer state of the peer's is taken", () => {
  const scene = new Scene();
  scene.tell("a");
  scene.after(500);
  const newer = anEurekaInstance({ instanceId: "a", lastDirtyTimestamp: 9 });
  scene.answerEach({ statusCode: 409, responseEntity: JSON.parse(instanceJson(newer)) });
  assert.deepEqual(
    scene.heard.map(({ instanceId, lastDirtyTimestamp }) => [instanceId, lastDirtyTimestamp]),
    [["a", 9]],
  );
  assert.deepEqual(scene.after(500), []);
  assert.equal(scene.counted.get("refused"), undefined);
});

test("what could not be told is told again, before what has come since, later and later", () => {
  const scene = new Scene();
  scene.tell("a", "Register");
  scene.tell("b");
  scene.after(500);
  scene.tell("a", "Cancel");
  scene.tell("c");
  scene.sent.at(-1)?.done({ failure: "no connection" });
  assert.deepEqual(scene.after(499), []);
  assert.deepEqual(scene.after(1), ["Cancel a", "Heartbeat b", "Heartbeat c"]);
  for (const waitMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
    scene.answer(503, "");
    assert.deepEqual(scene.after(waitMs - 1), []);
    assert.equal(scene.after(1).length, 3);
  }
  scene.answerEach(OK, OK, OK);
  assert.deepEqual(scene.logged, ["a peer of Eureka's could not be told", "a peer of Eureka's is told again"]);
  scene.tell("a");
  assert.deepEqual(scene.after(0), ["Heartbeat a"]);
});

test("what can't be told for half a minute is forgotten", () => {
  const scene = new Scene();
  scene.tell("a", "Cancel");
  assert.equal(scene.after(500).length, 1);
  scene.sent.at(-1)?.done({ failure: "no connection" });
  scene.nowMs = 29_000;
  scene.tell("b");
  assert.deepEqual(scene.after(1_001), ["Heartbeat b"]);
  assert.equal(scene.counted.get("dropped"), 1);
});

test("an answer that is none counts as a failure", () => {
  for (const body of [
    "",
    "<xml/>",
    "{",
    "[]",
    { responseList: {} },
    { responseList: [OK, OK] },
    { responseList: [3] },
  ]) {
    const scene = new Scene();
    scene.tell("a");
    scene.after(500);
    scene.answer(200, body);
    assert.deepEqual(scene.after(500), ["Heartbeat a"], JSON.stringify(body));
    assert.equal(scene.logged.length, 1);
  }
});

test("many words are told in batches of 250", () => {
  const scene = new Scene();
  for (let at = 0; at < 600; at++) scene.tell(`i${at}`);
  assert.equal(scene.after(500).length, 250);
  scene.answerEach(...Array.from({ length: 250 }, () => OK));
  assert.equal(scene.words().length, 250);
  scene.answerEach(...Array.from({ length: 250 }, () => OK));
  assert.equal(scene.words().length, 100);
});
