// Each checker is shown a history that breaks its rule, and the nearest one that does not.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { textOf } from "../../base/text.ts";
import type { DataToSession } from "../../messages/sessionData.ts";
import { brandDataInfoId, clientId, nodeId } from "../../model/ids.ts";
import { packPayload } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import type { Fact } from "../facts.ts";
import { drawPlan } from "../plan.ts";
import { Dice } from "../random.ts";
import { Judge } from "./judge.ts";

const S = brandDataInfoId("s#@#I#@#G");
const PLAN = { ...drawPlan(new Dice(1), false), topology: "split" as const };
const { clientReturnGraceMs: GRACE_MS, sessionLeaseMs: LEASE_MS, restartHoldMs: HOLD_MS } = PLAN.config;
const T = 1_700_000_000_000;

type At = readonly [atMs: number, fact: Fact];

/** The rule that a history breaks, if it breaks one. */
function broken(...history: readonly At[]): string | undefined {
  const judge = new Judge(PLAN);
  for (const [atMs, fact] of history) judge.see(fact, T + atMs);
  return judge.finding?.rule;
}

function publication(registId: string, version: bigint, { atMs = 0, zone = "Z1" } = {}): Publication {
  const token = `${registId}~${version}~${registId.split(".")[0]}`;
  return {
    dataInfoId: S,
    registId,
    version,
    registeredMs: T + atMs,
    owner: { session: nodeId("session-1"), client: clientId("c") },
    zone,
    appName: "",
    attributes: new Map(),
    payload: packPayload([textOf(token)]),
  };
}

const told = (message: DataToSession): Fact => ({ kind: "told", from: "data-1", to: "session-1", message });
const snapshot = (version: bigint, ...publications: Publication[]) =>
  told({ kind: "snapshot", datum: { dataInfoId: S, version, publications } });
const of = (registId: string) => ({ client: registId.split(".")[0] ?? "", service: S, registId });
const on = (connection: number) => ({ session: "session-1#1", connection });
const published = (registId: string, version: bigint): Fact => ({
  kind: "published",
  ...of(registId),
  version,
  token: `${registId}~${version}~${registId.split(".")[0]}`,
  zone: "Z1",
});
const acknowledged = (registId: string, version: bigint, connection = 1): Fact => ({
  kind: "acknowledged",
  ...of(registId),
  version,
  ...on(connection),
});
const unpublished = (registId: string, version: bigint): Fact => ({ kind: "unpublished", ...of(registId), version });
const connected = (client: string, connection = 1): Fact => ({ kind: "connected", client, ...on(connection) });
const lost = (client: string, connection = 1): Fact => ({ kind: "lost", client, side: "server", ...on(connection) });
const subscribed: Fact = { kind: "subscribed", ...of("w.1"), scope: "dataCenter", zone: "Z1" };
const pushed = (version: bigint, ...entries: string[]): Fact => ({
  kind: "pushed",
  ...of("w.1"),
  version,
  session: "session-1#1",
  scope: "dataCenter",
  zone: "Z1",
  isTaken: true,
  entries,
});
const node = (kind: "started" | "stopped", name: string, role: "data" | "session"): Fact => ({
  kind,
  node: name,
  role,
});
const over: Fact = { kind: "over", live: [] };

/** c publishes and is known. */
const C_IS_THERE: readonly At[] = [
  [0, connected("c")],
  [0, published("c.1", 1n)],
  [5, acknowledged("c.1", 1n)],
  [6, snapshot(10n, publication("c.1", 1n))],
];

