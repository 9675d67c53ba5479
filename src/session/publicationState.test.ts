// Every pair of state and event, and the data that the states carry.

import assert from "node:assert/strict";
import { test } from "node:test";
import { clientId } from "../model/ids.ts";
import { NEW, next, type PublicationEvent, type PublicationState, reported } from "./publicationState.ts";
import { publication } from "./testing/parts.ts";

const FORMER = publication({ version: 1n });
const BEFORE = publication({ version: 2n });
const PUBLICATION = publication({ version: 3n });
const HOLDER = clientId("10.0.0.7:1_10.1.0.1:9600");
const LISTED = { version: 1n, registeredMs: 7 };

const STATES: Readonly<Record<PublicationState["kind"] | "new+former", PublicationState>> = {
  new: NEW,
  "new+former": { kind: "new", former: FORMER },
  restamped: { kind: "restamped" },
  taken: { kind: "taken" },
  outrun: { kind: "outrun" },
  superseded: { kind: "superseded" },
  unlisted: { kind: "unlisted", listed: LISTED },
  contested: { kind: "contested", holder: HOLDER, refusals: 1 },
};

type Lost = "lostToTime" | "lostToRemoval";

const EVENTS = {
  published: { kind: "published", before: BEFORE },
  taken: { kind: "taken" },
  turnedDown: { kind: "turnedDown", listed: LISTED },
  heldElsewhere: { kind: "heldElsewhere", holder: HOLDER, isOneHost: true },
  lostToVersion: { kind: "lostToVersion" },
  lostToTime: { kind: "lostToTime", isHere: true },
  "lostToTime,gone": { kind: "lostToTime", isHere: false },
  lostToRemoval: { kind: "lostToRemoval", isHere: true },
  "lostToRemoval,gone": { kind: "lostToRemoval", isHere: false },
  leaderChanged: { kind: "leaderChanged" },
  setAside: { kind: "setAside" },
  withdrawn: { kind: "withdrawn", sinceMs: FORMER.registeredMs + 1 },
} as const satisfies Readonly<Record<PublicationEvent["kind"] | `${Lost},gone`, PublicationEvent>>;

const TABLE = `
                   new         new+former  restamped   taken       outrun      superseded  unlisted    contested
published          new+former  new+former  new         new+former  new         new         new         new
taken              taken       taken       taken       taken       outrun      superseded  taken       taken
turnedDown         unlisted    unlisted    unlisted    unlisted    unlisted    unlisted    unlisted    unlisted
heldElsewhere      contested   contested   contested   contested   contested   contested   contested   contested
lostToVersion      superseded  superseded  superseded  superseded  superseded  superseded  superseded  superseded
lostToTime         restamped   restamped   outrun      outrun      outrun      outrun      outrun      restamped
lostToTime,gone    new         new+former  restamped   superseded  superseded  superseded  superseded  contested
lostToRemoval      restamped   restamped   restamped   restamped   restamped   restamped   restamped   restamped
lostToRemoval,gone restamped   restamped   restamped   superseded  superseded  superseded  superseded  restamped
leaderChanged      new         new+former  restamped   taken       outrun      superseded  unlisted    new
setAside           new         new+former  restamped   taken       outrun      superseded  unlisted    contested
withdrawn          superseded  taken       restamped   taken       outrun      superseded  unlisted    contested
`;

function nameOf(state: PublicationState): string {
  return state.kind === "new" && state.former !== undefined ? "new+former" : state.kind;
}

test("every event leads from every state to the state in the table", () => {
  const actual = Object.entries(EVENTS).map(([name, event]) => [
    name,
    ...Object.values(STATES).map((state) => nameOf(next(state, event))),
  ]);
  const [header, ...rows] = TABLE.trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  assert.deepEqual(header, Object.keys(STATES));
  assert.deepEqual(actual, rows);
});

