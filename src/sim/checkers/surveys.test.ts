import assert from "node:assert/strict";
import { test } from "node:test";
import { fail } from "../../base/errors.ts";
import { clientId, type NodeId } from "../../model/ids.ts";
import type { SubscriberRow, Survey, SurveyRows } from "../../model/survey.ts";
import type { SurveyedSession } from "../../registry/survey.ts";
import type { SurveyAnswered } from "../facts.ts";
import { SurveyChecker } from "./surveys.ts";
import { type At, brokenBy, S, S1, S2, stopped } from "./testing/history.ts";

const HOSTS = new Map([
  ["c", "10.0.0.3"],
  ["w", "10.0.0.4"],
]);
const OF_C = { client: "c", service: S } as const;

/** The client c, at 10.0.0.3 and connected to s1, publishes c.1 and subscribes with c.2, which was shown version 5. */
const BEFORE: readonly At[] = [
  [1_000, { kind: "connected", client: "c", session: S1, connection: 1, isMute: false }],
  [1_000, { kind: "published", ...OF_C, registId: "c.1", version: 1n, token: "c.1~1~c", zone: "Z1" }],
  [1_000, { kind: "subscribed", ...OF_C, registId: "c.2", scope: "dataCenter", zone: "Z1" }],
  [1_100, pushedTo(5n)],
  [
    1_200,
    {
      ...{ kind: "learned", node: S1, role: "session" },
      message: {
        kind: "members",
        members: { epoch: 1n, serial: 1, list: [S1, S2].map((id) => ({ id, role: "session", address: "" })) },
      },
    },
  ],
];

function pushedTo(version: bigint): At[1] {
  const of = { ...OF_C, registId: "c.2", version, session: S1, isTaken: true };
  return { kind: "pushed", ...of, scope: "dataCenter", zone: "Z1", entries: [] };
}

interface Ask extends Partial<Survey> {
  readonly client?: string;
  readonly reach?: "cluster" | "session";
  readonly isLast?: boolean;
}

function asked({ client = "", reach = "cluster", isLast = false, ...changes }: Ask = {}): At {
  const survey: Survey = { of: "subscribers", serviceKey: undefined, host: "", appName: "", rowsMax: 10, ...changes };
  const of = { question: 1, node: S1, machine: "s1", reach, client, waitMs: 4_000, isLast, hosts: HOSTS };
  return [100_000, { kind: "surveyAsked", survey, ...of }];
}

const ROW: SubscriberRow = {
  ...{ serviceKey: S, registId: "c.2", client: clientId("10.0.0.3:20001_10.255.0.1:9600"), version: 1n },
  ...{ appName: "app", zone: "Z1", scope: "dataCenter", registeredMs: 1, pushedVersion: 5n, pushedMs: 2 },
  seenVersion: 5n,
};
const rowsOf = (...rows: readonly SubscriberRow[]): SurveyRows => ({ of: "subscribers", rows });
const from = (session: NodeId, rows: SurveyRows): SurveyedSession => ({ session, rows });
const GOOD = [from(S1, rowsOf(ROW)), from(S2, rowsOf())];

function answered(sessions: readonly SurveyedSession[], changes: Partial<SurveyAnswered> = {}): At {
  const told = { sessions, unanswered: [], isWhole: true, isCut: false, ...changes };
  return [100_010, { kind: "surveyAnswered", question: 1, node: S1, ...told }];
}

const broken = (...history: readonly At[]) =>
  brokenBy((evidence) => new SurveyChecker(evidence), [...BEFORE, ...history]);
const over: At = [110_000, { kind: "over", live: [] }];
const later = (atMs: number): At => [atMs, { kind: "fault", what: "time passes" }];
const LAST = asked({ isLast: true });

test("a survey that is answered in its time with what there is breaks nothing", () => {
  assert.equal(broken(asked(), answered(GOOD), over), undefined);
  assert.equal(broken(LAST, answered(GOOD), over), undefined);
  const alone = asked({ reach: "session" });
  assert.equal(broken(alone, answered([from(S1, rowsOf(ROW))]), over), undefined);
});