describe("rule 1", () => {
  test("an older registration does not come back after a newer one", () => {
    const history: At[] = [
      [0, snapshot(10n, publication("c.1", 2n))],
      [1, snapshot(11n, publication("c.1", 1n))],
    ];
    assert.equal(broken(...history), "1 newest wins");
  });

  test("what was taken back does not come back, but what is published anew does", () => {
    const removed = told({
      kind: "delta",
      delta: {
        dataInfoId: S,
        base: 10n,
        version: 11n,
        changes: [{ kind: "removed", registId: "c.1", stamp: { version: 2n, registeredMs: T } }],
      },
    });
    const takenBack: At[] = [...C_IS_THERE, [10, unpublished("c.1", 2n)], [12, removed]];
    assert.equal(broken(...takenBack, [20, snapshot(12n, publication("c.1", 1n))]), "1 newest wins");
    assert.equal(broken(...takenBack, [20, snapshot(12n, publication("c.1", 3n))]), undefined);
  });
});

describe("rule 2", () => {
  test("a version does not go back, even after a restart", () => {
    const history: At[] = [
      [0, snapshot(10n)],
      [1, node("stopped", "data-1", "data")],
      [2, node("started", "data-1", "data")],
    ];
    assert.equal(broken(...history, [3, snapshot(9n)]), "2 versions grow");
    assert.equal(broken(...history, [3, snapshot(11n)]), undefined);
  });
});

describe("rule 3", () => {
  test("a subscriber is not pushed an older version, whether or not it takes it", () => {
    const history: At[] = [
      [0, snapshot(10n)],
      [1, snapshot(11n)],
      [2, pushed(11n)],
    ];
    assert.equal(broken(...history, [3, { ...pushed(10n), isTaken: false } as Fact]), "3 a subscriber never goes back");
    assert.equal(broken(...history, [3, { ...pushed(11n), isTaken: false } as Fact]), undefined);
  });
});

describe("rule 4", () => {
  const both: At = [0, snapshot(10n, publication("c.1", 1n), publication("d.1", 1n, { zone: "Z2" }))];

  test("a push shows all of its version", () => {
    assert.equal(broken(both, [1, pushed(10n, "Z1/c.1~1~c")]), "4 whole versions");
    assert.equal(broken(both, [1, pushed(10n, "Z1/c.1~1~c", "Z2/d.1~1~d")]), undefined);
  });

  test("zone scope is cut to the subscriber's zone", () => {
    assert.equal(broken(both, [1, { ...pushed(10n, "Z1/c.1~1~c"), scope: "zone" } as Fact]), undefined);
    assert.equal(
      broken(both, [1, { ...pushed(10n, "Z1/c.1~1~c", "Z2/d.1~1~d"), scope: "zone" } as Fact]),
      "4 whole versions",
    );
  });

  test("nobody makes up a version", () => {
    assert.equal(broken(both, [1, pushed(12n)]), "4 whole versions");
  });

  test("a version has one content", () => {
    assert.equal(broken(both, [1, snapshot(10n, publication("c.1", 1n))]), "4 whole versions");
  });
});

describe("rule 5", () => {
  test("a client that returns within the grace is never missing", () => {
    const history: At[] = [
      ...C_IS_THERE,
      [100, lost("c")],
      [600, connected("c", 2)],
      [605, acknowledged("c.1", 1n, 2)],
    ];
    assert.equal(broken(...history, [700, snapshot(11n)]), "5 a cut is not a death");
  });

  test("a client that is away for longer may be missing, but not before the grace is over", () => {
    const history: At[] = [...C_IS_THERE, [100, lost("c")]];
    assert.equal(broken(...history, [100 + GRACE_MS - 1, snapshot(11n)]), "5 a cut is not a death");
    assert.equal(broken(...history, [100 + GRACE_MS, snapshot(11n)]), undefined);
  });

  test("a dead client is gone when the grace is over", () => {
    const history: At[] = [...C_IS_THERE, [100, { kind: "died", client: "c", how: "killed" }], [110, lost("c")]];
    const other = publication("d.1", 1n);
    assert.equal(broken(...history, [10_000, snapshot(11n, publication("c.1", 1n), other)]), "5 a cut is not a death");
    assert.equal(broken(...history, [10_000, snapshot(11n, other)]), undefined);
  });
});