test("an event that means nothing in a state leaves the very same state", () => {
  for (const kind of ["leaderChanged", "setAside", "withdrawn"] as const) {
    const moving = { leaderChanged: ["contested"], setAside: ["contested"], withdrawn: ["new", "new+former"] }[kind];
    for (const [name, state] of Object.entries(STATES)) {
      assert.equal(next(state, EVENTS[kind]) === state, !moving.includes(name), `${kind} ${name}`);
    }
  }
});

test("a new state remembers the one that a data node has taken, until a data node takes it or turns it down", () => {
  const first = next(STATES.taken, EVENTS.published);
  assert.deepEqual(first, { kind: "new", former: BEFORE });
  assert.equal(next(first, { kind: "published", before: PUBLICATION }), first);
  for (const event of [EVENTS.taken, EVENTS.turnedDown, EVENTS.heldElsewhere, EVENTS.lostToTime]) {
    const after = next(next(first, event), { kind: "published", before: PUBLICATION });
    assert.deepEqual(after, event.kind === "taken" ? { kind: "new", former: PUBLICATION } : NEW, event.kind);
  }
});

test("what is listed in place of an unlisted one, and the holder of a contested one, are those last reported", () => {
  assert.deepEqual(next(STATES.unlisted, { kind: "turnedDown", listed: undefined }), {
    kind: "unlisted",
    listed: undefined,
  });
  const other = clientId("10.0.0.7:5_10.1.0.1:9600");
  const after = next(STATES.contested, { kind: "heldElsewhere", holder: other, isOneHost: true });
  assert.ok(after.kind === "contested" && after.holder === other);
});

/** The state after these refusals. */
function claimRefused(hosts: readonly ("one" | "other")[], from: PublicationState = STATES.taken): PublicationState {
  const refusals = hosts.map((host) => ({ kind: "heldElsewhere", holder: HOLDER, isOneHost: host === "one" }) as const);
  return refusals.reduce(next, from);
}

/** The number of refusals, and whether the claim is new to a new leader. */
function refused(hosts: readonly ("one" | "other")[], from?: PublicationState): [number, boolean] {
  const state = claimRefused(hosts, from);
  assert.ok(state.kind === "contested");
  return [state.refusals, next(state, EVENTS.leaderChanged) === NEW];
}

test("a claim is new to a new leader until its holder, of the same host, must have answered", () => {
  assert.deepEqual(refused(["one"]), [1, true]);
  assert.deepEqual(refused(new Array(8).fill("one")), [8, true]);
  assert.deepEqual(refused(new Array(9).fill("one")), [9, false]);
  assert.equal(refused(["other"])[1], false);
  assert.equal(refused(["other", "one"])[1], false);
  assert.equal(refused(["one", "other"])[1], false);
});

test("a claim of a client that is gone is there for as long as its holder may be the client itself", () => {
  const after = (hosts: readonly ("one" | "other")[], event: PublicationEvent) => next(claimRefused(hosts), event).kind;
  for (const hosts of [["other"], new Array(9).fill("one")] as const) {
    assert.equal(after(hosts, EVENTS["lostToTime,gone"]), "superseded");
    assert.equal(after(hosts, EVENTS["lostToRemoval,gone"]), "superseded");
  }
  assert.equal(after(new Array(8).fill("one"), EVENTS["lostToRemoval,gone"]), "restamped");
});

test("a claim that waited behind another client's holding counts as refused often enough", () => {
  assert.equal(refused(["one"], next(STATES.contested, EVENTS.setAside))[1], false);
});

test("the publication is reported, or what is listed in its place, or nothing", () => {
  const actual = Object.entries(STATES).map(([name, state]) => [name, reported(PUBLICATION, state)]);
  assert.deepEqual(Object.fromEntries(actual), {
    new: PUBLICATION,
    "new+former": PUBLICATION,
    restamped: PUBLICATION,
    taken: PUBLICATION,
    outrun: PUBLICATION,
    superseded: undefined,
    unlisted: LISTED,
    contested: undefined,
  });
});
