import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonFields } from "../../../encoding/json/fields.ts";
import type { NacosClient, ServerRequest } from "../part.ts";
import { pathOf } from "./configKey.ts";
import { ConfigListeners } from "./configListeners.ts";
import { Pushes } from "./pushes.ts";

const KEY = { namespace: "public", group: "g", dataId: "d" };
const CHANGED = new Map([[pathOf(KEY), KEY]]);

function scene() {
  const time = { nowMs: 0 };
  const shown = { md5: "1" };
  const sent: ServerRequest[] = [];
  const answers: ((answer: JsonFields | undefined, nowMs: number) => void)[] = [];
  const charged = { bytes: 0 };
  const state = { isEnded: false, isBlocked: false };
  const client = {
    address: "10.0.0.1",
    get isEnded() {
      return state.isEnded;
    },
    account: {
      charge: (_kind: unknown, bytes: number) => {
        charged.bytes += bytes;
      },
      release: (_kind: unknown, bytes: number) => {
        charged.bytes -= bytes;
      },
    },
    pushRequest: (request: ServerRequest, answered: (typeof answers)[number]) => {
      if (state.isBlocked) return "blocked";
      sent.push(request);
      answers.push(answered);
      return "sent";
    },
  } as unknown as NacosClient;
  const nowMs = () => time.nowMs;
  const pushes = new Pushes(nowMs);
  const listeners = new ConfigListeners({ pushes, store: { md5Shown: () => shown.md5 }, nowMs });
  const listen = (md5: string) => listeners.add(client, { key: KEY, tenant: "", md5 });
  const pass = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      time.nowMs += 500;
      listeners.check(time.nowMs);
      pushes.check(time.nowMs);
    }
  };
  const answer = () => answers.shift()?.(new Map(), time.nowMs);
  const change = (md5: string) => {
    shown.md5 = md5;
    listeners.changed(CHANGED);
  };
  return { client, listeners, pushes, sent, answers, charged, state, time, listen, pass, answer, change };
}

test("a client that names the new digest is told once", () => {
  const { listen, change, answer, pass, sent } = scene();
  listen("1");
  change("2");
  answer();
  listen("2");
  pass(60_000);
  assert.equal(sent.length, 1);
});

test("a client that has lost a notice is told again, a few times", () => {
  const { listen, change, answers, time, pass, sent } = scene();
  listen("1");
  change("2");
  for (let step = 0; step < 120; step++) {
    answers.shift()?.(new Map(), time.nowMs);
    pass(500);
  }
  assert.equal(sent.length, 4);
});

test("while a notice is under way the next ones are one, and without an answer it is sent again", () => {
  const { listen, change, answer, answers, time, pass, sent } = scene();
  listen("1");
  change("2");
  change("3");
  change("4");
  assert.equal(sent.length, 1);
  listen("4");
  answer();
  assert.equal(sent.length, 2);
  answers.shift()?.(undefined, time.nowMs);
  pass(1_000);
  assert.equal(sent.length, 3);
  answer();
  pass(60_000);
  assert.equal(sent.length, 3);
});

test("a client that does not read is told when it reads again", () => {
  const { client, pushes, listen, change, state, sent } = scene();
  listen("1");
  state.isBlocked = true;
  change("2");
  state.isBlocked = false;
  pushes.drained(client);
  assert.equal(sent.length, 1);
});

test("what a client does not listen to any more is released once, and what it never listened to is not", () => {
  const { client, listeners, listen, change, charged, sent } = scene();
  listeners.remove(client, KEY);
  assert.equal(charged.bytes, 0);
  listen("1");
  listeners.remove(client, { ...KEY, dataId: "other" });
  assert.ok(charged.bytes > 0);
  listeners.remove(client, KEY);
  listeners.remove(client, KEY);
  assert.equal(charged.bytes, 0);
  change("2");
  assert.equal(sent.length, 0);
});

test("what is kept for a client is charged, and released when it leaves", () => {
  const { client, listeners, pushes, listen, change, state, charged, pass, sent } = scene();
  listen("1");
  listen("2");
  assert.ok(charged.bytes > 0);
  change("3");
  state.isEnded = true;
  listeners.ended(client);
  pushes.ended(client);
  assert.equal(charged.bytes, 0);
  pass(60_000);
  change("4");
  assert.equal(sent.length, 1);
  assert.deepEqual([...listeners.listenersOf(KEY)], []);
});
