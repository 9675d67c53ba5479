import assert from "node:assert/strict";
import { test } from "node:test";
import type { Fact } from "../facts.ts";
import { Convergence } from "./convergence.ts";
import {
  type At,
  acknowledged,
  brokenBy,
  connected,
  cut as cutWay,
  D1,
  D2,
  published,
  pushed,
  READY,
  S,
  S1,
  S2,
  scans,
  shows,
  stopped,
  subscribed,
} from "./testing/history.ts";

const cut = (isCut: boolean): Fact => cutWay("d1", "d2", isCut);

/** The verdict on a world in which w watches, and c publishes the same at the end as at the beginning. */
function judged(...history: readonly At[]): string | undefined {
  return brokenBy(
    (evidence) => new Convergence(evidence),
    [
      ...READY,
      [1, subscribed],
      [1, published(1n)],
      [2, shows(D1, S1, 10n, "c.1~1~c")],
      [3, pushed(S1, 10n, true, "c.1~1~c")],
      ...history,
      [100_000, { kind: "over", live: [] }],
    ],
  );
}

/** D1 is cut off from D2 and shows a list without c, which is at S2 by then; w comes to S2, which has the old list. */
const shownByOneCutOff: readonly At[] = [
  [1_000, cut(true)],
  [2_000, shows(D1, S1, 20n)],
  [2_001, pushed(S1, 20n, true)],
];
const comesOver = (...tokens: string[]): At[] => [
  [50_000, shows(D2, S2, 10n, ...tokens)],
  [50_001, pushed(S2, 10n, false, ...tokens)],
  [60_000, scans(S2, D2, 10n)],
];

test("a version that only a dead leader and a subscriber know is forgiven, if the session shows what is true", () => {
  const died: At[] = [
    [10_000, stopped(D1)],
    [20_000, cut(false)],
  ];
  assert.equal(judged(...shownByOneCutOff, ...died, ...comesOver("c.1~1~c")), undefined);
  const other: At[] = [
    [3, shows(D2, S2, 11n)],
    [60_001, scans(S2, D2, 11n)],
  ];
  assert.equal(judged(...shownByOneCutOff, ...died, ...comesOver("c.1~1~c"), ...other), "7 convergence");
});

test("a leader that lived when its cut was over, or was not cut off, could tell what it had given", () => {
  const lives: At[] = [
    [10_000, cut(false)],
    [30_000, stopped(D1)],
  ];
  assert.equal(judged(...shownByOneCutOff, ...lives, ...comesOver("c.1~1~c")), "7 convergence");
  const wasHeard = shownByOneCutOff.slice(1);
  assert.equal(judged(...wasHeard, [10_000, stopped(D1)], ...comesOver("c.1~1~c")), "7 convergence");
});

test("what a replaced leader told a session that died with it is nothing that anybody was shown", () => {
  const takenBack: Fact = { kind: "unpublished", client: "c", service: S, registId: "c.1", version: 2n };
  const gone: At[] = [
    [1_000, takenBack],
    [1_001, shows(D2, S2, 11n)],
    [1_002, pushed(S2, 11n, true)],
    [2_000, shows(D1, S1, 30n, "c.1~1~c")],
    [2_001, stopped(S1)],
  ];
  assert.equal(judged(...gone), undefined);
  assert.equal(judged(...gone, [3_000, pushed(S2, 30n, true, "c.1~1~c")]), "G11 order of one client");
});

/** A rule hides what is published from the address of c. */
const HIDDEN: Fact = {
  kind: "rulesSaved",
  rules: {
    epoch: 1n,
    rules: [
      {
        ...{ id: "off", effect: "hidePublications", match: { addresses: ["10.0.0.3"] }, isInForce: true },
        ...{ setBy: "ana", setMs: 0, reason: "", epoch: 1n },
      },
    ],
  },
};

test("a registration that another living client has is rightly refused, hidden by a rule or not", () => {
  const refused: Fact = {
    kind: "over",
    live: [{ client: "d", isConnected: true, undone: 1, heldByOthers: [{ service: S, registId: "c.1" }] }],
  };
  const hidden: At[] = [
    [10, { ...connected("c", S1), address: "10.0.0.3" } as Fact],
    [20, HIDDEN],
    [21, shows(D1, S1, 11n)],
    [22, pushed(S1, 11n, true)],
  ];
  assert.equal(judged([90_000, refused]), undefined);
  assert.equal(judged(...hidden, [90_000, refused]), undefined);
  assert.equal(
    judged(...hidden, [50_000, { kind: "died", client: "c", how: "killed" }], [90_000, refused]),
    "7 convergence",
  );
});

test("of clients that share a registId the newest need not be seen if another one has it that a rule hides", () => {
  const newest: At[] = [
    [20, HIDDEN],
    [21, shows(D1, S1, 11n)],
    [22, pushed(S1, 11n, true)],
    [30, { ...connected("d", S2), address: "10.0.0.4" } as Fact],
    [31, { ...published(2n), client: "d", token: "c.1~2~d" } as Fact],
    [32, { ...acknowledged(2n, S2), client: "d" } as Fact],
  ];
  const taken: At[] = [
    [10, { ...connected("c", S1), address: "10.0.0.3" } as Fact],
    [11, acknowledged(1n, S1)],
  ];
  assert.equal(judged(...taken, ...newest), undefined);
  const died: At = [50_000, { kind: "died", client: "c", how: "killed" }];
  assert.equal(judged(...taken, ...newest, died), "7 convergence");
  assert.equal(judged(...taken.slice(0, 1), ...newest), "7 convergence", "no session has taken its registration");
});