describe("rule 6", () => {
  const restart: readonly At[] = [
    ...C_IS_THERE,
    [5_000, snapshot(10n, publication("c.1", 1n))],
    [5_001, node("stopped", "data-1", "data")],
    [5_100, node("started", "data-1", "data")],
  ];

  test("a data node that restarted does not show a list that is not complete", () => {
    assert.equal(broken(...restart, [5_200, snapshot(11n)]), "6 no empty by accident");
    assert.equal(broken(...restart, [5_200, snapshot(11n, publication("c.1", 1n))]), undefined);
  });

  test("clients of a session that died have its lease to return", () => {
    const history: At[] = [...C_IS_THERE, [5_000, node("stopped", "session-1#1", "session")]];
    assert.equal(broken(...history, [5_000 + LEASE_MS - 1_000, snapshot(11n)]), "6 no empty by accident");
    assert.equal(broken(...history, [5_000 + LEASE_MS, snapshot(11n)]), undefined);
  });

  test("after the hold a client that did not return may be missing", () => {
    const history: At[] = [[...C_IS_THERE], [...restart.slice(C_IS_THERE.length)]].flat();
    const gone: At[] = [...history, [5_200, lost("c")]];
    assert.equal(broken(...gone, [5_100 + HOLD_MS, snapshot(11n)]), undefined);
  });
});

describe("rule 7", () => {
  const watched: readonly At[] = [[0, subscribed], ...C_IS_THERE, [10, pushed(10n, "Z1/c.1~1~c")]];

  test("at the end every list is what the living publish", () => {
    assert.equal(broken(...watched, [100, over]), undefined);
    assert.equal(broken(...watched, [50, published("d.1", 1n)], [100, over]), "7 convergence");
    assert.equal(broken(...watched, [50, { kind: "died", client: "c", how: "killed" }], [100, over]), "7 convergence");
    assert.equal(broken(...watched, [50, unpublished("c.1", 2n)], [100, over]), "G11 order of one client");
  });

  test("a subscriber that never got a list has not converged", () => {
    assert.equal(broken([0, subscribed], [100, over]), "7 convergence");
  });

  test("every living client is served", () => {
    const live = [{ client: "c", isConnected: true, undone: 1 }];
    assert.equal(broken(...watched, [100, { kind: "over", live }]), "7 convergence");
  });
});

describe("rule 8", () => {
  test("what waits for a slow client is bounded", () => {
    const buffered = (bytes: number): Fact => ({ kind: "buffered", client: "c", bytes, written: 1_000 });
    assert.equal(broken([0, buffered(1_000_000)]), undefined);
    assert.equal(broken([0, buffered(2_000_000)]), "8 everything is bounded");
  });

  test("one batch is under way to a data node", () => {
    const batch = (id: number): Fact => ({
      kind: "asked",
      from: "session-1#1",
      to: "data-1",
      message: { kind: "publish", batch: id, epoch: 1n, items: [] },
      isLost: false,
    });
    assert.equal(broken([0, batch(1)], [1, batch(2)]), "8 everything is bounded");
    assert.equal(broken([0, batch(1)], [1, told({ kind: "taken", batch: 1 })], [2, batch(2)]), undefined);
  });
});

describe("G11", () => {
  const flapped: readonly At[] = [
    [0, subscribed],
    ...C_IS_THERE,
    [10, unpublished("c.1", 2n)],
    [20, published("c.1", 3n)],
    [25, acknowledged("c.1", 3n)],
  ];

  test("register, unregister, register ends as the last", () => {
    const end: At[] = [
      [31, pushed(11n)],
      [100, over],
    ];
    assert.equal(broken(...flapped, [30, snapshot(11n)], ...end), "G11 order of one client");
    const well: At[] = [
      [31, pushed(11n, "Z1/c.1~3~c")],
      [100, over],
    ];
    assert.equal(broken(...flapped, [30, snapshot(11n, publication("c.1", 3n))], ...well), undefined);
  });
});
