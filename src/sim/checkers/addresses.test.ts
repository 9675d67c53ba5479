import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { clientId } from "../../model/ids.ts";
import type { Registration } from "../../model/publication.ts";
import { AddressChecker } from "./addresses.ts";
import { type At, brokenBy, S, S1, S2, stopped } from "./testing/history.ts";

const HOST = "10.0.0.3";
const OF_C = { client: "c", service: S } as const;

/** The client c, at 10.0.0.3 and connected to s1, publishes c.1 and subscribes with c.2. */
const BEFORE: readonly At[] = [
  [1_000, { kind: "connected", client: "c", session: S1, connection: 1, isMute: false }],
  [1_000, { kind: "published", ...OF_C, registId: "c.1", version: 1n, token: "c.1~1~c", zone: "Z1" }],
  [1_000, { kind: "subscribed", ...OF_C, registId: "c.2", scope: "dataCenter", zone: "Z1" }],
];

/** A question about c's address, asked at 100 s, that is to be answered within four seconds. */
function asked({ isLast = false, isAddress = true, node = S1, entriesMax = 10 } = {}): At {
  const of = { question: 1, node, machine: "s1", client: "c", host: HOST, waitMs: 4_000 };
  return [100_000, { kind: "addressAsked", ...of, isAddress, entriesMax, isLast }];
}

const entry = (changes: Partial<Registration> = {}, host = HOST): Registration => ({
  serviceKey: S,
  registId: "c.1",
  version: 1n,
  registeredMs: 0,
  owner: { session: S1, client: clientId(`${host}:20001_10.255.0.1:9600`) },
  ...changes,
});

function answered(
  registrations: readonly Registration[],
  { subscribers = ["c.2"], clients = 1, configWatches = 0, isWhole = true, isCut = false, node = S1 } = {},
): At {
  const subscriptions = subscribers.map((registId) => ({ serviceKey: S, registId }));
  const counts = { clients, configWatches };
  const told = { registrations, subscriptions, ...counts, isWhole, isCut };
  return [100_010, { kind: "addressAnswered", question: 1, node, ...told }];
}

const broken = (...history: readonly At[]) =>
  brokenBy((evidence) => new AddressChecker(evidence), [...BEFORE, ...history]);

const over: At = [110_000, { kind: "over", live: [] }];
const later = (atMs: number): At => [atMs, { kind: "fault", what: "time passes" }];
const ofLast = asked({ isLast: true });
const ONE = entry();

test("a question that is answered in its time with what there is breaks nothing", () => {
  assert.equal(broken(asked(), answered([ONE]), over), undefined);
  assert.equal(broken(asked(), answered([], { subscribers: [], isWhole: false }), over), undefined);
  assert.equal(broken(ofLast, answered([ONE]), over), undefined);
  const elsewhere = asked({ isLast: true, node: S2 });
  assert.equal(broken(elsewhere, answered([ONE], { node: S2, subscribers: [] }), over), undefined);
});

test("a question that is not answered in its time waits for ever, unless given up, or its session is gone", () => {
  assert.equal(broken(asked(), later(104_500)), undefined);
  assert.equal(broken(asked(), later(104_700)), "quiet: nothing waits for ever");
  assert.equal(broken(asked(), [101_000, { kind: "addressGivenUp", question: 1 }], later(1_000_000)), undefined);
  assert.equal(broken(asked(), [101_000, stopped(S1)], later(1_000_000)), undefined);
  const paused: At = [101_000, { kind: "paused", machine: "s1", isPaused: true }];
  assert.equal(broken(asked(), paused, later(1_000_000)), undefined);
});

test("only one who asks is answered, once, and only a text that is no address is refused", () => {
  assert.equal(broken(answered([ONE])), "bug");
  assert.equal(broken(asked(), answered([ONE]), answered([ONE])), "bug");
  const error = fail("FIELD_INVALID", {});
  const refused: At = [100_010, { ...(answered([])[1] as { kind: "addressAnswered" } & object), error } as At[1]];
  assert.equal(broken(asked(), refused), "bug");
  assert.equal(broken(asked({ isAddress: false }), refused), undefined);
  assert.equal(broken(asked({ isAddress: false }), answered([])), "bug");
});

test("each registration that is told was made by the client at the address, and is told once", () => {
  const rule = "owner: a registration is its client's";
  assert.equal(broken(asked(), answered([ONE, ONE])), "bug");
  assert.equal(broken(asked(), answered([entry({ registId: "d.1" })])), rule);
  assert.equal(broken(asked(), answered([entry({ version: 2n })])), rule);
  assert.equal(broken(asked(), answered([entry({}, "10.0.0.4")])), rule);
});

test("at the end all and only what the living client has is told", () => {
  const converged = "7 convergence";
  assert.equal(broken(ofLast, answered([]), over), converged);
  assert.equal(broken(ofLast, answered([ONE], { isWhole: false }), over), converged);
  assert.equal(broken(ofLast, answered([ONE], { subscribers: [] }), over), converged);
  assert.equal(broken(ofLast, answered([ONE], { subscribers: ["c.2", "c.3"] }), over), converged);
  assert.equal(broken(ofLast, over), converged);
  const died: At = [50_000, { kind: "died", client: "c", how: "killed" }];
  assert.equal(broken(died, ofLast, answered([ONE], { subscribers: [] }), over), converged);
  assert.equal(broken(died, ofLast, answered([], { subscribers: [] }), over), undefined);
  const takenBack: At = [50_000, { kind: "unpublished", ...OF_C, registId: "c.1", version: 2n }];
  assert.equal(broken(takenBack, ofLast, answered([ONE]), over), converged);
  assert.equal(broken(takenBack, ofLast, answered([]), over), undefined);
});

test("of clients that share a registId one has it", () => {
  const twin: At = [
    2_000,
    { kind: "published", client: "d", service: S, registId: "c.1", version: 1n, token: "c.1~1~d", zone: "Z1" },
  ];
  assert.equal(broken(twin, ofLast, answered([]), over), undefined);
  assert.equal(broken(twin, ofLast, answered([ONE]), over), undefined);
});

const SECOND: At = [2_000, { kind: "published", ...OF_C, registId: "c.3", version: 1n, token: "c.3~1~c", zone: "Z1" }];
const TWO = entry({ registId: "c.3" });

test("no kind has more entries than were asked for", () => {
  const few = asked({ entriesMax: 1 });
  const isCut = true;
  assert.equal(broken(SECOND, few, answered([ONE], { isCut })), undefined);
  assert.equal(broken(SECOND, few, answered([ONE, TWO], { isCut })), "bug");
  assert.equal(broken(few, answered([ONE], { subscribers: ["c.2", "c.3"], isCut })), "bug");
  assert.equal(broken(few, answered([ONE], { clients: 2, isCut })), "bug");
  assert.equal(broken(few, answered([ONE], { configWatches: 2, isCut })), "bug");
});

test("an answer is cut only if a kind has as many entries as were asked for", () => {
  const isCut = true;
  assert.equal(broken(SECOND, asked({ entriesMax: 3 }), answered([ONE, TWO], { isCut })), "bug");
  assert.equal(broken(SECOND, asked({ entriesMax: 2 }), answered([ONE, TWO], { isCut })), undefined);
});

test("at the end an answer is cut if there is more", () => {
  const last = asked({ isLast: true, entriesMax: 1 });
  assert.equal(broken(SECOND, last, answered([ONE], { isCut: true }), over), undefined);
  assert.equal(broken(SECOND, last, answered([ONE]), over), "7 convergence");
  assert.equal(broken(last, answered([ONE]), over), undefined);
});