test("a survey that is not answered in its time waits for ever, unless given up, or its session is gone", () => {
  assert.equal(broken(asked(), later(104_700)), "quiet: nothing waits for ever");
  assert.equal(broken(asked(), [101_000, { kind: "surveyGivenUp", question: 1 }], later(1_000_000)), undefined);
  assert.equal(broken(asked(), [101_000, stopped(S1)], later(1_000_000)), undefined);
  assert.equal(broken(LAST, over), "7 convergence");
  assert.equal(broken(answered(GOOD)), "bug");
  assert.equal(broken(asked(), answered([], { error: fail("FIELD_INVALID", {}) })), "bug");
});

test("every member is named once, among those that have answered or those that have not", () => {
  const [one] = GOOD;
  assert.ok(one !== undefined);
  assert.equal(broken(asked(), answered([one])), "settled: a healed cluster is whole");
  assert.equal(broken(asked(), answered([one], { unanswered: [S2], isWhole: false })), undefined);
  assert.equal(broken(asked(), answered([one], { unanswered: [S2] })), "bug");
  assert.equal(broken(asked(), answered(GOOD, { isWhole: false })), "bug");
  assert.equal(broken(asked(), answered([...GOOD, one])), "bug");
});

test("each row is true and meets the conditions, and none is of another kind or too many", () => {
  const owner = "owner: a registration is its client's";
  const withRow = (changes: Partial<SubscriberRow>) =>
    answered([from(S1, rowsOf({ ...ROW, ...changes })), from(S2, rowsOf())]);
  assert.equal(broken(asked(), withRow({ registId: "c.3" })), owner);
  assert.equal(broken(asked(), withRow({ client: clientId("10.0.0.4:1_10.255.0.1:9600") })), owner);
  assert.equal(broken(asked(), answered([from(S1, rowsOf()), from(S2, rowsOf(ROW))])), owner, "it never was there");
  assert.equal(broken(asked(), withRow({ pushedVersion: 0n })), "bug");
  assert.equal(broken(asked({ host: "10.0.0.4" }), answered(GOOD)), "bug");
  assert.equal(broken(asked({ appName: "other" }), answered(GOOD)), "bug");
  assert.equal(broken(asked({ rowsMax: 0 }), answered(GOOD)), "bug");
  assert.equal(broken(asked({ of: "watches" }), answered(GOOD)), "bug");
});

test("at the end all and only what the living clients have is told, each once", () => {
  const converged = "7 convergence";
  assert.equal(broken(LAST, answered([from(S1, rowsOf()), from(S2, rowsOf())]), over), converged);
  assert.equal(broken(LAST, answered([from(S1, rowsOf(ROW, ROW)), from(S2, rowsOf())]), over), converged);
  assert.equal(broken(LAST, answered(GOOD, { isCut: true }), over), converged);
  const [one] = GOOD;
  assert.ok(one !== undefined);
  assert.equal(broken(LAST, answered([one], { unanswered: [S2], isWhole: false }), over), converged);
  const gone: At = [50_000, { kind: "unsubscribed", ...OF_C, registId: "c.2" }];
  assert.equal(broken(gone, LAST, answered(GOOD), over), converged);
  const stale = answered([from(S1, rowsOf({ ...ROW, pushedVersion: 4n })), from(S2, rowsOf())]);
  assert.equal(broken(LAST, stale, over), converged, "such a list never came to it");
});

test("at the end publishers, clients and counts are those of the living clients", () => {
  const { scope: _, pushedVersion: _v, pushedMs: _m, seenVersion: _s, ...ofPublisher } = { ...ROW, registId: "c.1" };
  const client = { client: ROW.client, principal: "", connectedMs: 1, publishers: 1, subscribers: 1, watches: 0 };
  const count = { name: S1, clients: 1, publishers: 1, subscribers: 1, watches: 0 };
  const cases = [
    { of: "publishers", rows: [ofPublisher] },
    { of: "clients", rows: [client] },
    { of: "sessions", rows: [count] },
  ] as const;
  for (const rows of cases) {
    const last = asked({ of: rows.of, isLast: true });
    const none = { of: rows.of, rows: [] } as SurveyRows;
    assert.equal(broken(last, answered([from(S1, rows), from(S2, none)]), over), undefined);
    assert.equal(broken(last, answered([from(S1, none), from(S2, none)]), over), "7 convergence");
    const ofOther = asked({ of: rows.of, isLast: true, client: "w" });
    assert.equal(broken(ofOther, answered([from(S1, none), from(S2, none)]), over), undefined);
  }
});
