import assert from "node:assert/strict";
import { test } from "node:test";
import { textOf } from "../../base/text.ts";
import { brandServiceKey, clientId, type NodeId, nodeId } from "../../model/ids.ts";
import { packBoxes } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import { drawPlan } from "../drawPlan.ts";
import type { Fact } from "../facts.ts";
import type { Plan } from "../plan.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";
import {
  type At,
  acknowledged,
  brokenBy,
  connected,
  D2,
  PLAN as HISTORY_PLAN,
  D1 as LEADER,
  lost,
  published,
  pushed,
  READY,
  S2,
  S1 as SESSION,
  saved,
  shows as showsTokens,
  tableOf,
} from "./testing/history.ts";
import { UndueRemoval } from "./undueRemoval.ts";

const S = brandServiceKey("s#@#I#@#G");
const [D1, COPY, S1] = [nodeId("d1.1"), nodeId("d1.3"), nodeId("s1.2")];
const PLAN: Plan = {
  ...drawPlan(new Dice(1)),
  topology: "split",
  nodes: [
    { machine: "d1", roles: ["data"] },
    { machine: "s1", roles: ["session"] },
  ],
};

function publication(client: string): Publication {
  return {
    ...{ serviceKey: S, registId: `${client}.1`, version: 1n, registeredMs: 0 },
    owner: { session: S1, client: clientId(client) },
    ...{ zone: "Z1", appName: "", attributes: new Map(), payload: packBoxes([textOf(`${client}.1~1~${client}`)]) },
  };
}

/** One more client publishes at D1's copy, which counts it for the one that D1 goes on to show. */
function copyShows(isCut: boolean): string | undefined {
  const judge = new Judge(PLAN);
  const shows = (from: NodeId, version: bigint, client: string): Fact => {
    const datum = { serviceKey: S, version, origin: from === D1 ? 1n : 2n, publications: [publication(client)] };
    return { kind: "told", from, to: S1, message: { kind: "snapshot", datum } };
  };
  const registers = (client: string, connection: number): Fact[] => {
    const key = { client, service: S, registId: `${client}.1`, version: 1n };
    return [
      { kind: "connected", isMute: false, client, session: S1, connection },
      { kind: "published", ...key, token: `${client}.1~1~${client}`, zone: "Z1" },
      { kind: "acknowledged", ...key, session: S1, connection },
    ];
  };
  const leads = (leader: NodeId, epoch: bigint, nowMs: number) => {
    const slots = Array.from({ length: PLAN.meta.slotCount }, () => ({ leader, leaderEpoch: epoch, followers: [] }));
    const message = { kind: "slotTable", table: { epoch, slots }, versionFloor: 0n } as const;
    const members = { epoch, serial: 1, list: [] };
    judge.see({ kind: "started", node: leader, role: "data", machine: `${leader}` }, nowMs);
    judge.see({ kind: "learned", node: leader, role: "data", message: { kind: "members", members } }, nowMs);
    judge.see({ kind: "learned", node: leader, role: "data", message }, nowMs);
    const by = { by: nodeId("m1.1"), what: "slot table", askedMs: nowMs, leaseEpoch: 1n };
    judge.see({ kind: "saved", ...by, table: message.table, before: undefined }, nowMs);
  };
  leads(D1, 1n, 0);
  judge.see({ kind: "started", node: S1, role: "session", machine: "s1" }, 0);
  for (const fact of registers("c", 1)) judge.see(fact, 10);
  judge.see(shows(D1, 10n, "c"), 20);
  judge.see({ kind: "cut", id: 1, ways: [{ from: `${D1}`, to: isCut ? "s1" : "m1" }], isCut: true }, 10_000);
  leads(COPY, 2n, 20_000);
  judge.see(shows(D1, 10n, "c"), 20_500);
  for (const fact of registers("e", 2)) judge.see(fact, 20_600);
  judge.see(shows(COPY, 20n, "e"), 20_700);
  return judge.finding?.rule;
}

test("a data node on a copy counts a new publisher for an old one, though its original speaks beyond a cut", () => {
  assert.equal(copyShows(true), undefined);
  assert.equal(copyShows(false), "6 no empty by accident");
});

test("a stranger's word may go with the stranger, the owner's may not", () => {
  const shown = (token: string): At[] => [
    ...READY,
    [10, published(1n)],
    [15, acknowledged(1n, SESSION)],
    [20, pushed(SESSION, 10n, true, token)],
    [30, pushed(SESSION, 11n, true)],
  ];
  const broken = (token: string) => brokenBy((evidence) => new UndueRemoval(evidence), shown(token));
  assert.equal(broken("c.1~9~x"), undefined);
  assert.equal(broken("c.1~1~c"), "5 a cut is not a death");
});

test("what a zone's list lacks may be a stranger's of another zone, and must not be nobody's", () => {
  const broken = (...tokens: string[]) =>
    brokenBy(
      (evidence) => new UndueRemoval(evidence),
      [
        ...READY,
        [10, published(1n)],
        [15, acknowledged(1n, SESSION)],
        [20, pushed(SESSION, 10n, true, "c.1~1~c")],
        [29, showsTokens(LEADER, SESSION, 11n, ...tokens)],
        [30, pushed(SESSION, 11n, true)],
      ],
    );
  assert.equal(broken("c.1~9~x"), undefined);
  assert.equal(broken("c.1~1~c"), "5 a cut is not a death");
  assert.equal(broken(), "5 a cut is not a death");
});

const GRACE_MS = HISTORY_PLAN.config.clientReturnGraceMs;
const outside = (machine: string): Fact => ({ kind: "outside", machine, isOutside: true });

test("a subscriber that comes to the sessions of a leader which meta can't reach meets that one's lists", () => {
  const broken = (...between: At[]) =>
    brokenBy(
      (evidence) => new UndueRemoval(evidence),
      [
        ...READY,
        [10, published(1n)],
        [15, acknowledged(1n, SESSION)],
        [20, pushed(SESSION, 10n, true, "c.1~1~c")],
        ...between,
        [40, showsTokens(LEADER, S2, 11n)],
        [41, pushed(S2, 11n, true)],
      ],
    );
  assert.equal(broken([25, outside("d1")], [30, saved(D2, 2n)]), undefined);
  assert.notEqual(broken([30, saved(D2, 2n)]), undefined, "meta could tell it");
  assert.equal(broken([25, outside("d1")]), "5 a cut is not a death", "it has not been replaced");
});

test("a session that meta can't reach, and that goes by an old leader, brings no client back", () => {
  const broken = (...between: At[]) =>
    brokenBy(
      (evidence) => new UndueRemoval(evidence),
      [
        ...READY,
        [10, published(1n)],
        [15, acknowledged(1n, SESSION)],
        ...between,
        [5_000, pushed(SESSION, 10n, true, "c.1~1~c")],
        [5_100, lost("c", SESSION)],
        [5_200, connected("c", S2, 2)],
        [5_201, acknowledged(1n, S2, 2)],
        [5_200 + GRACE_MS, pushed(SESSION, 11n, true)],
      ],
    );
  const replaced: At[] = [
    [50, outside("s2")],
    [60, saved(D2, 2n)],
  ];
  const message = { kind: "slotTable", table: tableOf(D2, 2n), versionFloor: 0n } as const;
  assert.equal(broken(...replaced), undefined);
  assert.notEqual(broken(...replaced, [61, { kind: "learned", node: S2, role: "session", message }]), undefined);
  assert.notEqual(broken([50, outside("s2")]), undefined);
  assert.notEqual(broken([60, saved(D2, 2n)]), undefined);
});
